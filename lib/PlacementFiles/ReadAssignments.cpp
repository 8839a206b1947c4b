//===- ReadAssignments.cpp - TensorRT-LLM's load balancer file ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SlotTable.h"
#include "moe/Formats/FileError.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"

using namespace moe::placement;
namespace formats = moe::formats;

namespace {
class AssignmentReader {
public:
  AssignmentReader(llvm::StringRef text, SlotTable &table)
      : text(text), table(table) {}

  llvm::Error read();

private:
  llvm::Error readEntry(llvm::yaml::KeyValueNode &entry);
  llvm::Error readLayers(llvm::yaml::Node *value);
  llvm::Error readRow(llvm::yaml::Node *value, std::vector<int64_t> &row);
  llvm::Error readNumber(llvm::yaml::Node *node, int64_t &number);
  llvm::Error fail(llvm::yaml::Node *node, const llvm::Twine &message);
  static void keepFirst(const llvm::SMDiagnostic &diagnostic, void *reader);

  llvm::StringRef text;
  SlotTable &table;
  llvm::SourceMgr sources;
  /// What LLVM's parser said first.
  std::optional<std::pair<formats::FilePlace, std::string>> problem;
};
} // namespace

void AssignmentReader::keepFirst(const llvm::SMDiagnostic &diagnostic,
                                 void *reader) {
  AssignmentReader &self = *static_cast<AssignmentReader *>(reader);
  if (!self.problem) {
    formats::FilePlace place;
    place.line = std::max(diagnostic.getLineNo(), 0);
    place.column = std::max(diagnostic.getColumnNo(), -1) + 1;
    llvm::StringRef message = diagnostic.getMessage().split('\n').first;
    self.problem = {place, ("expected YAML: " + message).str()};
  }
}

llvm::Error AssignmentReader::fail(llvm::yaml::Node *node,
                                   const llvm::Twine &message) {
  if (problem) {
    return formats::fileError(problem->first, problem->second);
  }
  formats::FilePlace place;
  if (node) {
    std::tie(place.line, place.column) =
        sources.getLineAndColumn(node->getSourceRange().Start);
  }
  return formats::fileError(std::move(place), message);
}

llvm::Error AssignmentReader::readNumber(llvm::yaml::Node *node,
                                         int64_t &number) {
  auto *scalar = llvm::dyn_cast_or_null<llvm::yaml::ScalarNode>(node);
  llvm::SmallString<32> storage;
  if (!scalar || scalar->getValue(storage).getAsInteger(10, number)) {
    return fail(node, "expected a whole number");
  }
  return llvm::Error::success();
}

llvm::Error AssignmentReader::readRow(llvm::yaml::Node *value,
                                      std::vector<int64_t> &row) {
  auto *list = llvm::dyn_cast_or_null<llvm::yaml::SequenceNode>(value);
  if (!list) {
    return fail(value, "expected a list of experts");
  }
  for (llvm::yaml::Node &entry : *list) {
    if (llvm::Error error = readNumber(&entry, row.emplace_back())) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Error AssignmentReader::readLayers(llvm::yaml::Node *value) {
  auto *map = llvm::dyn_cast_or_null<llvm::yaml::MappingNode>(value);
  if (!map) {
    return fail(value, "expected a list of experts for each layer");
  }
  for (llvm::yaml::KeyValueNode &entry : *map) {
    int64_t layer = 0;
    if (llvm::Error error = readNumber(entry.getKey(), layer)) {
      return error;
    }
    table.layers.push_back(layer);
    if (llvm::Error error =
            readRow(entry.getValue(), table.rows.emplace_back())) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Error AssignmentReader::readEntry(llvm::yaml::KeyValueNode &entry) {
  auto *key = llvm::dyn_cast_or_null<llvm::yaml::ScalarNode>(entry.getKey());
  llvm::SmallString<32> storage;
  if (key && key->getValue(storage) == "initial_global_assignments") {
    return readLayers(entry.getValue());
  }
  if (llvm::yaml::Node *value = entry.getValue()) {
    value->skip();
  }
  return llvm::Error::success();
}

llvm::Error AssignmentReader::read() {
  sources.setDiagHandler(keepFirst, this);
  llvm::yaml::Stream stream(text, sources, /*ShowColors=*/false);
  llvm::yaml::document_iterator document = stream.begin();
  llvm::yaml::Node *root =
      document == stream.end() ? nullptr : document->getRoot();
  auto *map = llvm::dyn_cast_or_null<llvm::yaml::MappingNode>(root);
  if (!map) {
    return fail(root, "expected a mapping with initial_global_assignments");
  }
  for (llvm::yaml::KeyValueNode &entry : *map) {
    if (llvm::Error error = readEntry(entry)) {
      return error;
    }
  }
  return problem ? fail(root, "") : llvm::Error::success();
}

llvm::Error moe::placement::readAssignments(llvm::StringRef text,
                                            SlotTable &table) {
  return AssignmentReader(text, table).read();
}
