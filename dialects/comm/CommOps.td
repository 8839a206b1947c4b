// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_OPS
#define COMM_OPS

include "comm/CommBoundOps.td"
include "comm/CommCollectiveOps.td"
include "comm/CommInFlightOps.td"
include "comm/CommMeshOps.td"
include "comm/CommReshardOps.td"

#endif // COMM_OPS
