//===- PlaceAll.cpp - Layers placed side by side --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/PlacementSolver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ThreadPool.h"
#include <mutex>

using namespace moe::planning;

std::vector<llvm::Expected<PlacementResult>> moe::planning::placeAll(
    PlacementPolicy policy, llvm::ArrayRef<const PlacementProblem *> problems,
    Objective objective, llvm::function_ref<void(int64_t)> onDone) {
  // Layers do not look at each other, so threads decide nothing.
  std::vector<std::optional<llvm::Expected<PlacementResult>>> results(
      problems.size());
  std::mutex mutex;
  int64_t done = 0;
  {
    llvm::DefaultThreadPool threads;
    for (size_t index = 0; index < problems.size(); ++index) {
      threads.async([&, index] {
        results[index].emplace(place(policy, *problems[index], objective));
        std::lock_guard<std::mutex> lock(mutex);
        onDone(++done);
      });
    }
  }
  std::vector<llvm::Expected<PlacementResult>> ordered;
  ordered.reserve(results.size());
  for (std::optional<llvm::Expected<PlacementResult>> &result : results) {
    ordered.push_back(std::move(*result));
  }
  return ordered;
}
