// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_TOOLS_MOE_PLACE_COMMANDLINE_H
#define MOE_TOOLS_MOE_PLACE_COMMANDLINE_H

#include "moe/PlacementTool/PlaceLayers.h"

namespace moe::placement {

enum class OutputFormat { Text, Json, Html };

/// What the user asks of moe-place.
struct CommandLine {
  WorkloadOptions workload;
  /// At least one.
  std::vector<planning::PlacementPolicy> policies;
  /// None: by what is known.
  std::optional<planning::Objective> objective;
  OutputFormat format = OutputFormat::Text;
  /// "-" is the standard output.
  std::string output = "-";
  /// Print the flags and nothing else.
  bool help = false;

  /// Fails on unknown flags and on flags that contradict each other.
  static llvm::Expected<CommandLine> parse(llvm::ArrayRef<const char *> words);
  static void printHelp();
};

} // namespace moe::placement

#endif // MOE_TOOLS_MOE_PLACE_COMMANDLINE_H
