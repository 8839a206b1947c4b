//===- PlacementTables.cpp - Placements as tables -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/PlanReport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <map>
#include <numeric>

using namespace moe::report;
using namespace moe::planning;
using llvm::formatv;

/// Which of the values are the largest, ascending; all where there are at most
/// so many.
static std::vector<size_t> findLargest(llvm::ArrayRef<double> values,
                                       size_t most) {
  std::vector<size_t> places(values.size());
  std::iota(places.begin(), places.end(), 0);
  if (places.size() > most) {
    llvm::sort(places, [&](size_t left, size_t right) {
      return values[left] != values[right] ? values[left] > values[right]
                                           : left < right;
    });
    places.resize(most);
    llvm::sort(places);
  }
  return places;
}

//===----------------------------------------------------------------------===//
// Ranks
//===----------------------------------------------------------------------===//

/// The experts that a rank hosts.
static Numbers expertsOf(const Placement &placement, int64_t rank) {
  Numbers experts;
  for (int32_t expert : placement.tablesFor(rank).hostedExperts) {
    if (expert >= 0) {
      experts.push_back(expert);
    }
  }
  return experts;
}

Table moe::report::placementTable(llvm::StringRef title,
                                  const Placement &placement,
                                  const ExpertShares &loads, size_t most) {
  Table table;
  table.name = "placement";
  table.title = title.str();
  table.columns = {{"rank", ColumnKind::Count},
                   {"load", ColumnKind::Share},
                   {"load / mean", ColumnKind::Number, "", 3, "load_over_mean"},
                   {"slots", ColumnKind::Count},
                   {"experts", ColumnKind::Text}};
  std::vector<double> ranks = rankShares(placement, loads);
  double mean = 1 / double(ranks.size());
  for (size_t rank : findLargest(ranks, most)) {
    table.add({double(rank), ranks[rank], ranks[rank] / mean,
               double(placement.slotsOn(rank)), expertsOf(placement, rank)});
  }
  if (ranks.size() > most) {
    table.notes.push_back(formatv("the {0} of {1} ranks that have most to do",
                                  most, ranks.size()));
  }
  double largest = *std::max_element(ranks.begin(), ranks.end());
  table.notes.push_back(
      formatv("{0} experts in {1} slots over {2} ranks, {3} slots in each "
              "rank's code; largest load {4:F3} of the mean",
              placement.expertCount(), placement.slotCount(),
              placement.rankCount(), placement.localSlots(), largest / mean)
          .str());
  if (placement.hasReplicas()) {
    int64_t replicated = 0;
    for (int64_t expert = 0; expert < placement.expertCount(); ++expert) {
      replicated += placement.slotsOf(expert).size() > 1;
    }
    table.notes.push_back(formatv("replicated experts: {0}", replicated));
  }
  if (loads.isAssumedUniform) {
    table.notes.push_back("no loads given: every expert is assumed to get the "
                          "same load");
  }
  return table;
}

//===----------------------------------------------------------------------===//
// Replicas
//===----------------------------------------------------------------------===//

/// For each slot of an expert, the token classes that it serves of each source
/// rank that it serves at all.
using ServedClasses = std::map<int64_t, std::map<int64_t, Numbers>>;

static ServedClasses servedClasses(const Placement &placement, int64_t expert,
                                   const ReplicaTable &table) {
  ServedClasses served;
  for (int64_t slot : placement.slotsOf(expert)) {
    served[slot];
  }
  for (auto [index, run] : llvm::enumerate(table.runs())) {
    int64_t end = run.begin + table.lengthOf(index);
    for (int64_t cell = run.begin; cell < end; ++cell) {
      served[run.slot][cell / tokenClasses].push_back(cell % tokenClasses);
    }
  }
  return served;
}

namespace {
/// Source ranks that a slot serves alike.
struct AlikeSources {
  /// Of the first of them.
  Numbers classes;
  Numbers sources;
};
} // namespace

/// The first come first; a slot that serves nobody has one entry without any.
static std::vector<AlikeSources>
groupAlike(const std::map<int64_t, Numbers> &bySource, ReplicaDetail detail) {
  std::vector<AlikeSources> groups;
  for (const auto &entry : bySource) {
    const Numbers &classes = entry.second;
    auto same = llvm::find_if(groups, [&](const AlikeSources &group) {
      return detail == ReplicaDetail::Classes
                 ? group.classes == classes
                 : group.classes.size() == classes.size();
    });
    if (same == groups.end()) {
      same = groups.insert(same, {classes, {}});
    }
    same->sources.push_back(entry.first);
  }
  if (groups.empty()) {
    groups.emplace_back();
  }
  return groups;
}

Table moe::report::replicaTable(llvm::StringRef title,
                                const Placement &placement,
                                ReplicaDetail detail,
                                llvm::ArrayRef<double> shares, size_t most) {
  Table table;
  table.name = "replicas";
  table.title = title.str();
  table.columns = {{"expert", ColumnKind::Count},
                   {"slot", ColumnKind::Count},
                   {"on rank", ColumnKind::Count, "", 2, "rank"},
                   {"of 64 tokens", ColumnKind::Count, "", 2, "tokens_of_64"},
                   {"from ranks", ColumnKind::Text, "", 2, "sources"}};
  if (detail == ReplicaDetail::Classes) {
    table.columns.push_back({"token classes"});
  }
  PlacementData data = placement.data();
  std::vector<double> replicated;
  for (const auto &entry : data.replicaTables) {
    replicated.push_back(shares.empty() ? 0 : shares[entry.first]);
  }
  std::vector<size_t> shown = findLargest(replicated, most);
  for (auto [place, entry] : llvm::enumerate(data.replicaTables)) {
    if (!llvm::is_contained(shown, place)) {
      continue;
    }
    const auto &[expert, replicas] = entry;
    for (const auto &[slot, bySource] :
         servedClasses(placement, expert, replicas)) {
      for (AlikeSources &alike : groupAlike(bySource, detail)) {
        Row row = {double(expert), double(slot),
                   double(placement.rankOfSlot(slot)),
                   double(alike.classes.size()), std::move(alike.sources)};
        if (detail == ReplicaDetail::Classes) {
          row.push_back(std::move(alike.classes));
        }
        table.add(std::move(row));
      }
    }
  }
  if (replicated.size() > most) {
    table.notes.push_back(
        formatv("the {0} of {1} replicated experts that have most to do", most,
                replicated.size()));
  }
  table.notes.push_back(
      formatv("of {0} consecutive tokens of a rank that choose the expert, so "
              "many are served by the slot",
              tokenClasses));
  return table;
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

std::string moe::report::slowestLinkOf(const Topology &topology,
                                       const PlacementTime &time) {
  std::string name;
  Microseconds slowest;
  for (const ExchangeCost *cost : {&time.dispatch, &time.combine}) {
    for (const TierCost &tier : cost->tiers) {
      if (tier.slowestLink && tier.time > slowest) {
        slowest = tier.time;
        name = topology.linkName(*tier.slowestLink);
      }
    }
  }
  return name;
}

Table moe::report::boundsTable(llvm::StringRef title,
                               const PlacementResult &result,
                               const Topology *topology) {
  auto number = [](llvm::StringRef name, llvm::StringRef key, double value) {
    return Fact{{name.str(), ColumnKind::Number, "", 3, key.str()}, value};
  };
  double mean = result.loads.mean;
  std::vector<Fact> facts = {
      number("largest load over the mean", "load_over_mean",
             result.loads.maxOverMean()),
      number("no placement is below", "load_bound_over_mean",
             result.loadBound.value / mean),
      {{"gap", ColumnKind::Share, "", 2, "load_gap"}, result.loadGap()},
      {{"because of", ColumnKind::Text, "", 2, "load_bound_argument"},
       result.loadBound.argument}};
  bool isTimed = topology && result.time && result.timeBound;
  auto time = [&](llvm::StringRef name, llvm::StringRef key, double value) {
    facts.push_back({{name.str(), ColumnKind::Time, "", 2, key.str()},
                     isTimed ? Cell(value) : Cell()});
  };
  auto text = [&](llvm::StringRef name, llvm::StringRef key,
                  const std::string &value) {
    facts.push_back({{name.str(), ColumnKind::Text, "", 2, key.str()},
                     value.empty() ? Cell() : Cell(value)});
  };
  PlacementTime known = isTimed ? *result.time : PlacementTime();
  time("time of a step", "time", isTimed ? known.total().value() : 0);
  time("  dispatch and combine", "exchange",
       isTimed ? known.exchange().value() : 0);
  text("  slowest link", "slowest_link",
       isTimed ? slowestLinkOf(*topology, known) : "");
  time("  experts of the slowest rank", "compute",
       isTimed ? known.compute().value() : 0);
  time("no placement takes less than", "time_bound",
       isTimed ? result.timeBound->value : 0);
  facts.push_back({{"gap of the time", ColumnKind::Share, "", 2, "time_gap"},
                   isTimed ? Cell(result.timeGap()) : Cell()});
  text("because of", "time_bound_argument",
       isTimed ? result.timeBound->argument : "");
  Table table = makeRecord("bounds", std::move(facts));
  table.title = title.str();
  return table;
}

Table moe::report::summaryTable(llvm::ArrayRef<MeasuredPlacement> placements) {
  Table table;
  table.name = "summary";
  table.title = "layers";
  table.columns = {
      {"layers", ColumnKind::Text},
      {"placement", ColumnKind::Text},
      {"load / mean", ColumnKind::Number, "", 3, "load_over_mean"},
      {"none is below", ColumnKind::Number, "", 3, "load_bound_over_mean"},
      {"gap", ColumnKind::Share, "", 2, "load_gap"},
      {"time of a step", ColumnKind::Time, "", 2, "time"},
      {"none takes less", ColumnKind::Time, "", 2, "time_bound"},
      {"slowest link", ColumnKind::Text}};
  for (const MeasuredPlacement &each : placements) {
    const PlacementResult &result = *each.result;
    bool isTimed = each.topology && result.time && result.timeBound;
    table.add(
        {each.layers, each.origin, result.loads.maxOverMean(),
         result.loadBound.value / result.loads.mean, result.loadGap(),
         isTimed ? Cell(result.time->total().value()) : Cell(),
         isTimed ? Cell(result.timeBound->value) : Cell(),
         isTimed ? Cell(slowestLinkOf(*each.topology, *result.time)) : Cell()});
  }
  return table;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Table moe::report::rankMemoryTable(llvm::ArrayRef<MemoryEstimate> ranks,
                                   size_t most) {
  Table table;
  table.name = "memory";
  table.title = "memory of a device of each rank";
  table.columns = {{"rank", ColumnKind::Count},
                   {"experts", ColumnKind::Bytes},
                   {"replicas", ColumnKind::Bytes},
                   {"dense weights", ColumnKind::Bytes, "", 2, "dense"},
                   {"exchange buffers", ColumnKind::Bytes, "", 2, "buffers"},
                   {"cache", ColumnKind::Bytes},
                   {"sum", ColumnKind::Bytes},
                   {"usable", ColumnKind::Bytes},
                   {"to spare", ColumnKind::Bytes, "", 2, "spare"}};
  std::vector<double> totals;
  for (const MemoryEstimate &estimate : ranks) {
    totals.push_back(estimate.total().value());
  }
  if (ranks.size() > most) {
    table.notes.push_back(
        formatv("the {0} fullest of {1} ranks", most, ranks.size()));
  }
  for (size_t rank : findLargest(totals, most)) {
    const MemoryEstimate &estimate = ranks[rank];
    bool isKnown = estimate.usable > Bytes();
    Bytes spare = estimate.usable - estimate.total();
    table.add({double(rank), (estimate.experts + estimate.scales).value(),
               estimate.replicas.value(), estimate.dense.value(),
               estimate.buffers.value(), estimate.cache.value(),
               estimate.total().value(),
               isKnown ? Cell(estimate.usable.value()) : Cell(),
               isKnown ? Cell(spare.value()) : Cell()});
  }
  return table;
}
