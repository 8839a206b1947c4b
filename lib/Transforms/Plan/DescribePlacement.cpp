// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DescribePlacement.h"

#include "moe/Report/PlanReport.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::moe;
namespace planning = ::moe::planning;
using llvm::formatv;
using ::moe::report::formatTime;

static std::string describeTime(const planning::PlacementProblem &problem,
                                const planning::PlacementResult &result) {
  const planning::PlacementTime &time = *result.time;
  std::string link =
      ::moe::report::slowestLinkOf(*problem.deployment->topology, time);
  std::string text = formatv(
      "; {0} a step: dispatch and combine {1}{2}, experts {3}",
      formatTime(time.total().value()), formatTime(time.exchange().value()),
      link.empty() ? std::string() : " (slowest link: " + link + ")",
      formatTime(time.compute().value()));
  if (result.timeBound) {
    text += formatv("; none is below {0} ({1}), gap {2:F1} %",
                    formatTime(result.timeBound->value),
                    result.timeBound->argument, result.timeGap() * 100);
  }
  return text;
}

std::string mlir::moe::describe(const planning::PlacementProblem &problem,
                                const planning::PlacementResult &result) {
  int64_t slots = 0, localSlots = 0;
  for (const std::vector<int64_t> &experts : result.data.expertsByRank) {
    int64_t held = experts.size() - llvm::count(experts, -1);
    slots += held;
    localSlots = std::max(localSlots, held);
  }
  double mean = result.loads.mean;
  std::string text =
      formatv("{0} experts in {1} slots on {2} ranks, at most {3} on a rank; "
              "largest load {4:F3} of the mean, none is below {5:F3} ({6}), "
              "gap {7:F1} %",
              problem.experts(), slots, problem.ranks(), localSlots,
              result.loads.maxOverMean(), result.loadBound.value / mean,
              result.loadBound.argument, result.loadGap() * 100);
  if (result.time) {
    text += describeTime(problem, result);
  }
  for (const std::string &note : result.notes) {
    text += "; " + note;
  }
  return text;
}
