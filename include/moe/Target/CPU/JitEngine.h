// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module in the LLVM dialect becomes code: in this process or as an object
// file.

#ifndef MOE_TARGET_CPU_JITENGINE_H
#define MOE_TARGET_CPU_JITENGINE_H

#include "moe/Target/CPU/CPUTarget.h"
#include "moe/Target/CPU/ObjectCode.h"

#include "mlir/IR/BuiltinOps.h"

#include <memory>

namespace llvm {
class raw_pwrite_stream;
} // namespace llvm

namespace mlir::moe {

struct JitOptions {
  CPUTarget target;
  /// LLVM's -O level: 0 to 3.
  unsigned optLevel = 3;
  /// Names that the module declares and the process supplies. `memrefCopy`
  /// is supplied in any case.
  SymbolMap symbols;
};

/// Code compiled into this process; it lives as long as the engine.
class JitEngine {
public:
  /// Compiles `module` (LLVM dialect), which is not needed later; machine code
  /// is generated at the first look-up.
  static llvm::Expected<std::unique_ptr<JitEngine>>
  create(ModuleOp module, const JitOptions &options);
  ~JitEngine();

  /// Address of a function; an error that names it when there is none.
  llvm::Expected<void *> lookup(StringRef name) const;

private:
  explicit JitEngine(std::unique_ptr<llvm::orc::LLJIT> jit);
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

/// Puts a text into the code that `module` (LLVM dialect) becomes: what the
/// code was compiled with, say. readStamp finds it in the object.
void stampModule(ModuleOp module, StringRef text);

/// Writes `module` (LLVM dialect) as an object file of position-independent
/// code for `target`.
llvm::Error emitObject(ModuleOp module, const CPUTarget &target, StringRef path,
                       unsigned optLevel = 3);
/// The same to a stream.
llvm::Error emitObject(ModuleOp module, const CPUTarget &target,
                       llvm::raw_pwrite_stream &stream, unsigned optLevel = 3);

} // namespace mlir::moe

#endif // MOE_TARGET_CPU_JITENGINE_H
