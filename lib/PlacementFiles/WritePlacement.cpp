//===- WritePlacement.cpp - Placements to JSON ----------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One key a line, lists on the line of their key: files of many layers can be
// read, searched and compared line by line.
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementFiles/PlacementFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::placement;
using namespace moe::planning;
namespace json = llvm::json;

/// Whole numbers are written without a fraction.
static json::Value toJson(double value) {
  constexpr double largest = 9007199254740992.0;
  if (value == static_cast<double>(static_cast<int64_t>(value)) &&
      value > -largest && value < largest) {
    return static_cast<int64_t>(value);
  }
  return value;
}

static json::Value toJson(const std::optional<double> &value) {
  return value ? toJson(*value) : json::Value(nullptr);
}

static json::Value toJson(int64_t value) { return value; }

static json::Value known(int64_t value) {
  return value > 0 ? json::Value(value) : json::Value(nullptr);
}

static json::Value known(const std::string &value) {
  return value.empty() ? json::Value(nullptr) : json::Value(value);
}

template <typename T> static json::Value listOf(llvm::ArrayRef<T> values) {
  json::Array array;
  for (const T &value : values) {
    array.push_back(toJson(value));
  }
  return array;
}

static json::Value listsOf(llvm::ArrayRef<std::vector<int64_t>> lists) {
  json::Array array;
  for (const std::vector<int64_t> &list : lists) {
    array.push_back(listOf(llvm::ArrayRef(list)));
  }
  return array;
}

static json::Value toJson(const std::map<int64_t, ReplicaTable> &tables) {
  json::Array array;
  for (const auto &[expert, table] : tables) {
    json::Array runs;
    for (const ReplicaTable::Run &run : table.runs()) {
      runs.push_back(json::Array({run.begin, run.slot}));
    }
    array.push_back(
        json::Object{{"expert", expert}, {"runs", std::move(runs)}});
  }
  return array;
}

namespace {
/// An object whose keys are written one a line, at an indentation.
class ObjectWriter {
public:
  ObjectWriter(llvm::raw_ostream &os, unsigned indent)
      : os(os), indent(indent) {
    os << '{';
  }
  ~ObjectWriter() { os << '\n' << std::string(indent, ' ') << '}'; }

  /// Begins a member; the caller writes its value.
  llvm::raw_ostream &member(llvm::StringRef key) {
    os << (isFirst ? "\n" : ",\n") << std::string(indent + 2, ' ') << '"' << key
       << "\": ";
    isFirst = false;
    return os;
  }
  void write(llvm::StringRef key, const json::Value &value) {
    member(key) << value;
  }

private:
  llvm::raw_ostream &os;
  unsigned indent;
  bool isFirst = true;
};
} // namespace

static void writeLayer(const LayerEntry &entry, unsigned indent,
                       llvm::raw_ostream &os) {
  ObjectWriter writer(os, indent);
  const PlacementData &data = entry.data;
  writer.write("layer", entry.layer);
  writer.write("phy2log", listOf(llvm::ArrayRef(phy2log(data))));
  writer.write("log2phy", listsOf(log2phy(data)));
  writer.write("logcnt", listOf(llvm::ArrayRef(logcnt(data))));
  writer.write("slot_to_gpu", listOf(llvm::ArrayRef(slotToGpu(data))));
  writer.write("replica_tables", toJson(data.replicaTables));
  writer.write("expert_load", entry.expertLoad.empty()
                                  ? json::Value(nullptr)
                                  : listOf(llvm::ArrayRef(entry.expertLoad)));
  writer.write("gpu_load", entry.figures.gpuLoad.empty()
                               ? json::Value(nullptr)
                               : listOf(llvm::ArrayRef(entry.figures.gpuLoad)));
  for (const FigureName &figure : figureNames()) {
    writer.write(figure.key, toJson(entry.figures.*figure.member));
  }
  writer.write("bound_argument", known(entry.boundArgument));
  writer.write("notes", json::Array(entry.notes));
}

static json::Value toJson(const PlacementFile &file,
                          const ProblemFacts &problem) {
  return json::Object{{"experts", file.experts()},
                      {"slots", file.slots()},
                      {"gpus", file.gpus()},
                      {"nodes", known(problem.nodes)},
                      {"groups", problem.groups},
                      {"tokens", known(problem.tokens)},
                      {"choices", known(problem.choices)},
                      {"hidden", known(problem.hidden)},
                      {"dtype", known(problem.dtype)},
                      {"topology", known(problem.topology)}};
}

static void writeConstants(llvm::ArrayRef<CostConstant> constants,
                           unsigned indent, llvm::raw_ostream &os) {
  ObjectWriter writer(os, indent);
  for (const CostConstant &constant : constants) {
    writer.write(constant.name,
                 json::Object{{"value", toJson(constant.value)},
                              {"unit", constant.unit},
                              {"source", constant.source},
                              {"basis", toString(constant.basis)}});
  }
}

static void writeFile(const PlacementFile &file, unsigned indent,
                      llvm::raw_ostream &os,
                      llvm::ArrayRef<ExtraKey> extras = {}) {
  ObjectWriter writer(os, indent);
  writer.write("policy", known(file.policy));
  writer.write("objective", known(file.objective));
  writer.write("problem", toJson(file, file.problem));
  if (file.constants.empty()) {
    writer.write("constants", json::Object());
  } else {
    writeConstants(file.constants, indent + 2, writer.member("constants"));
  }
  writer.write("notes", json::Array(file.notes));
  for (const ExtraKey &extra : extras) {
    writer.write(extra.key, extra.value);
  }
  std::string space(indent + 4, ' ');
  writer.member("layers") << "[";
  llvm::interleave(
      file.layers, os,
      [&](const LayerEntry &entry) {
        os << '\n' << space;
        writeLayer(entry, indent + 4, os);
      },
      ",");
  os << '\n' << std::string(indent + 2, ' ') << ']';
}

void moe::placement::writePlacement(const PlacementFile &file,
                                    llvm::raw_ostream &os,
                                    llvm::ArrayRef<ExtraKey> extras) {
  writeFile(file, 0, os, extras);
  os << '\n';
}

void moe::placement::writePlacements(llvm::ArrayRef<PlacementFile> files,
                                     llvm::raw_ostream &os) {
  if (files.size() == 1) {
    return writePlacement(files.front(), os);
  }
  os << "{\n  \"placements\": [";
  llvm::interleave(
      files, os,
      [&](const PlacementFile &file) {
        os << "\n    ";
        writeFile(file, 4, os);
      },
      ",");
  os << "\n  ]\n}\n";
}
