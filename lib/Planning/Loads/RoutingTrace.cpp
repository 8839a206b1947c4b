//===- RoutingTrace.cpp - Which experts each token chose ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/RoutingTrace.h"
#include "moe/Planning/Placement.h"
#include "moe/Planning/TokenSplit.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

/// Each choice in range and none made twice.
static llvm::Error verifyChoices(llvm::ArrayRef<int32_t> chosen, int64_t token,
                                 int64_t layer) {
  for (auto [choice, expert] : llvm::enumerate(chosen)) {
    if (expert < -1 || expert >= Placement::maxExperts) {
      return createStringError(
          formatv("token {0}, layer {1}, choice {2}: expected an expert from "
                  "-1 to {3}, but got {4}",
                  token, layer, choice, Placement::maxExperts - 1, expert)
              .str());
    }
    if (expert >= 0 && llvm::is_contained(chosen.take_front(choice), expert)) {
      return createStringError(
          formatv("token {0}, layer {1}: expert {2} is chosen twice", token,
                  layer, expert)
              .str());
    }
  }
  return llvm::Error::success();
}

llvm::Expected<RoutingTrace>
RoutingTrace::create(int64_t tokens, int64_t layers, int64_t choices,
                     std::vector<int32_t> experts) {
  assert(static_cast<int64_t>(experts.size()) == tokens * layers * choices &&
         "one expert a choice");
  RoutingTrace trace;
  trace.tokenCount = tokens;
  trace.layerCount = layers;
  trace.choiceCount = choices;
  trace.experts = std::move(experts);
  std::vector<bool> isChosenIn(layers);
  for (int64_t token = 0; token < tokens; ++token) {
    for (int64_t layer = 0; layer < layers; ++layer) {
      llvm::ArrayRef<int32_t> chosen = trace.chosen(token, layer);
      if (llvm::Error error = verifyChoices(chosen, token, layer)) {
        return std::move(error);
      }
      for (int64_t expert : chosen) {
        isChosenIn[layer] = isChosenIn[layer] || expert >= 0;
        trace.bound = std::max(trace.bound, expert + 1);
      }
    }
  }
  for (int64_t layer = 0; layer < layers; ++layer) {
    if (!isChosenIn[layer]) {
      return createStringError(
          formatv("layer {0}: expected a token that chose an expert", layer)
              .str());
    }
  }
  return trace;
}

std::vector<std::vector<double>>
RoutingTrace::loadsBySource(int64_t layer, int64_t experts,
                            int64_t ranks) const {
  assert(experts >= bound && "too few experts for the trace");
  std::vector<std::vector<double>> loads;
  for (const TokenRange &range : splitTokens(tokenCount, ranks)) {
    std::vector<double> &counts = loads.emplace_back(experts);
    for (int64_t token = range.begin; token < range.end; ++token) {
      for (int32_t expert : chosen(token, layer)) {
        if (expert >= 0) {
          ++counts[expert];
        }
      }
    }
  }
  return loads;
}

std::vector<double> RoutingTrace::coactivation(int64_t layer,
                                               int64_t experts) const {
  assert(experts >= bound && "too few experts for the trace");
  std::vector<double> counts(experts * experts);
  for (int64_t token = 0; token < tokenCount; ++token) {
    llvm::ArrayRef<int32_t> together = chosen(token, layer);
    for (int32_t a : together) {
      for (int32_t b : together) {
        if (a >= 0 && b >= 0) {
          ++counts[a * experts + b];
        }
      }
    }
  }
  return counts;
}
