//===- Workload.h - Loads on a cluster, layer by layer ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What moe-place places: the loads of some layers, the slots and GPUs that
// serve them, and, where they are known, the cluster and the size of what
// travels. Files and flags say it twice at times; where they disagree, that is
// an error.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLACEMENTTOOL_WORKLOAD_H
#define MOE_PLACEMENTTOOL_WORKLOAD_H

#include "moe/Model/ModelShape.h"
#include "moe/PlacementFiles/PlacementFile.h"
#include "moe/Planning/CostConstants.h"
#include "moe/Planning/LoadProfile.h"
#include "moe/Planning/PlacementProblem.h"
#include "moe/TopologyFiles/TopologyFile.h"

namespace moe::placement {

/// What the user says. 0 and empty stand for what files say, or for nothing.
struct WorkloadOptions {
  /// Empty: every expert gets as much.
  std::string loads;
  planning::LoadSelection selection;
  /// The model's numbers of the layers to place; empty: those of the loads.
  std::vector<int64_t> layers;
  int64_t experts = 0;
  /// Of all GPUs together; 0: one for each expert.
  int64_t slots = 0;
  int64_t gpus = 0;
  int64_t nodes = 0;
  int64_t groups = 1;
  /// A file of any format of TopologyFile.h. One that describes a machine is
  /// repeated for each node.
  std::string topology;
  topology::TopologyOptions machine;
  /// A model's config.json.
  std::string config;
  int64_t tokens = 0;
  int64_t choices = 0;
  int64_t hidden = 0;
  /// Of one expert.
  int64_t width = 0;
  /// Of an activation on the wire: `bf16`, `f16`, `f32`, `fp8`.
  std::string dtype;
  /// Sequences over all devices, and tokens of each in the cache.
  int64_t sequences = 0;
  int64_t context = 0;
};

struct LayerWork {
  int64_t layer = 0;
  planning::PlacementProblem problem;
  /// Nothing is known of the layer's loads.
  bool isAssumedUniform = false;
};

struct Workload {
  std::vector<LayerWork> layers;
  ProblemFacts facts;
  /// Of the model, where a configuration is given.
  std::optional<model::ModelShape> shape;
  /// Null where nothing is known of links.
  std::shared_ptr<const planning::Topology> topology;
  planning::CostConstants constants;
  /// What an expert has to do; zeros where nothing says how large it is.
  planning::ExpertWork work;
  /// Bytes of a row on the way to its expert, and back; 0 where unknown.
  int64_t dispatchRowBytes = 0;
  int64_t combineRowBytes = 0;
  /// What a reader should know: what is assumed and what was not said.
  std::vector<std::string> notes;

  int64_t gpus() const { return layers.front().problem.ranks(); }
  int64_t experts() const { return layers.front().problem.experts(); }
  /// One expert's weights with their scales, in one layer; 0 where unknown.
  planning::Bytes expertWeight() const { return work.weightBytes; }
  /// Whether the bytes of an exchange are known.
  bool knowsBytes() const { return facts.tokens > 0 && dispatchRowBytes > 0; }
  /// Whether links are known too, and so times.
  bool knowsTimes() const { return knowsBytes() && topology; }
  /// Null where the layer is not placed.
  const LayerWork *find(int64_t layer) const;
};

/// Sets what an expert and a row weigh, and gives every problem its deployment
/// where times are known.
void deploy(const WorkloadOptions &options, Workload &workload);

/// Fails where the model of the workload does not fit into the memory of its
/// GPUs: by how much, and on how many it would. Nothing where no configuration
/// is given.
llvm::Error expectFits(const WorkloadOptions &options,
                       const Workload &workload);

/// Reads the files and puts all together. Errors are one line that names the
/// file or the flag.
llvm::Expected<Workload> readWorkload(const WorkloadOptions &options);

/// Bytes of an element; 0 for a dtype that is none.
int64_t elementBytes(llvm::StringRef dtype);

/// A cluster as flags and a file describe it.
struct Cluster {
  std::shared_ptr<const planning::Topology> topology;
  planning::CostConstants constants;
  int64_t gpus = 0;
  int64_t nodes = 1;
  /// Whether a flag or the topology says how many nodes there are.
  bool knowsNodes = false;
  std::vector<std::string> notes;
};

/// Fails where file, `gpus` and `nodes` disagree, and where nothing says how
/// many GPUs there are.
llvm::Expected<Cluster> readCluster(const WorkloadOptions &options);

} // namespace moe::placement

#endif // MOE_PLACEMENTTOOL_WORKLOAD_H
