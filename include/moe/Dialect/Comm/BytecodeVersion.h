// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The version that a dialect writes into bytecode.

#ifndef MOE_DIALECT_COMM_BYTECODEVERSION_H
#define MOE_DIALECT_COMM_BYTECODEVERSION_H

#include "mlir/Bytecode/BytecodeImplementation.h"

namespace mlir::comm {

/// Writes the version of a dialect, and refuses bytecode of a later one. The
/// version is raised when an operation changes in a way that an older reader
/// would misread.
class BytecodeVersion final : public BytecodeDialectInterface {
public:
  BytecodeVersion(Dialect *dialect, uint64_t current)
      : BytecodeDialectInterface(dialect), current(current) {}

  void writeVersion(DialectBytecodeWriter &writer) const override;
  std::unique_ptr<DialectVersion>
  readVersion(DialectBytecodeReader &reader) const override;

private:
  uint64_t current;
};

} // namespace mlir::comm

#endif // MOE_DIALECT_COMM_BYTECODEVERSION_H
