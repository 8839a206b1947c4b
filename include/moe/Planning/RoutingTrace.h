//===- RoutingTrace.h - Which experts each token chose ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a run recorded: for each token and layer the experts that it chose. A
// trace knows more than loads do: which rank's tokens ask for an expert, since
// tokens are split over ranks as everywhere (TokenSplit.h), and which experts
// are chosen together.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_ROUTINGTRACE_H
#define MOE_PLANNING_ROUTINGTRACE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace moe::planning {

class RoutingTrace {
public:
  /// Takes `experts[token][layer][choice]`, row-major; -1 is a choice that the
  /// token did not make. Fails, naming the position, on an expert below -1 or
  /// of 2^20 and more, on an expert that a token chose twice, and on a layer
  /// that nobody chose an expert in.
  static llvm::Expected<RoutingTrace> create(int64_t tokens, int64_t layers,
                                             int64_t choices,
                                             std::vector<int32_t> experts);

  int64_t tokens() const { return tokenCount; }
  int64_t layers() const { return layerCount; }
  int64_t choices() const { return choiceCount; }
  /// One more than the largest expert that was chosen.
  int64_t expertBound() const { return bound; }

  /// The choices of one token in one layer.
  llvm::ArrayRef<int32_t> chosen(int64_t token, int64_t layer) const {
    return llvm::ArrayRef(experts).slice(
        (token * layerCount + layer) * choiceCount, choiceCount);
  }

  /// Choices of each expert by the tokens of each of `ranks` source ranks:
  /// result[rank][expert].
  std::vector<std::vector<double>> loadsBySource(int64_t layer, int64_t experts,
                                                 int64_t ranks) const;

  /// Tokens that chose both of two experts: result[a * experts + b], symmetric,
  /// with each expert's own count on the diagonal.
  std::vector<double> coactivation(int64_t layer, int64_t experts) const;

private:
  RoutingTrace() = default;

  int64_t tokenCount = 0;
  int64_t layerCount = 0;
  int64_t choiceCount = 0;
  int64_t bound = 0;
  std::vector<int32_t> experts;
};

} // namespace moe::planning

#endif // MOE_PLANNING_ROUTINGTRACE_H
