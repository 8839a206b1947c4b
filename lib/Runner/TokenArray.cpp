// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/TokenArray.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <cstring>

using namespace moe::formats;
using namespace moe::runner;
using llvm::formatv;
using moe::planning::Mesh;

uint32_t TokenArray::bits(int64_t row, int64_t column) const {
  uint32_t result = 0;
  std::memcpy(&result, at(row, column), elementBytes(type));
  return result;
}

float TokenArray::value(int64_t row, int64_t column) const {
  if (type == ElementType::I32) {
    return static_cast<float>(static_cast<int32_t>(bits(row, column)));
  }
  float result = 0;
  convert(type, at(row, column), ElementType::F32, &result, 1);
  return result;
}

TokenArray TokenArray::fromFloats(llvm::ArrayRef<float> values, int64_t rows,
                                  int64_t columns, ElementType type) {
  TokenArray array(type, rows, columns);
  convert(ElementType::F32, values.data(), type, array.bytes.data(),
          rows * columns);
  return array;
}

std::vector<float> TokenArray::toFloats() const {
  std::vector<float> values(rows * columns);
  convert(type, bytes.data(), ElementType::F32, values.data(), rows * columns);
  return values;
}

void moe::runner::copyOut(const TokenArray &array, const Rectangle &part,
                          void *destination) {
  int64_t rowBytes = part.columns.size() * elementBytes(array.type);
  char *target = static_cast<char *>(destination);
  for (int64_t row = part.rows.begin; row < part.rows.end && rowBytes; ++row) {
    std::memcpy(target, array.at(row, part.columns.begin), rowBytes);
    target += rowBytes;
  }
}

/// Says that two ranks hold different bits for one element.
static llvm::Error makeReplicaError(const TokenArray &array,
                                    const TokenArray &mine, int64_t row,
                                    const Rectangle &part, int64_t other,
                                    int64_t rank) {
  int64_t column = part.columns.begin;
  while (array.bits(row, column) ==
         mine.bits(row - part.rows.begin, column - part.columns.begin)) {
    ++column;
  }
  return llvm::createStringError(
      formatv("ranks {0} and {1} hold the same rows, but differ at [{2}, {3}]: "
              "{4:x} and {5:x}",
              other, rank, row, column, array.bits(row, column),
              mine.bits(row - part.rows.begin, column - part.columns.begin)));
}

llvm::Expected<TokenArray>
moe::runner::assemble(const Mesh &ranks, const Port &port, int64_t tokens,
                      llvm::ArrayRef<const void *> parts) {
  TokenArray array(port.type, port.rows.value_or(tokens), port.columns);
  // By row and column range: the rank that filled it in. Ranges are equal or
  // disjoint, so their beginnings name them.
  std::map<std::pair<int64_t, int64_t>, int64_t> filledBy;
  for (int64_t rank = 0; rank < ranks.deviceCount(); ++rank) {
    Rectangle part = rectangleOf(ranks, rank, port, tokens);
    if (part.rows.size() == 0 || part.columns.size() == 0) {
      continue;
    }
    TokenArray mine(port.type, part.rows.size(), part.columns.size());
    std::memcpy(mine.bytes.data(), parts[rank], mine.bytes.size());
    auto [entry, isNew] =
        filledBy.try_emplace({part.rows.begin, part.columns.begin}, rank);
    int64_t rowBytes = part.columns.size() * elementBytes(port.type);
    for (int64_t row = part.rows.begin; row < part.rows.end; ++row) {
      char *target = array.at(row, part.columns.begin);
      const char *source = mine.at(row - part.rows.begin, 0);
      if (isNew) {
        std::memcpy(target, source, rowBytes);
      } else if (std::memcmp(target, source, rowBytes) != 0) {
        return makeReplicaError(array, mine, row, part, entry->second, rank);
      }
    }
  }
  return array;
}

static std::string describe(const NumpyArray &array) {
  std::string text = name(array.type()).str() + " [";
  for (auto [i, extent] : llvm::enumerate(array.shape())) {
    text += (i ? ", " : "") + std::to_string(extent);
  }
  return text + "]";
}

llvm::Expected<NumpyArray> moe::runner::readTokens(llvm::StringRef path,
                                                   int64_t hidden) {
  llvm::Expected<NumpyArray> array = NumpyArray::open(path);
  if (!array) {
    return array.takeError();
  }
  if (array->type() != NumpyType::Float32 || array->shape().size() != 2 ||
      array->shape()[1] != hidden) {
    return llvm::createStringError(
        formatv("{0}: expected float32 [tokens, {1}], but got {2}", path,
                hidden, describe(*array)));
  }
  return array;
}

llvm::Error RoutingArray::write(llvm::StringRef path) const {
  NumpyArray array(NumpyType::Float32, {2, tokens, choices});
  llvm::MutableArrayRef<float> values = array.values<float>();
  for (auto [i, expert] : llvm::enumerate(experts)) {
    values[i] = static_cast<float>(expert);
  }
  llvm::copy(weights, values.begin() + experts.size());
  return array.write(path);
}

llvm::Expected<RoutingArray>
RoutingArray::read(llvm::StringRef path, int64_t choices, int64_t experts) {
  llvm::Expected<NumpyArray> array = NumpyArray::open(path);
  if (!array) {
    return array.takeError();
  }
  llvm::ArrayRef<int64_t> shape = array->shape();
  if (array->type() != NumpyType::Float32 || shape.size() != 3 ||
      shape[0] != 2 || shape[2] != choices) {
    return llvm::createStringError(
        formatv("{0}: expected a routing, float32 [2, tokens, {1}], but got "
                "{2}",
                path, choices, describe(*array)));
  }
  RoutingArray routing;
  routing.tokens = shape[1];
  routing.choices = choices;
  llvm::ArrayRef<float> values = array->values<float>();
  size_t count = routing.tokens * choices;
  for (float value : values.take_front(count)) {
    bool isExpert = value >= -1 && value < static_cast<float>(experts);
    int32_t expert = isExpert ? static_cast<int32_t>(value) : -1;
    int64_t token = routing.experts.size() / choices;
    if (!isExpert || static_cast<float>(expert) != value) {
      return llvm::createStringError(
          formatv("{0}: expected experts from -1 to {1}, but got {2} at token "
                  "{3}",
                  path, experts - 1, value, token));
    }
    auto earlier = llvm::ArrayRef(routing.experts).drop_front(token * choices);
    if (expert >= 0 && llvm::is_contained(earlier, expert)) {
      return llvm::createStringError(
          formatv("{0}: expected different experts for a token, but got {1} "
                  "twice at token {2}",
                  path, expert, token));
    }
    routing.experts.push_back(expert);
  }
  for (float weight : values.drop_front(count)) {
    if (!std::isfinite(weight)) {
      return llvm::createStringError(
          formatv("{0}: expected finite weights, but got {1} at token {2}",
                  path, weight, routing.weights.size() / choices));
    }
    routing.weights.push_back(weight);
  }
  return routing;
}
