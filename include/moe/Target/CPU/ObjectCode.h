// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Object files linked into this process, without a compiler.

#ifndef MOE_TARGET_CPU_OBJECTCODE_H
#define MOE_TARGET_CPU_OBJECTCODE_H

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <memory>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace mlir::moe {

/// External C functions, by name, that compiled code may call.
using SymbolMap = llvm::StringMap<void *>;

/// The text that stampModule has put into an object; fails where there is none.
llvm::Expected<std::string> readStamp(llvm::MemoryBufferRef object);

/// The symbol behind which an object has its stamp, which ends with a zero
/// byte.
inline constexpr llvm::StringLiteral stampSymbol = "moe_stamp";

/// Code of an object; it lives as long as this.
class ObjectCode {
public:
  /// Links a copy of `object`, which must be for this machine. `memrefCopy` and
  /// the C library's functions are supplied beside `symbols`.
  static llvm::Expected<std::unique_ptr<ObjectCode>>
  load(llvm::MemoryBufferRef object, const SymbolMap &symbols);
  ~ObjectCode();

  /// Address of a function; an error that names it when there is none.
  llvm::Expected<void *> lookup(llvm::StringRef name) const;

private:
  explicit ObjectCode(std::unique_ptr<llvm::orc::LLJIT> linker);
  std::unique_ptr<llvm::orc::LLJIT> linker;
};

} // namespace mlir::moe

#endif // MOE_TARGET_CPU_OBJECTCODE_H
