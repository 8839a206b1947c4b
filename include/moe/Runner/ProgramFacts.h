// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_RUNNER_PROGRAMFACTS_H
#define MOE_RUNNER_PROGRAMFACTS_H

#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>

namespace moe::runner {

/// What of a model is a program.
enum class ProgramScope {
  /// One layer of experts, taken out of the model.
  Layer,
  /// The public function of a module, whatever it computes.
  Function
};

/// What a planned module says of its program as a whole.
struct ProgramFacts {
  ProgramScope scope = ProgramScope::Function;
  std::string mesh;
  std::string topology;
  std::string cpu;
  int64_t ranks = 1;
  int64_t maxTokens = 0;
  /// Where the module is compiled for one number of tokens.
  std::optional<int64_t> staticTokens;

  /// Fails, naming both numbers, where the program cannot take so many tokens.
  llvm::Error checkTokens(int64_t tokens) const;
};

} // namespace moe::runner

#endif // MOE_RUNNER_PROGRAMFACTS_H
