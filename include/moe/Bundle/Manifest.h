// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a bundle says of its code, as plain data: for which CPU it is, what it
// expects of its callers, how its layers were planned.
#ifndef MOE_BUNDLE_MANIFEST_H
#define MOE_BUNDLE_MANIFEST_H

#include "moe/Runner/PlannedProgram.h"
#include "moe/Target/CPU/CPUTarget.h"
#include "moe/Target/CPU/PackedLayout.h"

#include <map>

namespace moe::bundle {

/// A `comm.mesh`: the device at each position of its axes.
struct MeshData {
  std::vector<planning::MeshAxis> axes;
  std::vector<int64_t> order;
};

/// The slots of experts that serve other cells than the first: runs of
/// (first cell, slot).
struct ReplicaData {
  int64_t expert = 0;
  int64_t cells = 0;
  std::vector<std::vector<int64_t>> runs;
};

struct PlacementEntry {
  runner::Axes axes;
  int64_t experts = 0;
  /// The expert in each slot of each rank, -1 for an empty one.
  std::vector<std::vector<int64_t>> slots;
  std::vector<ReplicaData> replicas;
  /// Slots that every rank's code works on.
  int64_t localSlots = 1;
};

/// A layer of experts and what its exchanges carry.
struct LayerData {
  /// See PlannedLayer.
  std::string name;
  std::optional<int64_t> number;
  int64_t experts = 0;
  /// Its own among the placements, and who chose it.
  std::string placement;
  std::string placementPolicy;
  /// What the layer's placement was when the code was compiled, where it has
  /// been replaced since.
  std::optional<PlacementEntry> replaced;
  planning::ExpertShares loads;
  runner::Axes tokenAxes;
  runner::Axes expertAxes;
  runner::Axes columnAxes;
  int64_t choices = 1;
  int64_t outputColumns = 0;
  int64_t outputElementBytes = 0;
  planning::ExchangeRequest dispatch;
  planning::ExchangeRequest combine;
};

/// What a program's callers must know beyond the plan.
struct ProgramData {
  /// The function to call.
  std::string entry;
  std::vector<runner::Handle> handles;
  std::vector<runner::Axes> groups;
  /// What the host brings, by name.
  std::vector<std::string> functions;
};

/// Bytes that one rank needs.
struct RankMemory {
  /// Packed weights in its slots and its parts of dense tensors.
  int64_t weights = 0;
  /// Rows that are sent and received at once: of the tokens that the module is
  /// bounded to, at the plan's bound.
  int64_t buffers = 0;
};

struct Manifest {
  /// Raised with every change that older readers would misunderstand.
  static constexpr int64_t currentVersion = 4;

  int64_t version = currentVersion;
  /// Of the project that wrote it, and of the runtime's C ABI that code calls.
  std::string project = currentProject().str();
  int64_t runtime = currentRuntime();
  mlir::moe::CPUTarget target;
  /// How the code reads weights that are packed.
  std::string packing = mlir::moe::PackedLayout::description;
  /// Exchanges are started early and waited for late.
  bool overlaps = true;
  runner::ProgramFacts facts;
  /// What it was planned with; see PlannedProgram::recordedOptions.
  std::map<std::string, std::string> options;
  MeshData mesh;
  /// As a `comm.topology`.
  std::string topology;
  std::vector<runner::Port> arguments;
  std::vector<runner::Port> results;
  std::map<std::string, runner::WeightSymbol> weights;
  std::map<std::string, PlacementEntry> placements;
  std::vector<LayerData> layers;
  /// By ProgramKind's name.
  std::map<std::string, ProgramData> programs;
  std::vector<RankMemory> memory;

  static llvm::StringRef currentProject();
  static int64_t currentRuntime();

  /// Indented, with a newline at the end.
  std::string toJson() const;
  /// Errors say in which place what is wrong. Another version, of the manifest,
  /// the project or the runtime, is refused before anything else is read.
  static llvm::Expected<Manifest> fromJson(llvm::StringRef text);

  /// A hash of all that compiling has fixed: of everything but where experts
  /// are. Each object of the bundle is stamped with it.
  std::string fingerprint() const;

  /// Takes over what a plan says.
  void setPlan(const runner::PlannedProgram &planned);
  /// What a session needs of the plan; fails where the data cannot be one.
  llvm::Expected<runner::PlannedProgram> plan() const;
  /// The plan's layout with a program's handles and groups, whose names exist.
  llvm::Expected<runner::ProgramLayout>
  layoutOf(runner::ProgramKind kind) const;
};

PlacementEntry toEntry(const runner::PlacementSymbol &symbol);
/// Fails unless the slots and replica tables are a placement of so many experts
/// over so many ranks that its local slots hold.
llvm::Expected<planning::Placement> toPlacement(const PlacementEntry &entry,
                                                int64_t ranks);

/// "program" and "reference".
llvm::StringRef nameOf(runner::ProgramKind kind);

} // namespace moe::bundle

#endif // MOE_BUNDLE_MANIFEST_H
