//===- PlaceLayers.cpp - Time and quality of placement solvers ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   place-layers LOADS --slots=R --ranks=P [--nodes=N] [--groups=G]
//                [--domain=NAME] [--repeat=K]
//
// Places every layer of a file of loads, by eplb and jointly, K times on one
// core, and prints one line of JSON: the best time of each for all layers
// together, max/mean of the largest layer and on average, and the joint
// solver's gaps. `joint_above_eplb` counts layers that joint does worse on.
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/LoadProfile.h"
#include "moe/Planning/PlacementSolver.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>

using namespace moe::planning;

static llvm::cl::opt<std::string> loadsFile(llvm::cl::Positional,
                                            llvm::cl::Required,
                                            llvm::cl::desc("LOADS"));
static llvm::cl::opt<int64_t> slotCount("slots", llvm::cl::Required,
                                        llvm::cl::desc("slots of all ranks"));
static llvm::cl::opt<int64_t> rankCount("ranks", llvm::cl::Required,
                                        llvm::cl::desc("ranks"));
static llvm::cl::opt<int64_t> nodes("nodes", llvm::cl::init(1),
                                    llvm::cl::desc("nodes, for eplb"));
static llvm::cl::opt<int64_t> groups("groups", llvm::cl::init(1),
                                     llvm::cl::desc("groups of experts"));
static llvm::cl::opt<std::string>
    domain("domain", llvm::cl::desc("the part of a CSV file that counts"));
static llvm::cl::opt<int> repeats("repeat", llvm::cl::init(5),
                                  llvm::cl::desc("times to measure"));

namespace {
struct PolicyFigures {
  double milliseconds = 0;
  std::vector<PlacementResult> layers;

  double worst() const {
    double most = 0;
    for (const PlacementResult &layer : layers) {
      most = std::max(most, layer.loads.maxOverMean());
    }
    return most;
  }
  double mean() const {
    double sum = 0;
    for (const PlacementResult &layer : layers) {
      sum += layer.loads.maxOverMean();
    }
    return sum / double(layers.size());
  }
};
} // namespace

static llvm::Expected<std::vector<PlacementProblem>> readProblems() {
  llvm::Expected<LoadProfile> profile =
      LoadProfile::open(loadsFile, {"", domain});
  if (!profile) {
    return profile.takeError();
  }
  std::vector<PlacementProblem> problems;
  for (int64_t layer : profile->layers()) {
    llvm::Expected<LayerLoads> loads =
        profile->loadsOf(layer, profile->expertCount(), rankCount);
    if (!loads) {
      return loads.takeError();
    }
    PlacementProblem &problem = problems.emplace_back();
    problem.loads = std::move(loads->loads);
    problem.slotsByRank = PlacementProblem::spreadSlots(slotCount, rankCount);
    problem.nodes = nodes;
    problem.expertGroups = groups;
  }
  return problems;
}

/// Places all layers as often as asked for.
static llvm::Expected<PolicyFigures>
measure(PlacementPolicy policy, llvm::ArrayRef<PlacementProblem> problems) {
  PolicyFigures figures;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    std::vector<PlacementResult> layers;
    auto begin = std::chrono::steady_clock::now();
    for (const PlacementProblem &problem : problems) {
      llvm::Expected<PlacementResult> result = place(policy, problem);
      if (!result) {
        return result.takeError();
      }
      layers.push_back(std::move(*result));
    }
    std::chrono::duration<double, std::milli> time =
        std::chrono::steady_clock::now() - begin;
    if (repeat == 0 || time.count() < figures.milliseconds) {
      figures.milliseconds = time.count();
    }
    figures.layers = std::move(layers);
  }
  return figures;
}

static llvm::Error run() {
  llvm::Expected<std::vector<PlacementProblem>> problems = readProblems();
  if (!problems) {
    return problems.takeError();
  }
  llvm::Expected<PolicyFigures> eplb =
      measure(PlacementPolicy::Eplb, *problems);
  if (!eplb) {
    return eplb.takeError();
  }
  llvm::Expected<PolicyFigures> joint =
      measure(PlacementPolicy::Joint, *problems);
  if (!joint) {
    return joint.takeError();
  }
  double gaps = 0, worstGap = 0;
  int above = 0;
  for (size_t layer = 0; layer < problems->size(); ++layer) {
    const PlacementResult &result = joint->layers[layer];
    gaps += result.gap() / double(problems->size());
    worstGap = std::max(worstGap, result.gap());
    above += result.value > eplb->layers[layer].value;
  }
  llvm::outs() << llvm::format(
      "{\"layers\": %zu, \"eplb_ms\": %.2f, \"joint_ms\": %.2f, "
      "\"eplb_worst\": %.4f, \"joint_worst\": %.4f, \"eplb_mean\": %.4f, "
      "\"joint_mean\": %.4f, \"mean_gap\": %.5f, \"worst_gap\": %.5f, "
      "\"joint_above_eplb\": %d}\n",
      problems->size(), eplb->milliseconds, joint->milliseconds, eplb->worst(),
      joint->worst(), eplb->mean(), joint->mean(), gaps, worstGap, above);
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::cl::ParseCommandLineOptions(argc, argv, "times placement solvers\n");
  if (llvm::Error error = run()) {
    llvm::WithColor::error() << llvm::toString(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}
