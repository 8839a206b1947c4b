// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/UniformityFlows.h"

#include "mlir/IR/Operation.h"

using namespace mlir;
using namespace mlir::comm;

void UniformityFlows::addContents(Operation *op) {
  for (Value result : op->getResults()) {
    for (Value operand : op->getOperands()) {
      add(result, Aspect::Contents, operand, Aspect::Contents);
      add(result, Aspect::Contents, operand, Aspect::Extents);
    }
  }
}
