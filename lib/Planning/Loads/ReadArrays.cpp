//===- ReadArrays.cpp - Loads and traces from JSON and NPY ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Formats/JSONCursor.h"
#include "moe/Formats/NumpyArray.h"
#include "moe/Planning/LoadProfile.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;
using moe::formats::JSONCursor;
using moe::formats::NumpyArray;
using moe::formats::NumpyType;

namespace {
/// An array of two or three dimensions as a document holds it, not checked to
/// be rectangular.
struct NestedNumbers {
  /// Two dimensions are one entry.
  std::vector<std::vector<std::vector<double>>> parts;
  bool hasThreeDimensions = false;
};

/// What a document said.
struct JsonLoads {
  std::optional<NestedNumbers> loads;
  std::optional<NestedNumbers> trace;
  std::vector<int64_t> layers;
};
} // namespace

static llvm::Expected<std::vector<double>> readRow(JSONCursor &cursor) {
  std::vector<double> row;
  llvm::Error error = cursor.array([&]() -> llvm::Error {
    llvm::Expected<double> value = cursor.number();
    if (value) {
      row.push_back(*value);
    }
    return value.takeError();
  });
  if (error) {
    return std::move(error);
  }
  return row;
}

/// Reads a list of rows into \p rows.
static llvm::Error readRows(JSONCursor &cursor,
                            std::vector<std::vector<double>> &rows) {
  return cursor.array([&]() -> llvm::Error {
    llvm::Expected<std::vector<double>> row = readRow(cursor);
    if (row) {
      rows.push_back(std::move(*row));
    }
    return row.takeError();
  });
}

static llvm::Expected<NestedNumbers> readNested(JSONCursor &cursor) {
  NestedNumbers result;
  result.hasThreeDimensions = cursor.arraysAhead() > 2;
  llvm::Error error = llvm::Error::success();
  if (result.hasThreeDimensions) {
    error = cursor.array(
        [&] { return readRows(cursor, result.parts.emplace_back()); });
  } else {
    error = readRows(cursor, result.parts.emplace_back());
  }
  if (error) {
    return std::move(error);
  }
  return result;
}

static llvm::Error readLayers(JSONCursor &cursor, JsonLoads &loads) {
  return cursor.array([&]() -> llvm::Error {
    llvm::Expected<int64_t> layer = cursor.integer();
    if (layer) {
      loads.layers.push_back(*layer);
    }
    return layer.takeError();
  });
}

static llvm::Error readMember(JSONCursor &cursor, llvm::StringRef key,
                              JsonLoads &loads) {
  if (key == "layers" && cursor.peek() == '[') {
    return readLayers(cursor, loads);
  }
  bool isTrace = key == "trace";
  if (!isTrace && key != "loads" && key != "weight") {
    return cursor.skip();
  }
  std::optional<NestedNumbers> &target = isTrace ? loads.trace : loads.loads;
  if (target) {
    return createStringError("expected 'loads' or 'weight', but got both");
  }
  llvm::Expected<NestedNumbers> numbers = readNested(cursor);
  if (!numbers) {
    return numbers.takeError();
  }
  target = std::move(*numbers);
  return llvm::Error::success();
}

static llvm::Expected<JsonLoads> readDocument(llvm::StringRef text,
                                              const LoadSelection &selection) {
  JSONCursor cursor(text);
  JsonLoads result;
  if (cursor.peek() == '[') {
    llvm::Expected<NestedNumbers> numbers = readNested(cursor);
    if (!numbers) {
      return numbers.takeError();
    }
    (selection.content == LoadSelection::Content::Trace ? result.trace
                                                        : result.loads) =
        std::move(*numbers);
  } else if (cursor.peek() == '{') {
    if (llvm::Error error = cursor.object([&](llvm::StringRef key) {
          return readMember(cursor, key, result);
        })) {
      return std::move(error);
    }
  }
  if (llvm::Error error = cursor.end()) {
    return std::move(error);
  }
  return result;
}

/// Adds a token's choice of an expert, which is still any number.
static llvm::Error addChoice(std::vector<int32_t> &experts, double value) {
  if (!(std::abs(value) < 1e9) || value != std::floor(value)) {
    return createStringError(
        formatv("choice {0}: expected a whole number, but got {1}",
                experts.size(), value)
            .str());
  }
  experts.push_back(static_cast<int32_t>(value));
  return llvm::Error::success();
}

static llvm::Expected<LoadProfile> makeTrace(int64_t tokens, int64_t layers,
                                             int64_t choices,
                                             std::vector<int32_t> experts) {
  llvm::Expected<RoutingTrace> trace =
      RoutingTrace::create(tokens, layers, choices, std::move(experts));
  if (!trace) {
    return trace.takeError();
  }
  return LoadProfile::fromTrace(std::move(*trace));
}

/// Numbers of three dimensions as a trace.
static llvm::Expected<LoadProfile> makeTrace(const NestedNumbers &numbers) {
  if (!numbers.hasThreeDimensions) {
    return createStringError(
        "expected a trace as [[[...], ...], ...] (tokens x layers x choices)");
  }
  size_t layers = numbers.parts.front().size();
  size_t choices = layers == 0 ? 0 : numbers.parts.front().front().size();
  std::vector<int32_t> experts;
  for (auto [token, rows] : llvm::enumerate(numbers.parts)) {
    if (rows.size() != layers) {
      return createStringError(
          formatv("token {0}: expected {1} layers as of token 0, but got {2}",
                  token, layers, rows.size())
              .str());
    }
    for (auto [layer, row] : llvm::enumerate(rows)) {
      if (row.size() != choices) {
        return createStringError(
            formatv("token {0}, layer {1}: expected {2} choices as of token 0, "
                    "but got {3}",
                    token, layer, choices, row.size())
                .str());
      }
      for (double value : row) {
        if (llvm::Error error = addChoice(experts, value)) {
          return std::move(error);
        }
      }
    }
  }
  return makeTrace(numbers.parts.size(), layers, choices, std::move(experts));
}

llvm::Expected<LoadProfile>
LoadProfile::fromJson(llvm::StringRef text, const LoadSelection &selection) {
  llvm::Expected<JsonLoads> document = readDocument(text, selection);
  if (!document) {
    return document.takeError();
  }
  if (document->trace && !document->loads) {
    return makeTrace(*document->trace);
  }
  if (document->trace || !document->loads ||
      document->loads->parts.front().empty()) {
    return createStringError(
        "expected loads as [[...], ...] (layers x experts), or one such array "
        "for each source rank, or an object that has it as 'loads' or "
        "'weight', or a 'trace'");
  }
  return fromSources(std::move(document->loads->parts), document->layers);
}

/// Any array's elements as doubles.
static std::vector<double> toDoubles(const NumpyArray &array) {
  auto convert = [](auto values) {
    return std::vector<double>(values.begin(), values.end());
  };
  switch (array.type()) {
  case NumpyType::Float32:
    return convert(array.values<float>());
  case NumpyType::Float64:
    return convert(array.values<double>());
  case NumpyType::Int32:
    return convert(array.values<int32_t>());
  case NumpyType::Int64:
    return convert(array.values<int64_t>());
  }
  llvm_unreachable("unknown type");
}

/// A trace of whole numbers.
static llvm::Expected<LoadProfile> traceFrom(const NumpyArray &array) {
  llvm::ArrayRef<int64_t> shape = array.shape();
  bool isWhole =
      array.type() == NumpyType::Int32 || array.type() == NumpyType::Int64;
  if (shape.size() != 3 || !isWhole) {
    return createStringError(
        formatv("expected a trace of int32 or int64 in 3 dimensions (tokens x "
                "layers x choices), but got {0} in {1}",
                moe::formats::name(array.type()), shape.size())
            .str());
  }
  std::vector<int32_t> experts;
  experts.reserve(array.size());
  for (double value : toDoubles(array)) {
    if (llvm::Error error = addChoice(experts, value)) {
      return std::move(error);
    }
  }
  return makeTrace(shape[0], shape[1], shape[2], std::move(experts));
}

llvm::Expected<LoadProfile>
LoadProfile::fromNumpy(llvm::StringRef image, const LoadSelection &selection) {
  llvm::Expected<NumpyArray> array = NumpyArray::parse(image);
  if (!array) {
    return array.takeError();
  }
  if (array->size() == 0) {
    return createStringError("expected an array of at least one element");
  }
  if (selection.content == LoadSelection::Content::Trace) {
    return traceFrom(*array);
  }
  llvm::ArrayRef<int64_t> shape = array->shape();
  if (shape.size() != 2 && shape.size() != 3) {
    return createStringError(
        formatv("expected loads of 2 dimensions (layers x experts) or 3 "
                "(source ranks x layers x experts), but got {0}",
                shape.size())
            .str());
  }
  std::vector<double> values = toDoubles(*array);
  std::vector<std::vector<std::vector<double>>> sources;
  int64_t experts = shape.back(), layers = shape[shape.size() - 2];
  for (auto next = values.begin(); next != values.end();) {
    std::vector<std::vector<double>> &target = sources.emplace_back();
    for (int64_t layer = 0; layer < layers; ++layer, next += experts) {
      target.emplace_back(next, next + experts);
    }
  }
  return fromSources(std::move(sources));
}
