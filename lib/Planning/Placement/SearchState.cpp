//===- SearchState.cpp - A placement's value, kept while it changes -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SearchState.h"
#include "../PeerFlows.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

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

void HostedExperts::add(int32_t expert, const Service &service) {
  for (int32_t rank : service.ranks) {
    std::vector<int32_t> &experts = expertsByRank[rank];
    experts.insert(llvm::lower_bound(experts, expert), expert);
  }
}

void HostedExperts::remove(int32_t expert, const Service &service) {
  for (int32_t rank : service.ranks) {
    std::vector<int32_t> &experts = expertsByRank[rank];
    experts.erase(llvm::lower_bound(experts, expert));
  }
}

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
    hosted.add(expert, this->services[expert]);
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

Service SearchState::replace(int64_t expert, Service service) {
  add(expert, -1);
  hosted.remove(expert, services[expert]);
  std::swap(services[expert], service);
  hosted.add(expert, services[expert]);
  add(expert, 1);
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
  for (llvm::ArrayRef<SearchModel::RankPair> pairs : facts->rampPairs) {
    std::vector<PeerFlows> sent(ranks), taken(ranks);
    for (auto [source, target] : pairs) {
      int64_t pair = source * ranks + target;
      if (pairExperts[pair] == 0) {
        continue;
      }
      // A way back is as long as the way there.
      Bytes bytes(pairRows[pair] * rowBytes);
      (isDispatch ? sent[source] : sent[target]).add(bytes);
      (isDispatch ? taken[target] : taken[source]).add(bytes);
    }
    for (int64_t rank = 0; rank < ranks; ++rank) {
      slowest = std::max(slowest, rampTime(*facts->ramps, sent[rank]));
      slowest = std::max(slowest, rampTime(*facts->ramps, taken[rank]));
    }
    steps += pairs.size() + ranks;
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

/// Whether the rank serves any rows or cells of an expert that it has.
bool SearchState::isServing(int64_t expert, int32_t rank) const {
  const Service &service = services[expert];
  size_t count = service.ranks.size();
  if (count < 2) {
    return true;
  }
  size_t index = llvm::find(service.ranks, rank) - service.ranks.begin();
  for (size_t cell = index; cell < service.cells.size(); cell += count) {
    if (service.cells[cell] > 0) {
      return true;
    }
  }
  return false;
}

PlacementData SearchState::data() const {
  const PlacementProblem &problem = facts->problem;
  PlacementData data;
  data.expertCount = facts->experts();
  // A slot for each of the ranks of an expert; -1 where it serves nobody.
  std::vector<std::vector<int64_t>> slots(facts->experts());
  int64_t first = 0;
  for (int32_t rank = 0; rank < facts->ranks(); ++rank) {
    std::vector<int64_t> &experts = data.expertsByRank.emplace_back();
    for (int32_t expert : hosted[rank]) {
      bool isKept = isServing(expert, rank);
      slots[expert].push_back(isKept ? first + experts.size() : -1);
      if (isKept) {
        experts.push_back(expert);
      }
    }
    experts.resize(problem.slotsByRank[rank], -1);
    first += experts.size();
  }
  for (int64_t expert = 0; expert < facts->experts(); ++expert) {
    size_t kept = slots[expert].size() - llvm::count(slots[expert], -1);
    if (facts->hasLinks() && kept > 1) {
      data.replicaTables[expert] = tableOf(expert, slots[expert]);
    }
  }
  return data;
}
