// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/HostFunctions.h"

#include "moe/Runner/RuntimeSymbols.h"

using namespace moe::runner;

mlir::moe::SymbolMap moe::runner::symbolsFor(const HostFunctions &functions) {
  mlir::moe::SymbolMap symbols = runtimeSymbols();
  for (const auto &[name, address] : functions) {
    symbols[(cInterfacePrefix + name).str()] = address;
  }
  return symbols;
}

llvm::Error moe::runner::checkFunction(const HostFunctions &functions,
                                       const std::string &declared,
                                       SourceDiagnostic place) {
  auto found = functions.find(declared);
  if (found != functions.end() && found->second) {
    return llvm::Error::success();
  }
  place.message = "expected the host to bring the function '" + declared +
                  "', which the module declares and does not define";
  return llvm::make_error<SourceError>(std::move(place));
}
