//===- ReadPlacement.cpp - Placements from JSON ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NumberLists.h"
#include "moe/PlacementFiles/PlacementFile.h"
#include "moe/Planning/Topology.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::placement;
using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;
using moe::formats::JSONCursor;

namespace {
/// A layer as it stands in the file.
struct StatedLayer {
  LayerEntry entry;
  std::optional<std::vector<int64_t>> phy2log;
  std::optional<std::vector<int64_t>> slotToGpu;
  /// Runs by expert, before the number of cells is known.
  std::map<int64_t, std::vector<ReplicaTable::Run>> runs;
  bool hasNumber = false;
};

struct StatedFile {
  PlacementFile file;
  std::vector<StatedLayer> layers;
  bool hasLayers = false;
  int64_t gpus = 0;
  int64_t experts = 0;
};
} // namespace

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// A number, or nothing for null.
static llvm::Error readFigure(JSONCursor &cursor,
                              std::optional<double> &figure) {
  if (cursor.peek() == 'n') {
    return cursor.skip();
  }
  llvm::Expected<double> number = cursor.number();
  if (!number) {
    return number.takeError();
  }
  figure = *number;
  return llvm::Error::success();
}

/// A string, or nothing for null.
static llvm::Error readText(JSONCursor &cursor, std::string &text) {
  if (cursor.peek() == 'n') {
    return cursor.skip();
  }
  return assign(cursor.string(), text);
}

/// An integer, or nothing for null.
static llvm::Error readCount(JSONCursor &cursor, int64_t &count) {
  if (cursor.peek() == 'n') {
    return cursor.skip();
  }
  return assign(cursor.integer(), count);
}

static llvm::Error readNotes(JSONCursor &cursor,
                             std::vector<std::string> &notes) {
  return cursor.array(
      [&]() { return assign(cursor.string(), notes.emplace_back()); });
}

/// [[first cell, slot], …]
static llvm::Error readRuns(JSONCursor &cursor,
                            std::vector<ReplicaTable::Run> &runs) {
  std::vector<std::vector<int64_t>> pairs;
  if (llvm::Error error = readLists(cursor, pairs)) {
    return error;
  }
  for (const std::vector<int64_t> &pair : pairs) {
    if (pair.size() != 2) {
      return createStringError(
          formatv("expected runs of two numbers, but got {0}", pair.size())
              .str());
    }
    runs.push_back({pair[0], pair[1]});
  }
  return llvm::Error::success();
}

static llvm::Error readTables(JSONCursor &cursor, StatedLayer &layer) {
  if (cursor.peek() == 'n') {
    return cursor.skip();
  }
  return cursor.array([&]() -> llvm::Error {
    int64_t expert = -1;
    std::vector<ReplicaTable::Run> runs;
    llvm::Error error = cursor.object([&](llvm::StringRef key) {
      return key == "expert" ? readCount(cursor, expert)
             : key == "runs" ? readRuns(cursor, runs)
                             : cursor.skip();
    });
    if (error) {
      return error;
    }
    if (!layer.runs.insert({expert, std::move(runs)}).second) {
      return createStringError(
          formatv("expected one table an expert, but expert {0} has two",
                  expert)
              .str());
    }
    return llvm::Error::success();
  });
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

/// One key of a layer; the cursor stands on its value.
static llvm::Error readLayerKey(JSONCursor &cursor, llvm::StringRef key,
                                StatedLayer &layer) {
  LayerEntry &entry = layer.entry;
  for (const FigureName &figure : figureNames()) {
    if (key == figure.key) {
      return readFigure(cursor, entry.figures.*figure.member);
    }
  }
  if (key == "layer") {
    layer.hasNumber = true;
    return readCount(cursor, entry.layer);
  }
  if (key == "phy2log") {
    return readList(cursor, layer.phy2log.emplace());
  }
  if (key == "slot_to_gpu") {
    return readOptionalList(cursor, layer.slotToGpu);
  }
  if (key == "logcnt") {
    return readOptionalList(cursor, entry.statedLogcnt);
  }
  if (key == "log2phy") {
    return cursor.peek() == 'n'
               ? cursor.skip()
               : readLists(cursor, entry.statedLog2phy.emplace());
  }
  if (key == "replica_tables") {
    return readTables(cursor, layer);
  }
  if (key == "expert_load") {
    return readNumbers(cursor, entry.expertLoad);
  }
  if (key == "gpu_load") {
    return readNumbers(cursor, entry.figures.gpuLoad);
  }
  if (key == "bound_argument") {
    return readText(cursor, entry.boundArgument);
  }
  return key == "notes" ? readNotes(cursor, entry.notes) : cursor.skip();
}

static llvm::Error readLayer(JSONCursor &cursor, StatedLayer &layer) {
  return cursor.object([&](llvm::StringRef key) -> llvm::Error {
    llvm::Error error = readLayerKey(cursor, key, layer);
    return error ? within(formatv("layer {0}: {1}", layer.entry.layer, key),
                          std::move(error))
                 : llvm::Error::success();
  });
}

static llvm::Error readProblem(JSONCursor &cursor, StatedFile &stated) {
  ProblemFacts &problem = stated.file.problem;
  return cursor.object([&](llvm::StringRef key) -> llvm::Error {
    std::pair<llvm::StringRef, int64_t *> counts[] = {
        {"nodes", &problem.nodes},   {"groups", &problem.groups},
        {"tokens", &problem.tokens}, {"choices", &problem.choices},
        {"hidden", &problem.hidden}, {"gpus", &stated.gpus},
        {"experts", &stated.experts}};
    for (auto [name, count] : counts) {
      if (key == name) {
        return readCount(cursor, *count);
      }
    }
    return key == "dtype"      ? readText(cursor, problem.dtype)
           : key == "topology" ? readText(cursor, problem.topology)
                               : cursor.skip();
  });
}

static llvm::Error readConstant(JSONCursor &cursor, llvm::StringRef name,
                                PlacementFile &file) {
  CostConstant constant;
  constant.name = name.str();
  constant.basis = ConstantBasis::User;
  llvm::Error error = cursor.object([&](llvm::StringRef key) {
    return key == "value"    ? assign(cursor.number(), constant.value)
           : key == "unit"   ? readText(cursor, constant.unit)
           : key == "source" ? readText(cursor, constant.source)
                             : cursor.skip();
  });
  file.constants.push_back(std::move(constant));
  return error;
}

static llvm::Error readFileKey(JSONCursor &cursor, llvm::StringRef key,
                               StatedFile &stated) {
  if (key == "policy") {
    return readText(cursor, stated.file.policy);
  }
  if (key == "objective") {
    return readText(cursor, stated.file.objective);
  }
  if (key == "problem") {
    return readProblem(cursor, stated);
  }
  if (key == "constants") {
    return cursor.object([&](llvm::StringRef name) {
      return readConstant(cursor, name, stated.file);
    });
  }
  if (key == "notes") {
    return readNotes(cursor, stated.file.notes);
  }
  if (key != "layers") {
    return cursor.skip();
  }
  stated.hasLayers = true;
  return cursor.array([&]() {
    StatedLayer &layer = stated.layers.emplace_back();
    layer.entry.layer = stated.layers.size() - 1;
    return readLayer(cursor, layer);
  });
}

//===----------------------------------------------------------------------===//
// What it means
//===----------------------------------------------------------------------===//

/// The number of experts that a layer states, in whatever list.
static int64_t expertsOf(const StatedLayer &layer, int64_t otherwise) {
  const LayerEntry &entry = layer.entry;
  if (entry.statedLogcnt) {
    return entry.statedLogcnt->size();
  }
  if (entry.statedLog2phy) {
    return entry.statedLog2phy->size();
  }
  if (!entry.expertLoad.empty()) {
    return entry.expertLoad.size();
  }
  if (otherwise > 0) {
    return otherwise;
  }
  int64_t most = -1;
  for (int64_t expert : *layer.phy2log) {
    most = std::max(most, expert);
  }
  return most + 1;
}

/// The experts of each GPU, by `slot_to_gpu`.
static llvm::Error distribute(const StatedLayer &layer, int64_t gpus,
                              PlacementData &data) {
  llvm::ArrayRef<int64_t> slots = *layer.phy2log, owners = *layer.slotToGpu;
  if (owners.size() != slots.size()) {
    return createStringError(
        formatv("slot_to_gpu: expected {0} slots as in phy2log, but got {1}",
                slots.size(), owners.size())
            .str());
  }
  for (int64_t owner : owners) {
    gpus = std::max(gpus, owner + 1);
  }
  if (gpus > Topology::maxDevices) {
    return createStringError(
        formatv("slot_to_gpu: expected at most {0} GPUs, but got {1}",
                Topology::maxDevices, gpus)
            .str());
  }
  data.expertsByRank.resize(gpus);
  for (auto [slot, owner] : llvm::enumerate(owners)) {
    if (owner < (slot == 0 ? 0 : owners[slot - 1])) {
      return createStringError(
          formatv("slot_to_gpu: expected GPUs in ascending order, but slot {0} "
                  "is on GPU {1}",
                  slot, owner)
              .str());
    }
    data.expertsByRank[owner].push_back(slots[slot]);
  }
  return llvm::Error::success();
}

static llvm::Error setTables(const StatedLayer &layer, PlacementData &data) {
  int64_t cells = data.rankCount() * tokenClasses;
  for (const auto &[expert, runs] : layer.runs) {
    int64_t next = 0;
    for (const ReplicaTable::Run &run : runs) {
      if (run.begin < next || run.begin >= cells ||
          (next == 0 && run.begin != 0)) {
        return createStringError(
            formatv("replica_tables: expert {0}: expected runs that begin at "
                    "0, ascend and end below {1}, but got {2}",
                    expert, cells, run.begin)
                .str());
      }
      next = run.begin + 1;
    }
    if (runs.empty()) {
      return createStringError(
          formatv("replica_tables: expert {0}: expected at least one run",
                  expert)
              .str());
    }
    data.replicaTables[expert] = ReplicaTable(cells, runs);
  }
  return llvm::Error::success();
}

static llvm::Error setData(StatedLayer &layer, const StatedFile &stated,
                           const ReaderFacts &facts) {
  if (!layer.phy2log) {
    return createStringError("expected a list 'phy2log'");
  }
  int64_t experts = expertsOf(layer, std::max(facts.experts, stated.experts));
  int64_t gpus = std::max(stated.gpus, facts.gpus);
  PlacementData &data = layer.entry.data;
  if (layer.slotToGpu) {
    data.expertCount = experts;
    if (llvm::Error error = distribute(layer, gpus, data)) {
      return error;
    }
  } else if (gpus == 0) {
    return createStringError("expected a list 'slot_to_gpu', or --gpus");
  } else if (llvm::Error error = assign(
                 placementOfSlots(*layer.phy2log, gpus, experts), data)) {
    return within("phy2log", std::move(error));
  }
  return setTables(layer, data);
}

static llvm::Error finish(StatedFile &stated, const ReaderFacts &facts) {
  if (stated.layers.empty()) {
    return createStringError(stated.hasLayers
                                 ? "layers: expected at least one layer"
                                 : "expected an object with 'layers'");
  }
  PlacementFile &file = stated.file;
  for (StatedLayer &layer : stated.layers) {
    if (llvm::Error error = setData(layer, stated, facts)) {
      return within(formatv("layer {0}", layer.entry.layer), std::move(error));
    }
    if (!file.layers.empty() && layer.entry.layer <= file.layers.back().layer) {
      return createStringError(
          formatv("layers: expected ascending layers, but got {0} after {1}",
                  layer.entry.layer, file.layers.back().layer)
              .str());
    }
    file.layers.push_back(std::move(layer.entry));
    if (file.layers.back().data.rankCount() != file.gpus()) {
      return createStringError(
          formatv("layer {0}: expected a placement over {1} GPUs as in layer "
                  "{2}, but got {3}",
                  file.layers.back().layer, file.gpus(),
                  file.layers.front().layer,
                  file.layers.back().data.rankCount())
              .str());
    }
  }
  if (file.problem.nodes == 0) {
    file.problem.nodes = facts.nodes;
  }
  return llvm::Error::success();
}

llvm::Expected<PlacementFile>
moe::placement::parsePlacement(llvm::StringRef text, llvm::StringRef path,
                               const ReaderFacts &facts) {
  StatedFile stated;
  JSONCursor cursor(text);
  llvm::Error error = cursor.object(
      [&](llvm::StringRef key) { return readFileKey(cursor, key, stated); });
  if (!error) {
    error = cursor.end();
  }
  if (!error) {
    error = finish(stated, facts);
  }
  if (error) {
    return inFile(path, std::move(error));
  }
  return std::move(stated.file);
}
