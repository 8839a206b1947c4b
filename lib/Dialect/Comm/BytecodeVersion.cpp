// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/BytecodeVersion.h"

using namespace mlir;
using namespace mlir::comm;

namespace {
/// What was read; nothing asks for the number yet.
struct ReadVersion final : DialectVersion {
  uint64_t version = 0;
};
} // namespace

void BytecodeVersion::writeVersion(DialectBytecodeWriter &writer) const {
  writer.writeVarInt(current);
}

std::unique_ptr<DialectVersion>
BytecodeVersion::readVersion(DialectBytecodeReader &reader) const {
  auto read = std::make_unique<ReadVersion>();
  if (failed(reader.readVarInt(read->version))) {
    return nullptr;
  }
  if (read->version > current) {
    reader.emitError() << "expected bytecode of dialect '"
                       << getDialect()->getNamespace() << "' up to version "
                       << current << ", but got " << read->version;
    return nullptr;
  }
  return read;
}
