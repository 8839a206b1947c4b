// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/RuntimeSymbols.h"
#include "RankMemory.h"

#include "moert/compiled.h"

mlir::moe::SymbolMap moe::runner::runtimeSymbols() {
  mlir::moe::SymbolMap symbols;
#define MOE_ADD(name) symbols[#name] = reinterpret_cast<void *>(&(name));
  MOERT_FRAME_FUNCTIONS(MOE_ADD)
#undef MOE_ADD
  symbols["malloc"] = reinterpret_cast<void *>(&allocateForRank);
  return symbols;
}
