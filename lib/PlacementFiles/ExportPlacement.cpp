//===- ExportPlacement.cpp - Placements to engines ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementFiles/EngineFormats.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <set>

using namespace moe::placement;
using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;
namespace json = llvm::json;

using Lists = std::vector<std::vector<int64_t>>;

static json::Value toJson(llvm::ArrayRef<int64_t> list) {
  return json::Array(list);
}

static json::Value toJson(const Lists &lists) {
  json::Array array;
  for (const std::vector<int64_t> &list : lists) {
    array.push_back(toJson(llvm::ArrayRef(list)));
  }
  return array;
}

/// One list of `get` for each layer.
template <typename Get>
static json::Value byLayer(const PlacementFile &file, Get get) {
  json::Array array;
  for (const LayerEntry &entry : file.layers) {
    array.push_back(toJson(get(entry.data)));
  }
  return array;
}

/// `{"a": …,\n "b": …}`: a key a line.
static std::string
writeKeys(llvm::ArrayRef<std::pair<llvm::StringRef, json::Value>> keys) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::StringRef before = "{";
  for (const auto &[key, value] : keys) {
    os << before << '"' << key << "\": " << value;
    before = ",\n ";
  }
  os << "}\n";
  return text;
}

//===----------------------------------------------------------------------===//
// What engines can have
//===----------------------------------------------------------------------===//

/// Every slot must hold an expert, and every GPU as many slots, in all layers.
static llvm::Error expectFullSlots(const PlacementFile &file,
                                   PlacementFormat format) {
  size_t slots = file.layers.front().data.expertsByRank.front().size();
  for (const LayerEntry &entry : file.layers) {
    for (auto [rank, experts] : llvm::enumerate(entry.data.expertsByRank)) {
      if (experts.size() != slots) {
        return createStringError(
            formatv("layer {0}: {1} needs as many slots on every GPU, but GPU "
                    "{2} has {3} and GPU 0 of the first layer {4}",
                    entry.layer, toString(format), rank, experts.size(), slots)
                .str());
      }
      auto empty = llvm::find(experts, -1);
      if (empty != experts.end()) {
        return createStringError(
            formatv("layer {0}: {1} needs an expert in every slot, but slot "
                    "{2} of GPU {3} is empty (--fill-empty-slots fills it)",
                    entry.layer, toString(format), empty - experts.begin(),
                    rank)
                .str());
      }
    }
  }
  return llvm::Error::success();
}

/// The expert that a GPU which does not have it would get the least load of;
/// none where it has all.
static std::optional<int64_t> lightestReplica(const LayerEntry &entry,
                                              llvm::ArrayRef<int64_t> hosted) {
  std::vector<int64_t> counts = logcnt(entry.data);
  std::optional<int64_t> best;
  double least = 0;
  for (int64_t expert = 0; expert < entry.data.expertCount; ++expert) {
    double load = entry.expertLoad.empty() ? 1 : entry.expertLoad[expert];
    double share = load / static_cast<double>(counts[expert] + 1);
    if (!llvm::is_contained(hosted, expert) && (!best || share < least)) {
      best = expert;
      least = share;
    }
  }
  return best;
}

static void fillEmptySlots(LayerEntry &entry, std::vector<std::string> &notes) {
  for (auto [gpu, experts] : llvm::enumerate(entry.data.expertsByRank)) {
    for (auto [slot, expert] : llvm::enumerate(experts)) {
      std::optional<int64_t> filler =
          expert < 0 ? lightestReplica(entry, experts) : std::nullopt;
      if (filler) {
        expert = *filler;
        notes.push_back(formatv(
            "layer {0}: slot {1} of GPU {2} was empty and has a replica "
            "of expert {3}",
            entry.layer, slot, gpu, expert));
      }
    }
  }
}

/// What engines decide by themselves.
static void noteTables(const PlacementFile &file, PlacementFormat format,
                       std::vector<std::string> &notes) {
  bool hasTables = llvm::any_of(file.layers, [](const LayerEntry &entry) {
    return !entry.data.replicaTables.empty();
  });
  if (hasTables) {
    notes.push_back(
        formatv("{0} shares replicas out by itself: the shares that were "
                "planned are not in the file",
                toString(format)));
  }
}

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

static json::Value layerNumbers(const PlacementFile &file) {
  json::Array array;
  for (const LayerEntry &entry : file.layers) {
    array.push_back(entry.layer);
  }
  return array;
}

static std::string writeEplb(const PlacementFile &file) {
  return writeKeys({{"layers", layerNumbers(file)},
                    {"num_gpus", file.gpus()},
                    {"phy2log", byLayer(file, phy2log)},
                    {"log2phy", byLayer(file, log2phy)},
                    {"logcnt", byLayer(file, logcnt)}});
}

/// As wide as one expert with all spare slots would need.
static Lists widestLog2phy(const PlacementData &data) {
  Lists lists = log2phy(data);
  size_t width = phy2log(data).size() - data.expertCount + 1;
  for (std::vector<int64_t> &list : lists) {
    list.resize(width, -1);
  }
  return lists;
}

static std::string writeVllm(const PlacementFile &file) {
  return writeKeys({{"physical_to_logical_map", byLayer(file, phy2log)},
                    {"logical_to_physical_map", byLayer(file, widestLog2phy)},
                    {"logical_replica_count", byLayer(file, logcnt)}});
}

static std::string writeVllmAscend(const PlacementFile &file) {
  json::Array layers;
  for (auto [index, entry] : llvm::enumerate(file.layers)) {
    json::Array devices;
    for (auto [rank, experts] : llvm::enumerate(entry.data.expertsByRank)) {
      devices.push_back(
          json::Object{{"device_id", int64_t(rank)},
                       {"device_expert", toJson(llvm::ArrayRef(experts))}});
    }
    layers.push_back(json::Object{{"layer_id", int64_t(index)},
                                  {"device_count", file.gpus()},
                                  {"device_list", std::move(devices)}});
  }
  return writeKeys({{"moe_layer_count", int64_t(file.layers.size())},
                    {"layer_list", std::move(layers)}});
}

/// SGLang counts every layer of the model; those that are not placed get its
/// own trivial placement, which layers without experts never look at.
static llvm::Expected<ExportedPlacement>
writeSglang(const PlacementFile &file, const ExportOptions &options) {
  int64_t last = file.layers.back().layer;
  int64_t count = options.modelLayers == 0 ? last + 1 : options.modelLayers;
  if (count <= last) {
    return createStringError(
        formatv("expected a model of at least {0} layers, but got {1}",
                last + 1, count)
            .str());
  }
  ExportedPlacement result;
  json::Array rows;
  int64_t filled = 0;
  for (int64_t layer = 0; layer < count; ++layer) {
    if (const LayerEntry *entry = file.find(layer)) {
      rows.push_back(toJson(llvm::ArrayRef(phy2log(entry->data))));
      continue;
    }
    ++filled;
    json::Array row;
    for (int64_t slot = 0; slot < file.slots(); ++slot) {
      row.push_back(slot % file.experts());
    }
    rows.push_back(std::move(row));
  }
  if (filled > 0) {
    result.notes.push_back(
        formatv("sglang has a row for every layer of the model: {0} layers "
                "without a placement have experts in order",
                filled));
  }
  result.text = writeKeys({{"physical_to_logical_map", std::move(rows)}});
  return result;
}

static std::string writeTensorRTLLM(const PlacementFile &file) {
  std::string text = "initial_global_assignments:\n";
  llvm::raw_string_ostream os(text);
  for (const LayerEntry &entry : file.layers) {
    os << "  " << entry.layer << ": [";
    llvm::interleaveComma(phy2log(entry.data), os);
    os << "]\n";
  }
  os << "layer_updates_per_iter: 0\n"
     << "num_slots: " << file.slots() << '\n';
  return text;
}

static llvm::Expected<std::string> writeMegatron(const PlacementFile &file) {
  json::Object orders;
  for (const LayerEntry &entry : file.layers) {
    std::vector<int64_t> order = phy2log(entry.data);
    std::set<int64_t> distinct(order.begin(), order.end());
    if (distinct.size() != order.size()) {
      return createStringError(
          formatv("layer {0}: megatron has no replicas, but got {1} slots for "
                  "{2} experts",
                  entry.layer, order.size(), distinct.size())
              .str());
    }
    orders[std::to_string(entry.layer)] = toJson(llvm::ArrayRef(order));
  }
  return writeKeys({{"expert_model_parallel_size", file.gpus()},
                    {"num_moe_experts", file.experts()},
                    {"expert_order", std::move(orders)}});
}

llvm::Expected<ExportedPlacement>
moe::placement::exportPlacement(const PlacementFile &planned,
                                PlacementFormat format,
                                const ExportOptions &options) {
  ExportedPlacement result;
  if (format == PlacementFormat::MoePlace) {
    llvm::raw_string_ostream os(result.text);
    writePlacement(planned, os);
    return result;
  }
  PlacementFile file = planned;
  std::vector<std::string> filled;
  if (options.fillsEmptySlots) {
    for (LayerEntry &entry : file.layers) {
      fillEmptySlots(entry, filled);
    }
  }
  if (llvm::Error error = expectFullSlots(file, format)) {
    return std::move(error);
  }
  if (format == PlacementFormat::Sglang) {
    llvm::Expected<ExportedPlacement> written = writeSglang(file, options);
    if (!written) {
      return written.takeError();
    }
    result = std::move(*written);
  } else if (format == PlacementFormat::Megatron) {
    llvm::Expected<std::string> written = writeMegatron(file);
    if (!written) {
      return written.takeError();
    }
    result.text = std::move(*written);
  } else {
    result.text = format == PlacementFormat::Eplb   ? writeEplb(file)
                  : format == PlacementFormat::Vllm ? writeVllm(file)
                  : format == PlacementFormat::VllmAscend
                      ? writeVllmAscend(file)
                      : writeTensorRTLLM(file);
  }
  llvm::append_range(result.notes, filled);
  noteTables(file, format, result.notes);
  return result;
}
