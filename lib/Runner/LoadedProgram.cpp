// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LoadedProgram.h"

#include "llvm/Support/Threading.h"

using namespace moe::runner;
namespace planning = moe::planning;

static llvm::Expected<std::shared_ptr<const TensorSource>>
openWeights(const SessionOptions &options) {
  if (options.weights.empty()) {
    return std::make_shared<RandomSource>(options.seed);
  }
  llvm::Expected<std::unique_ptr<SafetensorsSource>> files =
      SafetensorsSource::open(options.weights);
  if (!files) {
    return files.takeError();
  }
  return std::shared_ptr<const TensorSource>(std::move(*files));
}

llvm::Expected<std::unique_ptr<WeightStore>>
moe::runner::declareWeights(const ProgramLayout &layout,
                            const SessionOptions &options) {
  llvm::Expected<std::shared_ptr<const TensorSource>> source =
      openWeights(options);
  if (!source) {
    return source.takeError();
  }
  auto weights = std::make_unique<WeightStore>(
      std::move(*source), options.weightMemory, options.platform.target());
  for (const auto &[symbol, weight] : layout.weights) {
    if (llvm::Error error = weights->declare(symbol, weight)) {
      return std::move(error);
    }
  }
  return weights;
}

llvm::Expected<LoadedProgram> moe::runner::loadProgram(CompiledProgram program,
                                                       WeightStore &weights) {
  RankFrames::request(program.layout, weights);
  unsigned threads = llvm::hardware_concurrency().compute_thread_count();
  if (llvm::Error error = weights.load(threads)) {
    return std::move(error);
  }
  auto frames = std::make_unique<RankFrames>(program.layout, weights);
  return LoadedProgram{std::move(program), std::move(frames)};
}

/// The groups of ranks over `axes`.
static std::vector<std::vector<int32_t>> groupsOver(const ProgramLayout &layout,
                                                    const Axes &axes) {
  std::vector<std::vector<int32_t>> groups;
  for (const planning::DeviceGroup &group : layout.ranks.groups(axes)) {
    groups.emplace_back(group.begin(), group.end());
  }
  return groups;
}

void moe::runner::addGroups(const ProgramLayout &layout, RankSetup &setup) {
  for (const Axes &axes : layout.groups) {
    setup.groupSets.push_back(groupsOver(layout, axes));
    std::string name;
    for (const planning::AxisRef &axis : axes) {
      name += (name.empty() ? "" : ",") + axis.toString();
    }
    setup.groupNames.push_back(name);
  }
}
