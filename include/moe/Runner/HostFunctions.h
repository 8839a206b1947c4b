// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_RUNNER_HOSTFUNCTIONS_H
#define MOE_RUNNER_HOSTFUNCTIONS_H

#include "moe/Runner/SourceDiagnostic.h"
#include "moe/Target/CPU/ObjectCode.h"

#include <map>
#include <string>

namespace moe::runner {

/// Functions of the host by the names under which modules declare them. How
/// they are called is in moert/compiled.h, at `moert_matrix`.
using HostFunctions = std::map<std::string, void *>;

/// What MLIR's C interface puts before the name of a function.
inline constexpr llvm::StringLiteral cInterfacePrefix = "_mlir_ciface_";

/// All that compiled code may call: the runtime, and the functions of the host
/// under the names that code has for them.
mlir::moe::SymbolMap symbolsFor(const HostFunctions &functions);

/// Fails where `functions` lacks one that a program declares; `place` says
/// where, if that is known.
llvm::Error checkFunction(const HostFunctions &functions,
                          const std::string &declared,
                          SourceDiagnostic place = {});

} // namespace moe::runner

#endif // MOE_RUNNER_HOSTFUNCTIONS_H
