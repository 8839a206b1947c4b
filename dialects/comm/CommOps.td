// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_OPS
#define COMM_OPS

include "comm/CommMeshOps.td"
include "comm/CommBoundOps.td"
include "comm/CommCollectiveOps.td"
include "comm/CommInFlightOps.td"

#endif // COMM_OPS
