// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_RUNNER_LAYERFACTS_H
#define MOE_RUNNER_LAYERFACTS_H

#include "moe/Runner/ElementType.h"

#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>

namespace moe::runner {

/// What a planned module says of its layer.
struct LayerFacts {
  std::string layer;
  std::string mesh;
  std::string topology;
  std::string placementPolicy;
  std::string exchange;
  std::string cpu;
  ElementType type = ElementType::F32;
  int64_t ranks = 1;
  int64_t hidden = 0;
  int64_t experts = 0;
  int64_t choices = 0;
  int64_t maxTokens = 0;
  /// Where the module is compiled for one number of tokens.
  std::optional<int64_t> staticTokens;

  /// Fails, naming both numbers, where the program cannot take so many tokens.
  llvm::Error checkTokens(int64_t tokens) const;
};

} // namespace moe::runner

#endif // MOE_RUNNER_LAYERFACTS_H
