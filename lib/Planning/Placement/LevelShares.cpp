//===- LevelShares.cpp - Shares that level what ranks have to do ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SearchState.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <tuple>

using namespace moe::planning;

/// Rows for each replica, so that the ranks that get any end up level.
std::vector<double>
SearchModel::levelQuotas(int64_t expert, const Service &now,
                         llvm::ArrayRef<double> received,
                         llvm::ArrayRef<int32_t> ranks) const {
  std::vector<double> others;
  for (int32_t rank : ranks) {
    double mine = 0;
    auto found = llvm::find(now.ranks, rank);
    for (int64_t source = 0; found != now.ranks.end() && source < sources();
         ++source) {
      double part = now.isReplicated()
                        ? now.cells[source * now.ranks.size() +
                                    (found - now.ranks.begin())] /
                              double(cellsPerSource())
                        : 1;
      mine += rows(source, expert) * part;
    }
    others.push_back(received[rank] - mine);
  }
  std::vector<double> ascending = others;
  llvm::sort(ascending);
  double level = 0, sum = rowsOf(expert);
  for (size_t count = 1; count <= ascending.size(); ++count) {
    sum += ascending[count - 1];
    level = sum / double(count);
    if (count == ascending.size() || level <= ascending[count]) {
      break;
    }
  }
  for (double &load : others) {
    load = std::max(level - load, 0.0);
  }
  return others;
}

Service SearchModel::leveled(int64_t expert, const Service &now,
                             llvm::ArrayRef<double> received,
                             std::vector<int32_t> ranks) const {
  struct Claim {
    int32_t distance = 0;
    int64_t source = 0;
    size_t index = 0;
  };
  Service service;
  service.ranks = std::move(ranks);
  if (!service.isReplicated()) {
    return service;
  }
  std::vector<double> quotas =
      levelQuotas(expert, now, received, service.ranks);
  size_t count = service.ranks.size();
  std::vector<Claim> claims;
  for (int64_t source = 0; source < sources(); ++source) {
    for (size_t index = 0; index < count; ++index) {
      int32_t far = hasLinks() ? distance(source, service.ranks[index]) : 0;
      claims.push_back({far, source, index});
    }
  }
  llvm::sort(claims, [](const Claim &a, const Claim &b) {
    return std::tie(a.distance, a.source, a.index) <
           std::tie(b.distance, b.source, b.index);
  });
  service.cells.assign(sources() * count, 0);
  std::vector<int32_t> left(sources(), cellsPerSource());
  for (const Claim &claim : claims) {
    double each = rows(claim.source, expert) / cellsPerSource();
    double wanted = each > 0 ? quotas[claim.index] / each + 0.5
                             : double(left[claim.source]);
    auto cells = static_cast<int32_t>(
        std::min<double>(left[claim.source], std::max(wanted, 0.0)));
    service.cells[claim.source * count + claim.index] += cells;
    left[claim.source] -= cells;
    quotas[claim.index] -= cells * each;
  }
  // What rounding has left goes where most is wanted.
  for (int64_t source = 0; source < sources(); ++source) {
    size_t hungriest = llvm::max_element(quotas) - quotas.begin();
    service.cells[source * count + hungriest] += left[source];
    quotas[hungriest] -= left[source] * rows(source, expert) / cellsPerSource();
  }
  return service;
}
