//===- SlotTable.h - Experts by layer and slot ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLACEMENTFILES_SLOTTABLE_H
#define MOE_LIB_PLACEMENTFILES_SLOTTABLE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace moe::placement {

/// What all engines' files come down to.
struct SlotTable {
  /// [layer][slot] expert.
  std::vector<std::vector<int64_t>> rows;
  /// The model's numbers of the rows; empty: in order.
  std::vector<int64_t> layers;
  /// 0 where the file does not say.
  int64_t gpus = 0;
  int64_t experts = 0;
};

/// TensorRT-LLM's YAML. Errors give line and column.
llvm::Error readAssignments(llvm::StringRef text, SlotTable &table);

} // namespace moe::placement

#endif // MOE_LIB_PLACEMENTFILES_SLOTTABLE_H
