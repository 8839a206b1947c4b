// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerCall.h"

#include "llvm/ADT/STLExtras.h"

#include <cstring>

using namespace moe::runner;

/// The routing of `role` as an array of the port's type.
static TokenArray makeRouting(const RoutingArray &routing, const Port &port) {
  if (port.role == Port::Role::Weight) {
    return TokenArray::fromFloats(routing.weights, routing.tokens,
                                  routing.choices, port.type);
  }
  TokenArray array(ElementType::I32, routing.tokens, routing.choices);
  if (!routing.experts.empty()) {
    std::memcpy(array.bytes.data(), routing.experts.data(), array.bytes.size());
  }
  return array;
}

LayerCall::LayerCall(const CompiledProgram &program, const RankFrames &frames,
                     const LayerInput &input)
    : layout(program.layout), tokens(input.tokens.rows),
      results(layout.results.size()) {
  std::vector<TokenArray> routing;
  for (const Port &port : layout.arguments) {
    routing.push_back(port.role == Port::Role::Tokens
                          ? TokenArray()
                          : makeRouting(*input.routing, port));
  }
  for (int64_t rank = 0; rank < layout.ranks.deviceCount(); ++rank) {
    RankCall call;
    call.function = program.entry;
    call.handles = frames.handles(rank);
    for (auto [index, port] : llvm::enumerate(layout.arguments)) {
      Part *part = addPart(rank, port);
      copyOut(port.role == Port::Role::Tokens ? input.tokens : routing[index],
              rectangleOf(layout.ranks, rank, port, tokens),
              part->buffer.data());
      call.arguments.push_back(reinterpret_cast<uint64_t>(&part->matrix));
    }
    call.arguments.push_back(tokens);
    for (auto [index, port] : llvm::enumerate(layout.results)) {
      Part *part = addPart(rank, port);
      // What a program does not write shows up as NaN.
      std::memset(part->buffer.data(), 0xFF, part->buffer.bytes());
      results[index].push_back(part->buffer.data());
      call.arguments.push_back(reinterpret_cast<uint64_t>(&part->matrix));
    }
    rankCalls.push_back(std::move(call));
  }
}

LayerCall::Part *LayerCall::addPart(int64_t rank, const Port &port) {
  Rectangle part = rectangleOf(layout.ranks, rank, port, tokens);
  int64_t rows = part.rows.size(), columns = part.columns.size();
  AlignedBuffer buffer(rows * columns * elementBytes(port.type));
  char *data = buffer.data();
  parts.push_back(std::make_unique<Part>(
      Part{std::move(buffer), MatrixDescriptor::of(data, rows, columns)}));
  return parts.back().get();
}

llvm::Expected<TokenArray> LayerCall::assembleResult(size_t index) const {
  return assemble(layout.ranks, layout.results[index], tokens, results[index]);
}

llvm::Expected<LayerResult> LayerCall::assembleResult() const {
  LayerResult result;
  for (auto [index, port] : llvm::enumerate(layout.results)) {
    llvm::Expected<TokenArray> array = assembleResult(index);
    if (!array) {
      return llvm::make_error<RankFailure>(llvm::toString(array.takeError()));
    }
    RoutingArray &routing = result.routing;
    switch (port.role) {
    case Port::Role::Expert:
      routing.tokens = array->rows;
      routing.choices = array->columns;
      routing.experts.resize(array->rows * array->columns);
      if (!routing.experts.empty()) {
        std::memcpy(routing.experts.data(), array->bytes.data(),
                    array->bytes.size());
      }
      break;
    case Port::Role::Weight:
      routing.weights = array->toFloats();
      break;
    default:
      result.output = std::move(*array);
    }
  }
  return result;
}
