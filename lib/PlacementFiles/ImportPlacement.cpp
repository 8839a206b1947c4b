//===- ImportPlacement.cpp - Placements from engines ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NumberLists.h"
#include "SlotTable.h"
#include "moe/Formats/MappedFile.h"
#include "moe/PlacementFiles/EngineFormats.h"
#include "moe/Planning/Topology.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include <set>

using namespace moe::placement;
using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;
using moe::formats::JSONCursor;

static constexpr std::pair<PlacementFormat, llvm::StringLiteral> names[] = {
    {PlacementFormat::MoePlace, "moe-place"},
    {PlacementFormat::Eplb, "eplb"},
    {PlacementFormat::Vllm, "vllm"},
    {PlacementFormat::VllmAscend, "vllm-ascend"},
    {PlacementFormat::Sglang, "sglang"},
    {PlacementFormat::TensorRTLLM, "tensorrt-llm"},
    {PlacementFormat::Megatron, "megatron"}};

llvm::StringRef moe::placement::toString(PlacementFormat format) {
  return names[static_cast<size_t>(format)].second;
}

std::optional<PlacementFormat>
moe::placement::parsePlacementFormat(llvm::StringRef name) {
  for (const auto &[format, known] : names) {
    if (name == known) {
      return format;
    }
  }
  return std::nullopt;
}

std::string moe::placement::knownPlacementFormats() {
  std::string text;
  for (const auto &[format, name] : names) {
    text += text.empty() ? "" : ", ";
    text += name;
  }
  return text;
}

llvm::Expected<PlacementFormat>
moe::placement::detectPlacementFormat(llvm::StringRef text) {
  if (!text.ltrim().starts_with("{")) {
    if (text.contains("initial_global_assignments")) {
      return PlacementFormat::TensorRTLLM;
    }
    return createStringError("expected a placement: " +
                             knownPlacementFormats());
  }
  std::set<std::string> keys;
  JSONCursor cursor(text);
  llvm::Error error = cursor.object([&](llvm::StringRef key) {
    keys.insert(key.str());
    return cursor.skip();
  });
  if (error) {
    return std::move(error);
  }
  // More keys first: vLLM's tables have SGLang's key too.
  std::pair<llvm::StringLiteral, PlacementFormat> marks[] = {
      {"logical_replica_count", PlacementFormat::Vllm},
      {"physical_to_logical_map", PlacementFormat::Sglang},
      {"moe_layer_count", PlacementFormat::VllmAscend},
      {"expert_order", PlacementFormat::Megatron},
      {"phy2log", PlacementFormat::Eplb},
      {"initial_global_assignments", PlacementFormat::TensorRTLLM},
      {"layers", PlacementFormat::MoePlace}};
  for (const auto &[key, format] : marks) {
    if (keys.count(key.str())) {
      return format;
    }
  }
  return createStringError("expected the keys of a placement: " +
                           knownPlacementFormats());
}

//===----------------------------------------------------------------------===//
// From JSON to a table of slots
//===----------------------------------------------------------------------===//

static llvm::Error readTables(llvm::StringRef text, SlotTable &table) {
  JSONCursor cursor(text);
  llvm::Error error = cursor.object([&](llvm::StringRef key) -> llvm::Error {
    if (key == "physical_to_logical_map" || key == "phy2log") {
      llvm::Error failed = readLists(cursor, table.rows);
      return failed ? within(key, std::move(failed)) : std::move(failed);
    }
    if (key == "layers") {
      return readList(cursor, table.layers);
    }
    if (key == "num_gpus") {
      return assign(cursor.integer(), table.gpus);
    }
    if (key == "logcnt" || key == "logical_replica_count") {
      std::vector<std::vector<int64_t>> counts;
      if (llvm::Error failed = readLists(cursor, counts)) {
        return within(key, std::move(failed));
      }
      table.experts = counts.empty() ? 0 : counts.front().size();
      return llvm::Error::success();
    }
    return cursor.skip();
  });
  return error ? std::move(error) : cursor.end();
}

static llvm::Error readExpertMap(llvm::StringRef text, SlotTable &table) {
  JSONCursor cursor(text);
  auto readDevice = [&](std::vector<int64_t> &row) {
    ++table.gpus;
    return cursor.object([&](llvm::StringRef key) {
      return key == "device_expert" ? readList(cursor, row) : cursor.skip();
    });
  };
  auto readLayer = [&]() {
    std::vector<int64_t> &row = table.rows.emplace_back();
    table.gpus = 0;
    return cursor.object([&](llvm::StringRef key) {
      return key == "device_list"
                 ? cursor.array([&]() { return readDevice(row); })
                 : cursor.skip();
    });
  };
  llvm::Error error = cursor.object([&](llvm::StringRef key) {
    return key == "layer_list" ? cursor.array(readLayer) : cursor.skip();
  });
  return error ? std::move(error) : cursor.end();
}

static llvm::Error readOrders(llvm::StringRef text, SlotTable &table) {
  JSONCursor cursor(text);
  auto readOrder = [&](llvm::StringRef key) -> llvm::Error {
    int64_t layer = 0;
    if (key.getAsInteger(10, layer)) {
      return createStringError(formatv(
          "expert_order: expected a layer's number, but got '{0}'", key));
    }
    table.layers.push_back(layer);
    return readList(cursor, table.rows.emplace_back());
  };
  llvm::Error error = cursor.object([&](llvm::StringRef key) -> llvm::Error {
    return key == "expert_model_parallel_size"
               ? assign(cursor.integer(), table.gpus)
           : key == "num_moe_experts" ? assign(cursor.integer(), table.experts)
           : key == "expert_order"    ? cursor.object(readOrder)
                                      : cursor.skip();
  });
  return error ? std::move(error) : cursor.end();
}

//===----------------------------------------------------------------------===//
// From a table of slots to a placement
//===----------------------------------------------------------------------===//

static llvm::Expected<PlacementFile>
toFile(SlotTable &table, PlacementFormat format, const ReaderFacts &facts) {
  if (table.rows.empty()) {
    return createStringError("expected at least one layer");
  }
  if (!table.layers.empty() && table.layers.size() != table.rows.size()) {
    return createStringError(
        formatv("expected {0} numbers of layers, but got {1}",
                table.rows.size(), table.layers.size())
            .str());
  }
  int64_t gpus = table.gpus > 0 ? table.gpus : facts.gpus;
  if (gpus == 0) {
    return createStringError("expected the number of GPUs (--gpus), which "
                             "files of this format do not hold");
  }
  if (gpus > Topology::maxDevices) {
    return createStringError(formatv("expected at most {0} GPUs, but got {1}",
                                     Topology::maxDevices, gpus)
                                 .str());
  }
  int64_t experts = std::max(table.experts, facts.experts);
  for (const std::vector<int64_t> &row : table.rows) {
    for (int64_t expert : row) {
      experts = std::max(experts, expert + 1);
    }
  }
  PlacementFile file;
  file.policy = toString(format).str();
  file.problem.nodes = facts.nodes;
  std::map<int64_t, size_t> rowOfLayer;
  for (size_t index = 0; index < table.rows.size(); ++index) {
    int64_t layer = table.layers.empty() ? index : table.layers[index];
    if (!rowOfLayer.insert({layer, index}).second) {
      return createStringError(
          formatv("expected each layer once, but got layer {0} twice", layer)
              .str());
    }
  }
  for (auto [layer, row] : rowOfLayer) {
    LayerEntry &entry = file.layers.emplace_back();
    entry.layer = layer;
    if (llvm::Error error = assign(
            placementOfSlots(table.rows[row], gpus, experts), entry.data)) {
      return within(formatv("layer {0}", layer), std::move(error));
    }
  }
  return file;
}

llvm::Expected<PlacementFile>
moe::placement::readPlacement(llvm::StringRef text, llvm::StringRef path,
                              const ReaderFacts &facts) {
  llvm::Expected<PlacementFormat> format = detectPlacementFormat(text);
  if (!format) {
    return inFile(path, format.takeError());
  }
  if (*format == PlacementFormat::MoePlace) {
    return parsePlacement(text, path, facts);
  }
  SlotTable table;
  llvm::Error error = llvm::Error::success();
  if (*format == PlacementFormat::TensorRTLLM) {
    error = readAssignments(text, table);
  } else if (*format == PlacementFormat::VllmAscend) {
    error = readExpertMap(text, table);
  } else if (*format == PlacementFormat::Megatron) {
    error = readOrders(text, table);
  } else {
    error = readTables(text, table);
  }
  if (error) {
    return inFile(path, std::move(error));
  }
  llvm::Expected<PlacementFile> file = toFile(table, *format, facts);
  return file ? std::move(file) : inFile(path, file.takeError());
}

llvm::Expected<PlacementFile>
moe::placement::openPlacement(llvm::StringRef path, const ReaderFacts &facts) {
  if (path == "-") {
    auto text = llvm::MemoryBuffer::getSTDIN();
    if (!text) {
      return createStringError("standard input: " + text.getError().message());
    }
    return readPlacement((*text)->getBuffer(), "<stdin>", facts);
  }
  llvm::Expected<formats::MappedFile> file = formats::MappedFile::open(path);
  if (!file) {
    return file.takeError();
  }
  return readPlacement(file->bytes(), path, facts);
}
