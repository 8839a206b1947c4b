// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Dialect/Comm/Comm.h"
using namespace mlir;
using namespace mlir::comm;
LogicalResult ReshardOp::partition(Partitioner &) { return failure(); }
