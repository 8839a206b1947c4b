//===- CountMatrix.h - Rows from each rank to each rank ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a routing and a placement make an exchange carry: rows(s, d) is the
// number of (token, choice) pairs that source rank s holds and that rank d's
// experts serve. From a routing that occurred the numbers are whole; expected
// ones are fractional. Either way they sum to the number of assignments.
//
// This is all that a plan knows of a routing: phases are given a CountMatrix
// and say what they move. A form that sends a token once to several experts of
// a node needs one number more, the distinct tokens that a source has for a
// group of targets; it belongs here, counted by `countRows` and expected by
// `expectedRows`, so that no phase, cost or report changes its signature.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_COUNTMATRIX_H
#define MOE_PLANNING_COUNTMATRIX_H

#include "moe/Planning/Mesh.h"
#include "moe/Planning/Placement.h"
#include "moe/Planning/TokenSplit.h"

namespace moe::planning {

struct ExpertShares;

class CountMatrix {
public:
  explicit CountMatrix(int64_t ranks)
      : size(ranks), counts(ranks * ranks), sent(ranks), received(ranks) {}

  int64_t ranks() const { return size; }
  double rows(int64_t source, int64_t target) const {
    return counts[source * size + target];
  }
  void add(int64_t source, int64_t target, double rows) {
    counts[source * size + target] += rows;
    sent[source] += rows;
    received[target] += rows;
  }

  /// Rows that leave `source`'s tokens, its own experts' included.
  double sentBy(int64_t source) const { return sent[source]; }
  /// Rows that `target`'s experts get, its own tokens' included.
  double receivedBy(int64_t target) const { return received[target]; }
  double total() const;

private:
  int64_t size;
  std::vector<double> counts;
  /// Sums of rows and columns: phases ask for them rank by rank.
  std::vector<double> sent;
  std::vector<double> received;
};

/// A routing that occurred: the expert of each of `choices` choices of each
/// token, row-major; -1 stands for none.
struct Routing {
  int64_t choices = 1;
  llvm::ArrayRef<int32_t> experts;

  int64_t tokens() const { return experts.size() / choices; }
};

/// The tokens of each member of a group, for tokens that are sharded over
/// `tokenAxes` and replicated over all others.
std::vector<TokenRange> tokenRanges(const Mesh &mesh, const DeviceGroup &group,
                                    llvm::ArrayRef<AxisRef> tokenAxes,
                                    int64_t tokens);

/// Counts a routing. `sources` gives the tokens of each rank of the group, and
/// the routing is over global tokens. Fails, naming the token, on an expert
/// that the placement does not have.
llvm::Expected<CountMatrix> countRows(const Routing &routing,
                                      llvm::ArrayRef<TokenRange> sources,
                                      const Placement &placement);

/// What to expect when each token takes `choices` experts with the given shares
/// of all assignments: rows(s, d) = Σ tokens · choices · share over the experts
/// that d serves for s's tokens, token classes counted one by one.
CountMatrix expectedRows(int64_t choices, llvm::ArrayRef<double> shares,
                         llvm::ArrayRef<TokenRange> sources,
                         const Placement &placement);

/// The same where it is known what each source asks for: [source][expert], in
/// any unit. All sources together send `choices` rows a token, each its part of
/// them, equally many of each token class.
CountMatrix expectedRowsBySource(
    int64_t choices, llvm::ArrayRef<std::vector<double>> loadsBySource,
    llvm::ArrayRef<TokenRange> sources, const Placement &placement);

/// The one or the other, whichever is known. Shares by source must be of as
/// many ranks as the placement has.
CountMatrix expectedRows(int64_t choices, const ExpertShares &shares,
                         llvm::ArrayRef<TokenRange> sources,
                         const Placement &placement);

/// The part of all rows that each rank serves; tokens are spread evenly over
/// sources, as far as these are not known apart, and over token classes.
std::vector<double> rankShares(const Placement &placement,
                               const ExpertShares &shares);

/// The most rows that any rank of a group of `tokens` tokens can receive:
/// tokens · min(choices, most experts on a rank). Exact without replicas, since
/// a token takes distinct experts; an upper bound with them.
int64_t worstCaseRows(int64_t tokens, int64_t choices,
                      const Placement &placement);

/// Distinct groups that a token reaches, on average, when it takes `choices`
/// distinct experts, all sets equally likely, and the experts are split into
/// groups of the given sizes (nodes, or ranks):
///   D = Σ_g (1 − C(E − e_g, K) / C(E, K)),   E = Σ e_g.
/// For G equal groups this is G · (1 − C(E − E/G, K) / C(E, K)).
double expectedGroupsReached(llvm::ArrayRef<int64_t> expertsByGroup,
                             int64_t choices);
/// The same for `groups` groups that share the experts as evenly as possible.
double expectedGroupsReached(int64_t experts, int64_t choices, int64_t groups);

} // namespace moe::planning

#endif // MOE_PLANNING_COUNTMATRIX_H
