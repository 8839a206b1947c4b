// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProgramCall.h"

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

/// What goes in at each port: the caller's arrays, and the routing where it is
/// one of them, which `routing` holds.
static std::vector<const TokenArray *>
arrangeArguments(const ProgramLayout &layout, const ProgramInput &input,
                 std::vector<TokenArray> &routing) {
  routing.resize(layout.arguments.size());
  std::vector<const TokenArray *> arrays;
  auto next = input.arguments.begin();
  for (auto [port, made] : llvm::zip_equal(layout.arguments, routing)) {
    if (port.role == Port::Role::Tokens) {
      arrays.push_back(&*next++);
    } else {
      made = makeRouting(*input.routing, port);
      arrays.push_back(&made);
    }
  }
  return arrays;
}

ProgramCall::ProgramCall(const LoadedProgram &loaded, const ProgramInput &input)
    : layout(loaded.program.layout), tokens(input.tokens),
      results(layout.results.size()) {
  std::vector<TokenArray> routing;
  std::vector<const TokenArray *> arguments =
      arrangeArguments(layout, input, routing);
  for (int64_t rank = 0; rank < layout.ranks.deviceCount(); ++rank) {
    RankCall call;
    call.function = loaded.program.entry;
    call.code = loaded.program.device.get();
    call.handles = loaded.frames->handles(rank);
    call.data = loaded.frames->data(rank);
    for (auto [port, array] : llvm::zip_equal(layout.arguments, arguments)) {
      Part *part = addPart(rank, port);
      copyOut(*array, rectangleOf(layout.ranks, rank, port, tokens),
              part->buffer.data());
      addMatrix(*part, false, call);
    }
    call.arguments.push_back(tokens);
    for (auto [index, port] : llvm::enumerate(layout.results)) {
      Part *part = addPart(rank, port);
      // What a program does not write shows up as NaN.
      std::memset(part->buffer.data(), 0xFF, part->buffer.bytes());
      results[index].push_back(part->buffer.data());
      addMatrix(*part, true, call);
    }
    rankCalls.push_back(std::move(call));
  }
}

void ProgramCall::addMatrix(Part &part, bool isResult, RankCall &call) {
  call.buffers.push_back({&part.matrix, part.buffer.bytes(), isResult});
  call.arguments.push_back(reinterpret_cast<uint64_t>(&part.matrix));
}

ProgramCall::Part *ProgramCall::addPart(int64_t rank, const Port &port) {
  Rectangle part = rectangleOf(layout.ranks, rank, port, tokens);
  int64_t rows = part.rows.size(), columns = part.columns.size();
  AlignedBuffer buffer(rows * columns * elementBytes(port.type));
  char *data = buffer.data();
  parts.push_back(std::make_unique<Part>(
      Part{std::move(buffer), describeMatrix(data, rows, columns)}));
  return parts.back().get();
}

llvm::Expected<TokenArray> ProgramCall::assembleArray(size_t index) const {
  llvm::Expected<TokenArray> array =
      assemble(layout.ranks, layout.results[index], tokens, results[index]);
  return array
             ? std::move(array)
             : llvm::make_error<RankFailure>(llvm::toString(array.takeError()));
}

/// Takes the experts of a layer; its weights follow.
static RoutingArray takeExperts(const TokenArray &array) {
  RoutingArray routing;
  routing.tokens = array.rows;
  routing.choices = array.columns;
  routing.experts.resize(array.rows * array.columns);
  if (!routing.experts.empty()) {
    std::memcpy(routing.experts.data(), array.bytes.data(), array.bytes.size());
  }
  return routing;
}

llvm::Expected<ProgramResult> ProgramCall::assembleResult() const {
  ProgramResult result;
  for (auto [index, port] : llvm::enumerate(layout.results)) {
    llvm::Expected<TokenArray> array = assembleArray(index);
    if (!array) {
      return array.takeError();
    }
    switch (port.role) {
    case Port::Role::Expert:
      result.routings.push_back(takeExperts(*array));
      break;
    case Port::Role::Weight:
      result.routings.back().weights = array->toFloats();
      break;
    default:
      result.outputs.push_back(std::move(*array));
    }
  }
  return result;
}
