//===- PlacementFile.h - Placements with their figures ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What moe-place writes and reads back: for each layer which expert is in each
// slot, and figures that anybody can count again.
//
//   {"policy", "objective",
//    "problem": {"experts", "slots", "gpus", "nodes", "groups", "tokens",
//                "choices", "hidden", "dtype", "topology"},
//    "constants": {name: {"value", "unit", "source", "basis"}},
//    "notes": […],
//    "layers": [{
//      "layer"            the model's number
//      "phy2log"          [slot] expert, -1 in an empty slot
//      "log2phy"          [expert][replica] slot, ascending, then -1
//      "logcnt"           [expert] replicas
//      "slot_to_gpu"      [slot] GPU, ascending
//      "replica_tables"   [{"expert", "runs": [[first cell, slot], …]}]; an
//                         expert without one is split equally
//      "expert_load"      [expert], in the unit of the loads
//      "gpu_load"         [GPU], in the unit of the loads
//      …                  the figures of LayerFigures
//      "bound_argument"   what proves the lower bound
//      "notes"}, …]}
//
// Only "layers" with "phy2log" is needed to read a file, and "slot_to_gpu" or
// the number of GPUs. Unknown figures are null; unknown keys are ignored.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLACEMENTFILES_PLACEMENTFILE_H
#define MOE_PLACEMENTFILES_PLACEMENTFILE_H

#include "moe/Planning/CostConstants.h"
#include "moe/Planning/Placement.h"
#include "llvm/Support/JSON.h"
#include <optional>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace moe::placement {

/// What is said of a layer beside its placement; empty where it is unknown.
/// Which of them there are, and what JSON calls them: `figureNames`.
struct LayerFigures {
  /// One a GPU, in the unit of the loads.
  std::vector<double> gpuLoad;
  /// The three ways in which engines measure imbalance: the largest load over
  /// the mean, the mean over the largest (vLLM), and what the largest is above
  /// the mean, over the mean (TensorRT-LLM).
  std::optional<double> maxOverMean;
  std::optional<double> meanOverMax;
  std::optional<double> excessOverMean;
  /// Payload of dispatch and combine that changes the node.
  std::optional<double> crossNodeBytes;
  /// Microseconds: dispatch and combine, and the experts of the slowest GPU.
  std::optional<double> exchangeUs;
  std::optional<double> computeUs;
  /// What no placement is below, in the unit of the loads and in microseconds.
  std::optional<double> lowerBoundLoad;
  std::optional<double> lowerBoundUs;
  /// (value - bound) / bound in the objective.
  std::optional<double> gap;
};

/// A figure that is one number, and its key in JSON.
struct FigureName {
  llvm::StringRef key;
  std::optional<double> LayerFigures::*member;
};

/// In the order in which files have them.
llvm::ArrayRef<FigureName> figureNames();

struct LayerEntry {
  int64_t layer = 0;
  planning::PlacementData data;
  /// One an expert, in the unit of the loads; empty where they are unknown.
  std::vector<double> expertLoad;
  LayerFigures figures;
  std::string boundArgument;
  std::vector<std::string> notes;
  /// As a file states them, for verification; empty where it does not.
  std::optional<std::vector<std::vector<int64_t>>> statedLog2phy;
  std::optional<std::vector<int64_t>> statedLogcnt;
};

/// What the placements are for; 0 or empty where it is unknown.
struct ProblemFacts {
  int64_t nodes = 0;
  int64_t groups = 1;
  /// Of a step over all GPUs, experts that a token takes, and the size of a row
  /// in elements of the dtype.
  int64_t tokens = 0;
  int64_t choices = 0;
  int64_t hidden = 0;
  std::string dtype;
  std::string topology;
};

struct PlacementFile {
  /// A policy's name, or who else made it; empty where nobody says.
  std::string policy;
  /// `load`, `time`, or empty.
  std::string objective;
  ProblemFacts problem;
  /// What the times rest on.
  std::vector<planning::CostConstant> constants;
  std::vector<std::string> notes;
  /// By ascending layer; all over the same GPUs.
  std::vector<LayerEntry> layers;

  int64_t gpus() const { return layers.front().data.rankCount(); }
  int64_t experts() const { return layers.front().data.expertCount; }
  int64_t slots() const;
  /// Null where the layer is not in it.
  const LayerEntry *find(int64_t layer) const;
};

/// What a file may leave to its reader; 0 where the reader does not know.
struct ReaderFacts {
  int64_t gpus = 0;
  int64_t nodes = 0;
  int64_t experts = 0;
};

/// Reads the JSON above. Errors are one line that begins with the path, and
/// name the layer and the field. What is read is not verified: see
/// planning::verify and verifyPlacement.
llvm::Expected<PlacementFile> parsePlacement(llvm::StringRef text,
                                             llvm::StringRef path,
                                             const ReaderFacts &facts = {});

/// A key of a file beside its own.
struct ExtraKey {
  llvm::StringRef key;
  llvm::json::Value value;
};

void writePlacement(const PlacementFile &file, llvm::raw_ostream &os,
                    llvm::ArrayRef<ExtraKey> extras = {});
/// One as above; several as {"placements": [file, …]}.
void writePlacements(llvm::ArrayRef<PlacementFile> files,
                     llvm::raw_ostream &os);

//===----------------------------------------------------------------------===//
// The lists of EPLB
//===----------------------------------------------------------------------===//

/// [slot] expert.
std::vector<int64_t> phy2log(const planning::PlacementData &data);
/// [slot] rank.
std::vector<int64_t> slotToGpu(const planning::PlacementData &data);
/// [expert] the number of slots that hold it.
std::vector<int64_t> logcnt(const planning::PlacementData &data);
/// [expert][replica] slot, ascending; all as long as the longest, the rest -1.
std::vector<std::vector<int64_t>> log2phy(const planning::PlacementData &data);

/// The placement that a list of experts by slot stands for, with the same
/// number of slots on each of `gpus` ranks. Fails, in one line, where they do
/// not divide, and on numbers that are no experts. `experts` of 0: one more
/// than the largest.
llvm::Expected<planning::PlacementData>
placementOfSlots(llvm::ArrayRef<int64_t> phy2log, int64_t gpus,
                 int64_t experts = 0);

} // namespace moe::placement

#endif // MOE_PLACEMENTFILES_PLACEMENTFILE_H
