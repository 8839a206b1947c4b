// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_TOOLS_MOE_PLACE_COMMANDLINE_H
#define MOE_TOOLS_MOE_PLACE_COMMANDLINE_H

#include "moe/PlacementTool/Migration.h"
#include "moe/PlacementTool/PlaceLayers.h"
#include "moe/PlacementTool/Planner.h"

namespace moe::placement {

enum class OutputFormat { Text, Json, Html };

enum class Task { Place, Verify, Diff, Rebalance, Report };

/// What the user asks of moe-place.
struct CommandLine {
  Task task = Task::Place;
  WorkloadOptions workload;
  /// Paths: of the placement to verify or to start from, or of the two to
  /// compare.
  std::vector<std::string> files;
  RebalanceBudget budget;
  PlannerOptions planner;
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
  static void printHelp(llvm::raw_ostream &os);
};

} // namespace moe::placement

#endif // MOE_TOOLS_MOE_PLACE_COMMANDLINE_H
