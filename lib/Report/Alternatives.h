//===- Alternatives.h - Where else an expert could be -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_REPORT_ALTERNATIVES_H
#define MOE_LIB_REPORT_ALTERNATIVES_H

#include "PlacedTraffic.h"

namespace moe::report {

/// An expert elsewhere: in a free slot of another rank, or in the place of one
/// of its experts, which comes here instead.
struct Alternative {
  int64_t fromRank = 0;
  int64_t toRank = 0;
  /// Who comes here instead; -1: nobody.
  int64_t partner = -1;
  /// The heaviest rank then, over the mean.
  double largest = 0;
};

/// What other places of the experts of one layer would come to. Everything but
/// the places of two experts stays as it is, shares too.
class Alternatives {
public:
  /// `loads` are those of the ranks, over the mean.
  Alternatives(const PlacedLayer &layer, const PlacedTraffic &traffic,
               llvm::ArrayRef<double> loads);

  /// The least bad other rank for one of the expert's places, and the one after
  /// it; fewer where there are none. By the heaviest rank, then by how evenly
  /// the two ranks are loaded.
  std::vector<Alternative> elsewhere(int64_t expert, size_t most) const;

  /// The heaviest rank if the places other than the one on `rank` served what
  /// it serves, in equal parts; none for an expert with one place.
  std::optional<double> without(int64_t expert, int64_t rank) const;

private:
  /// A place with what it adds to its rank's load.
  struct Place {
    int64_t expert = -1;
    double load = 0;
  };

  bool holds(int64_t rank, int64_t expert) const;
  double largestBeside(int64_t a, int64_t b) const;
  void consider(int64_t expert, const ServingSlot &slot, double load,
                std::vector<Alternative> &found) const;

  const PlacedTraffic &traffic;
  llvm::ArrayRef<double> loads;
  double meanShare = 0;
  llvm::ArrayRef<double> shares;
  std::vector<std::vector<Place>> places;
  /// Ranks by falling load, as many as matter.
  std::vector<int64_t> heaviest;
};

/// The placement with that change; who serves which tokens stays as it is.
planning::Placement placedElsewhere(const planning::Placement &placement,
                                    int64_t expert, const Alternative &other);

} // namespace moe::report

#endif // MOE_LIB_REPORT_ALTERNATIVES_H
