//===- SearchState.cpp - A placement's value, kept while it changes -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SearchState.h"
#include "../PeerFlows.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <tuple>

using namespace moe::planning;

bool SearchScore::isBelow(const SearchScore &other) const {
  constexpr double rounding = 1e-9;
  if (value < other.value * (1 - rounding)) {
    return true;
  }
  return value <= other.value * (1 + rounding / 1e3) &&
         effort < other.effort * (1 - rounding);
}

//===----------------------------------------------------------------------===//
// Keeping count
//===----------------------------------------------------------------------===//

SearchState::SearchState(const SearchModel &model,
                         std::vector<Service> services)
    : facts(&model), services(std::move(services)), hosted(model.ranks()),
      received(model.ranks()), busy(model.ranks()) {
  if (model.hasLinks()) {
    int64_t pairs = model.ranks() * model.ranks();
    pairRows.resize(pairs);
    pairExperts.resize(pairs);
    dispatchRows.resize(model.linkTiers.size());
    combineRows.resize(model.linkTiers.size());
    size_t lists = model.pairTiers.size() * model.tiers.size();
    dispatchMessages.assign(lists, std::vector<int32_t>(model.ranks()));
    combineMessages = dispatchMessages;
  }
  for (int64_t expert = 0; expert < model.experts(); ++expert) {
    host(expert, true);
    add(expert, 1);
  }
}

SearchState SearchState::of(const SearchModel &model,
                            const Placement &placement) {
  std::vector<Service> services(model.experts());
  for (int64_t expert = 0; expert < model.experts(); ++expert) {
    Service &service = services[expert];
    for (int64_t slot : placement.slotsOf(expert)) {
      service.ranks.push_back(placement.rankOfSlot(slot));
    }
    if (!service.isReplicated()) {
      continue;
    }
    service.cells.resize(model.sources() * service.ranks.size());
    for (int64_t source = 0; source < model.ranks(); ++source) {
      int64_t row = model.hasLinks() ? source : 0;
      for (int64_t cls = 0; cls < tokenClasses; ++cls) {
        int64_t slot = placement.slotFor(expert, source, cls);
        size_t index = llvm::find(placement.slotsOf(expert), slot) -
                       placement.slotsOf(expert).begin();
        ++service.cells[row * service.ranks.size() + index];
      }
    }
  }
  return SearchState(model, std::move(services));
}

/// Rows from a rank's tokens to another's experts, and back.
void SearchState::addRows(int64_t source, int64_t target, double rows,
                          int sign) {
  int64_t pair = source * facts->ranks() + target;
  pairRows[pair] += sign * rows;
  int32_t before = pairExperts[pair];
  pairExperts[pair] += sign;
  if (source == target) {
    return;
  }
  for (uint32_t link : facts->path(source, target)) {
    dispatchRows[link] += sign * rows;
    ++steps;
  }
  for (uint32_t link : facts->path(target, source)) {
    combineRows[link] += sign * rows;
    ++steps;
  }
  if (before == 0 || pairExperts[pair] == 0) {
    size_t tierCount = facts->tiers.size();
    for (auto [group, tiers] : llvm::enumerate(facts->pairTiers)) {
      int64_t back = target * facts->ranks() + source;
      dispatchMessages[group * tierCount + tiers[pair]][source] += sign;
      combineMessages[group * tierCount + tiers[back]][target] += sign;
    }
  }
}

void SearchState::add(int64_t expert, int sign) {
  const Service &service = services[expert];
  size_t count = service.ranks.size();
  for (size_t index = 0; index < count; ++index) {
    int32_t rank = service.ranks[index];
    double sum = 0;
    for (int64_t source = 0; source < facts->sources(); ++source) {
      double rows = facts->rows(source, expert);
      if (count > 1) {
        rows *= double(service.cells[source * count + index]) /
                facts->cellsPerSource();
      }
      ++steps;
      if (rows <= 0) {
        continue;
      }
      sum += rows;
      if (facts->hasLinks()) {
        addRows(source, rank, rows, sign);
      }
    }
    received[rank] += sign * sum;
    busy[rank] += sum > 0 ? sign : 0;
  }
}

void SearchState::host(int64_t expert, bool isThere) {
  for (int32_t rank : services[expert].ranks) {
    std::vector<int32_t> &experts = hosted[rank];
    auto place = llvm::lower_bound(experts, expert);
    if (isThere) {
      experts.insert(place, expert);
    } else {
      experts.erase(place);
    }
  }
}

Service SearchState::replace(int64_t expert, Service service) {
  add(expert, -1);
  host(expert, false);
  std::swap(services[expert], service);
  host(expert, true);
  add(expert, 1);
  return service;
}

/// Rows for each replica, so that the ranks that get any end up level.
std::vector<double>
SearchState::levelQuotas(int64_t expert, llvm::ArrayRef<int32_t> ranks) const {
  const Service &now = services[expert];
  std::vector<double> others;
  for (int32_t rank : ranks) {
    double mine = 0;
    auto found = llvm::find(now.ranks, rank);
    for (int64_t source = 0;
         found != now.ranks.end() && source < facts->sources(); ++source) {
      double part = now.isReplicated()
                        ? now.cells[source * now.ranks.size() +
                                    (found - now.ranks.begin())] /
                              double(facts->cellsPerSource())
                        : 1;
      mine += facts->rows(source, expert) * part;
    }
    others.push_back(received[rank] - mine);
  }
  std::vector<double> ascending = others;
  llvm::sort(ascending);
  double level = 0, sum = facts->rowsOf(expert);
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

Service SearchState::leveled(int64_t expert, std::vector<int32_t> ranks) const {
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
  std::vector<double> quotas = levelQuotas(expert, service.ranks);
  size_t count = service.ranks.size();
  std::vector<Claim> claims;
  for (int64_t source = 0; source < facts->sources(); ++source) {
    for (size_t index = 0; index < count; ++index) {
      int32_t distance =
          facts->hasLinks() ? facts->distance(source, service.ranks[index]) : 0;
      claims.push_back({distance, source, index});
    }
  }
  llvm::sort(claims, [](const Claim &a, const Claim &b) {
    return std::tie(a.distance, a.source, a.index) <
           std::tie(b.distance, b.source, b.index);
  });
  service.cells.assign(facts->sources() * count, 0);
  std::vector<int32_t> left(facts->sources(), facts->cellsPerSource());
  for (const Claim &claim : claims) {
    double each = facts->rows(claim.source, expert) / facts->cellsPerSource();
    double wanted = each > 0 ? quotas[claim.index] / each + 0.5
                             : double(left[claim.source]);
    auto cells = static_cast<int32_t>(
        std::min<double>(left[claim.source], std::max(wanted, 0.0)));
    service.cells[claim.source * count + claim.index] += cells;
    left[claim.source] -= cells;
    quotas[claim.index] -= cells * each;
  }
  // What rounding has left goes where most is wanted.
  for (int64_t source = 0; source < facts->sources(); ++source) {
    size_t hungriest = llvm::max_element(quotas) - quotas.begin();
    service.cells[source * count + hungriest] += left[source];
    quotas[hungriest] -=
        left[source] * facts->rows(source, expert) / facts->cellsPerSource();
  }
  return service;
}

//===----------------------------------------------------------------------===//
// The score
//===----------------------------------------------------------------------===//

double SearchState::computeTime(int64_t rank) const {
  return std::max(facts->flopTime * received[rank],
                  facts->rowTime * received[rank] +
                      facts->weightTime * double(busy[rank]));
}

/// As CostModel has it, for flows of all groups' devices.
double SearchState::slowestRamp(ExchangeDirection direction) const {
  bool isDispatch = direction == ExchangeDirection::Dispatch;
  double rowBytes =
      isDispatch ? facts->dispatchRowBytes : facts->combineRowBytes;
  int64_t ranks = facts->ranks();
  Microseconds slowest;
  for (const std::vector<uint8_t> &tiers : facts->pairTiers) {
    std::vector<PeerFlows> sent(ranks), taken(ranks);
    for (int64_t source = 0; source < ranks; ++source) {
      for (int64_t target = 0; target < ranks; ++target) {
        int64_t pair = source * ranks + target;
        int64_t way = isDispatch ? pair : target * ranks + source;
        if (source == target || pairExperts[pair] == 0 ||
            !facts->tiers[tiers[way]].isCalibrated) {
          continue;
        }
        Bytes bytes(pairRows[pair] * rowBytes);
        (isDispatch ? sent[source] : sent[target]).add(bytes);
        (isDispatch ? taken[target] : taken[source]).add(bytes);
      }
    }
    for (int64_t rank = 0; rank < ranks; ++rank) {
      slowest = std::max(slowest, rampTime(*facts->ramps, sent[rank]));
      slowest = std::max(slowest, rampTime(*facts->ramps, taken[rank]));
    }
    steps += ranks * ranks;
  }
  return slowest.value();
}

SearchState::Wire SearchState::wire(ExchangeDirection direction) const {
  bool isDispatch = direction == ExchangeDirection::Dispatch;
  const std::vector<double> &rows = isDispatch ? dispatchRows : combineRows;
  const std::vector<double> &times =
      isDispatch ? facts->dispatchTimes : facts->combineTimes;
  size_t tierCount = facts->tiers.size();
  llvm::SmallVector<double> slowest(tierCount, 0);
  Wire wire;
  for (size_t link = 0; link < rows.size(); ++link) {
    double time = rows[link] * times[link];
    slowest[facts->linkTiers[link]] =
        std::max(slowest[facts->linkTiers[link]], time);
    wire.effort += time * time;
  }
  steps += rows.size();
  const std::vector<std::vector<int32_t>> &messages =
      isDispatch ? dispatchMessages : combineMessages;
  for (size_t tier = 0; tier < tierCount; ++tier) {
    const SearchModel::TierStart &start = facts->tiers[tier];
    if (start.isCalibrated) {
      wire.time = std::max({wire.time, slowest[tier], slowestRamp(direction)});
      continue;
    }
    int32_t most = 0;
    for (size_t list = tier; list < messages.size(); list += tierCount) {
      most = std::max(most, *llvm::max_element(messages[list]));
      steps += facts->ranks();
    }
    double first = most > 0 ? start.latency + start.overhead * most : 0;
    wire.time = std::max(wire.time, slowest[tier] + first);
  }
  return wire;
}

SearchScore SearchState::score() const {
  SearchScore score;
  double most = 0, slowest = 0;
  for (int64_t rank = 0; rank < facts->ranks(); ++rank) {
    double time = computeTime(rank);
    slowest = std::max(slowest, time);
    most = std::max(most, received[rank]);
    score.effort += time * time;
  }
  steps += facts->ranks();
  score.value = slowest + facts->permuteTime * most;
  if (facts->hasLinks()) {
    for (ExchangeDirection direction :
         {ExchangeDirection::Dispatch, ExchangeDirection::Combine}) {
      Wire part = wire(direction);
      score.value += part.time;
      score.effort += part.effort;
    }
  }
  return score;
}

//===----------------------------------------------------------------------===//
// Where it is slow
//===----------------------------------------------------------------------===//

/// Marks the ranks that serve rows over the slowest link of each tier.
void SearchState::markServers(ExchangeDirection direction,
                              std::vector<bool> &isHot) const {
  bool isDispatch = direction == ExchangeDirection::Dispatch;
  const std::vector<double> &rows = isDispatch ? dispatchRows : combineRows;
  const std::vector<double> &times =
      isDispatch ? facts->dispatchTimes : facts->combineTimes;
  size_t slowest = 0;
  for (size_t link = 1; link < rows.size(); ++link) {
    if (rows[link] * times[link] > rows[slowest] * times[slowest]) {
      slowest = link;
    }
  }
  for (int64_t source = 0; source < facts->ranks(); ++source) {
    for (int64_t target = 0; target < facts->ranks(); ++target) {
      if (pairExperts[source * facts->ranks() + target] == 0 || isHot[target]) {
        continue;
      }
      isHot[target] =
          llvm::is_contained(isDispatch ? facts->path(source, target)
                                        : facts->path(target, source),
                             slowest);
    }
  }
  steps += facts->ranks() * facts->ranks();
}

std::vector<int64_t> SearchState::hotRanks() const {
  std::vector<bool> isHot(facts->ranks());
  int64_t slowest = 0;
  for (int64_t rank = 1; rank < facts->ranks(); ++rank) {
    if (computeTime(rank) > computeTime(slowest)) {
      slowest = rank;
    }
  }
  isHot[slowest] = true;
  if (facts->hasLinks()) {
    markServers(ExchangeDirection::Dispatch, isHot);
    markServers(ExchangeDirection::Combine, isHot);
  }
  std::vector<int64_t> ranks;
  for (int64_t rank = 0; rank < facts->ranks(); ++rank) {
    if (isHot[rank]) {
      ranks.push_back(rank);
    }
  }
  return ranks;
}

//===----------------------------------------------------------------------===//
// As data
//===----------------------------------------------------------------------===//

/// Each source's cells in the order of the slots.
ReplicaTable SearchState::tableOf(int64_t expert,
                                  llvm::ArrayRef<int64_t> slots) const {
  const Service &service = services[expert];
  std::vector<ReplicaTable::Run> runs;
  int64_t cell = 0;
  for (int64_t source = 0; source < facts->ranks(); ++source) {
    for (size_t index = 0; index < slots.size(); ++index) {
      int32_t cells = service.cells[source * slots.size() + index];
      if (cells > 0) {
        runs.push_back({cell, slots[index]});
      }
      cell += cells;
    }
  }
  return ReplicaTable(cell, runs);
}

PlacementData SearchState::data() const {
  const PlacementProblem &problem = facts->problem;
  PlacementData data;
  data.expertCount = facts->experts();
  std::vector<std::vector<int64_t>> slots(facts->experts());
  int64_t slot = 0;
  for (int64_t rank = 0; rank < facts->ranks(); ++rank) {
    std::vector<int64_t> &experts = data.expertsByRank.emplace_back(
        hosted[rank].begin(), hosted[rank].end());
    for (int64_t expert : experts) {
      slots[expert].push_back(slot++);
    }
    slot += problem.slotsByRank[rank] - experts.size();
    experts.resize(problem.slotsByRank[rank], -1);
  }
  if (facts->hasLinks()) {
    for (int64_t expert = 0; expert < facts->experts(); ++expert) {
      if (services[expert].isReplicated()) {
        data.replicaTables[expert] = tableOf(expert, slots[expert]);
      }
    }
  }
  return data;
}
