// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/BytecodeVersion.h"
#include "moe/Dialect/Comm/Comm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::comm;

#include "moe/Dialect/Comm/CommDialect.cpp.inc"
#include "moe/Dialect/Comm/CommEnums.cpp.inc"
#include "moe/Dialect/Comm/CommInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "moe/Dialect/Comm/CommAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "moe/Dialect/Comm/CommTypes.cpp.inc"
#define GET_OP_CLASSES
#include "moe/Dialect/Comm/CommOps.cpp.inc"

void CommDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "moe/Dialect/Comm/CommAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "moe/Dialect/Comm/CommTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "moe/Dialect/Comm/CommOps.cpp.inc"
      >();
  addInterface<BytecodeVersion>(/*current=*/uint64_t(1));
}
