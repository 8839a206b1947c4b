// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_OPS
#define MOE_OPS

include "moe/MoESymbolOps.td"
include "moe/MoERoutingOps.td"
include "moe/MoEExpertOps.td"
include "moe/MoECounterOps.td"

#endif // MOE_OPS
