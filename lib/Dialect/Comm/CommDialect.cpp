// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/Comm.h"

#include "mlir/Bytecode/BytecodeImplementation.h"
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

namespace {
/// The version of the dialect's bytecode. Raised when an operation changes in
/// a way that an older reader would misread.
struct CommVersion final : DialectVersion {
  static constexpr uint64_t current = 1;
  uint64_t version = current;
};

struct CommBytecode final : BytecodeDialectInterface {
  explicit CommBytecode(Dialect *dialect) : BytecodeDialectInterface(dialect) {}

  void writeVersion(DialectBytecodeWriter &writer) const override {
    writer.writeVarInt(CommVersion::current);
  }

  std::unique_ptr<DialectVersion>
  readVersion(DialectBytecodeReader &reader) const override {
    auto version = std::make_unique<CommVersion>();
    if (failed(reader.readVarInt(version->version))) {
      return nullptr;
    }
    if (version->version > CommVersion::current) {
      reader.emitError() << "expected bytecode of dialect 'comm' up to version "
                         << CommVersion::current << ", but got "
                         << version->version;
      return nullptr;
    }
    return version;
  }
};
} // namespace

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
  addInterfaces<CommBytecode>();
}
