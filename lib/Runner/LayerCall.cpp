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

LayerCall::LayerCall(const LoadedProgram &loaded, const LayerInput &input)
    : layout(loaded.program.layout) {
  std::vector<TokenArray> routing(layout.arguments.size());
  std::vector<const TokenArray *> arguments;
  for (auto [port, array] : llvm::zip_equal(layout.arguments, routing)) {
    if (port.role == Port::Role::Tokens) {
      arguments.push_back(&input.tokens);
    } else {
      array = makeRouting(*input.routing, port);
      arguments.push_back(&array);
    }
  }
  call.emplace(loaded, input.tokens.rows, arguments);
}

llvm::Expected<LayerResult> LayerCall::assembleResult() const {
  LayerResult result;
  for (auto [index, port] : llvm::enumerate(layout.results)) {
    llvm::Expected<TokenArray> array = call->assembleResult(index);
    if (!array) {
      return array.takeError();
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
