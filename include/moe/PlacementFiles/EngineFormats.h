//===- EngineFormats.h - Placements as serving engines have them *- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The formats that engines read, or, where an engine reads no file, the tables
// that its interface takes. docs/PlacementFormats.md cites where each is read.
//
//   moe-place     PlacementFile.h
//   eplb          what deepseek-ai/EPLB returns: {"phy2log": [layer][slot],
//                 "log2phy": [layer][expert][replica], "logcnt"}
//   vllm          the tables of vLLM's EplbState (it reads no file):
//                 {"physical_to_logical_map", "logical_to_physical_map",
//                 "logical_replica_count"}, a row for each layer with experts
//   vllm-ascend   vLLM Ascend's expert_map_path: {"moe_layer_count",
//                 "layer_list": [{"layer_id", "device_count", "device_list":
//                 [{"device_id", "device_expert"}]}]}
//   sglang        --init-expert-location: {"physical_to_logical_map"}, a row
//   for
//                 each layer of the model
//   tensorrt-llm  load_balancer of moe_config, YAML: num_slots,
//                 initial_global_assignments, layer_updates_per_iter
//   megatron      Megatron-LM reads no placement: rank r hosts the r-th run of
//                 consecutive experts, so experts are put into another order in
//                 the checkpoint: {"expert_model_parallel_size",
//                 "num_moe_experts", "expert_order": {layer: [position]
//                 expert}}
//
// All but the first two of them drop replica tables: engines share replicas out
// by themselves.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLACEMENTFILES_ENGINEFORMATS_H
#define MOE_PLACEMENTFILES_ENGINEFORMATS_H

#include "moe/PlacementFiles/PlacementFile.h"

namespace moe::placement {

enum class PlacementFormat {
  MoePlace,
  Eplb,
  Vllm,
  VllmAscend,
  Sglang,
  TensorRTLLM,
  Megatron
};

/// `moe-place`, `eplb`, `vllm`, `vllm-ascend`, `sglang`, `tensorrt-llm`,
/// `megatron`
llvm::StringRef toString(PlacementFormat format);
std::optional<PlacementFormat> parsePlacementFormat(llvm::StringRef name);
/// All of them, for errors: `moe-place, eplb, …`.
std::string knownPlacementFormats();

struct ExportOptions {
  /// Layers of the model, for formats that count those without experts; 0: up
  /// to the last that is placed.
  int64_t modelLayers = 0;
  /// What engines cannot leave empty gets another replica: the expert that
  /// brings the GPU the least load, as engines share replicas out equally;
  /// where loads are unknown, one of the most replicas.
  bool fillsEmptySlots = false;
};

struct ExportedPlacement {
  std::string text;
  /// What the format cannot say, or what was filled in.
  std::vector<std::string> notes;
};

/// Fails, naming layer and slot, on what the engine cannot have: empty slots
/// that are not to be filled, GPUs with different numbers of slots, replicas in
/// Megatron.
llvm::Expected<ExportedPlacement>
exportPlacement(const PlacementFile &planned, PlacementFormat format,
                const ExportOptions &options = {});

/// By the keys alone. Fails when it is none.
llvm::Expected<PlacementFormat> detectPlacementFormat(llvm::StringRef text);

/// Reads any of the formats. Where a format does not say how many GPUs there
/// are, `facts` must. Errors are one line that begins with the path.
llvm::Expected<PlacementFile> readPlacement(llvm::StringRef text,
                                            llvm::StringRef path,
                                            const ReaderFacts &facts = {});
/// The same from a file.
llvm::Expected<PlacementFile> openPlacement(llvm::StringRef path,
                                            const ReaderFacts &facts = {});

} // namespace moe::placement

#endif // MOE_PLACEMENTFILES_ENGINEFORMATS_H
