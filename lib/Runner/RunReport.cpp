// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/RunReport.h"

#include "llvm/Support/FormatVariadic.h"

#include <numeric>

using namespace moe::runner;
using namespace moe::report;
using llvm::formatv;
using moe::planning::ExchangeTraffic;
namespace planning = moe::planning;
using moe::planning::TokenRange;
using moe::planning::Topology;
using moe::planning::Traffic;

/// Ranks that a table lists; the notes speak of all.
static constexpr size_t maxListedRanks = 64;

static Table layerTable(const Session &session, const LayerRun &run,
                        llvm::StringRef module, llvm::StringRef check) {
  const LayerFacts &facts = session.facts();
  double seconds = run.measurement.seconds;
  double tokens = run.result.output.rows;
  auto count = [](llvm::StringRef what, double value) {
    return Fact{{what.str(), ColumnKind::Count}, value};
  };
  auto text = [](llvm::StringRef what, llvm::StringRef value) {
    return Fact{{what.str()}, value.empty() ? Cell() : Cell(value.str())};
  };
  return moe::report::makeRecord(
      "layer",
      {text("module", module),
       text("layer", facts.layer),
       count("experts", facts.experts),
       count("experts of a token", facts.choices),
       count("hidden size", facts.hidden),
       text("dtype", name(facts.type)),
       count("tokens", tokens),
       text("mesh", facts.mesh),
       count("ranks", facts.ranks),
       text("transport", "threads"),
       text("topology", facts.topology),
       text("placement", facts.placementPolicy),
       text("exchange", facts.exchange),
       text("CPU", facts.cpu),
       {{"packed weights", ColumnKind::Bytes},
        static_cast<double>(session.weightBytes())},
       text("weights are in", session.weightsAreOnDisk() ? "file" : "memory"),
       {{"time", ColumnKind::Time}, seconds * 1e6},
       {{"speed", ColumnKind::Number, "tokens/s", 0},
        seconds > 0 ? Cell(tokens / seconds) : Cell()},
       text("check", check)});
}

static Table phaseTable(const LayerRun &run) {
  const RunMeasurement &measured = run.measurement;
  Table table;
  table.name = "phases";
  table.title = "time by phase";
  table.columns = {{"phase"},
                   {"mean of ranks", ColumnKind::Time, "", 2, "mean"},
                   {"slowest rank", ColumnKind::Time, "", 2, "slowest"},
                   {"share", ColumnKind::Share}};
  double all = 0;
  for (const RankMeasurement &rank : measured.ranks) {
    all = std::accumulate(rank.phaseNanoseconds.begin(),
                          rank.phaseNanoseconds.end(), all);
  }
  for (moert_phase phase = 0; phase < MOERT_PHASE_COUNT; ++phase) {
    double sum = 0, most = 0;
    for (const RankMeasurement &rank : measured.ranks) {
      double time = rank.phaseNanoseconds[phase];
      sum += time;
      most = std::max(most, time);
    }
    table.add({std::string(moert_phase_name(phase)),
               sum / measured.ranks.size() / 1e3, most / 1e3,
               all > 0 ? Cell(sum / all) : Cell()});
  }
  table.notes.push_back("waiting is for other ranks or for a core");
  return table;
}

/// What the expected bytes are of.
static std::string describe(const planning::ExpertShares &loads) {
  return loads.isAssumedUniform   ? "for loads that are even"
         : loads.bySource.empty() ? "for the plan's loads, alike on every rank"
                                  : "for the plan's loads by source rank";
}

static Table trafficTable(const LayerTraffic &traffic,
                          const ExchangeTraffic &expected,
                          const ExchangeTraffic &planned,
                          const CountedTraffic &counted) {
  const Topology &topology = traffic.topology;
  Table table;
  table.name = "traffic";
  table.title = "bytes by tier";
  table.columns = {
      {"tier"},
      {"expected", ColumnKind::Bytes},
      {"planned on this routing", ColumnKind::Bytes, "", 2, "planned"},
      {"counted", ColumnKind::Bytes},
      {"messages planned", ColumnKind::Count},
      {"messages counted", ColumnKind::Count},
      {"other collectives", ColumnKind::Bytes}};
  auto add = [&](const std::string &name, const Traffic &expectedHere,
                 const Traffic &plannedHere, const Traffic &countedHere,
                 const Traffic &otherHere) {
    table.add({name, expectedHere.total().value(), plannedHere.total().value(),
               countedHere.total().value(), plannedHere.messages,
               countedHere.messages, otherHere.total().value()});
  };
  for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
    add(topology.tier(tier).name, expected.tiers[tier], planned.tiers[tier],
        counted.exchange.tiers[tier], counted.other.tiers[tier]);
  }
  add("within a rank", expected.local, planned.local, counted.exchange.local,
      counted.other.local);
  std::string mismatch = compareTraffic(topology, planned, counted.exchange);
  table.notes.push_back("expected: " + describe(traffic.loads) +
                        "; other collectives are not part of dispatch and "
                        "combine");
  if (!mismatch.empty()) {
    table.notes.push_back(mismatch);
  }
  return table;
}

namespace {
/// Rows by rank of a run, and what they would have been before the placement
/// was replaced.
struct RankRows {
  std::vector<double> now;
  std::optional<std::vector<double>> before;
};
} // namespace

static double largestOverMean(const std::vector<double> &rows) {
  double sum = std::accumulate(rows.begin(), rows.end(), 0.0);
  return *std::max_element(rows.begin(), rows.end()) * rows.size() / sum;
}

static llvm::Expected<RankRows> countRows(const Session &session,
                                          const RoutingArray &routing) {
  llvm::Expected<std::vector<double>> now =
      session.traffic().rowsByRank(routing);
  if (!now) {
    return now.takeError();
  }
  RankRows rows{std::move(*now), std::nullopt};
  if (!session.planned().replaced) {
    return rows;
  }
  LayerTraffic traffic = session.traffic();
  traffic.placement = *session.planned().replaced;
  llvm::Expected<std::vector<double>> before = traffic.rowsByRank(routing);
  if (!before) {
    return before.takeError();
  }
  rows.before = std::move(*before);
  return rows;
}

static Table loadTable(const Session &session, const LayerRun &run,
                       const RankRows &counted) {
  const LayerTraffic &traffic = session.traffic();
  const std::vector<double> &rows = counted.now;
  Table table;
  table.name = "ranks";
  table.title = "load of each rank";
  table.columns = {
      {"rank", ColumnKind::Count},
      {"device", ColumnKind::Count},
      {"tokens", ColumnKind::Count},
      {"experts", ColumnKind::Count},
      {"rows", ColumnKind::Count},
      {"rows / mean", ColumnKind::Number, "", 3, "rows_over_mean"}};
  if (counted.before) {
    table.columns.push_back({"rows before", ColumnKind::Count});
  }
  double mean = std::accumulate(rows.begin(), rows.end(), 0.0) / rows.size();
  for (size_t rank = 0; rank < std::min(rows.size(), maxListedRanks); ++rank) {
    int64_t device = traffic.mesh.deviceAt(rank);
    TokenRange tokens = planning::tokenRange(
        run.result.output.rows, traffic.mesh.groupSize(traffic.tokenAxes),
        traffic.mesh.indexInGroup(device, traffic.tokenAxes));
    int64_t place = traffic.mesh.indexInGroup(device, traffic.expertAxes);
    table.add({static_cast<double>(rank), static_cast<double>(device),
               static_cast<double>(tokens.size()),
               static_cast<double>(traffic.placement.expertsOn(place)),
               rows[rank], mean > 0 ? Cell(rows[rank] / mean) : Cell()});
    if (counted.before) {
      table.rows.back().push_back((*counted.before)[rank]);
    }
  }
  if (rows.size() > maxListedRanks) {
    table.notes.push_back(
        formatv("the first {0} of {1} ranks", maxListedRanks, rows.size()));
  }
  if (mean > 0) {
    std::string note = formatv("the largest load is {0:F3} of the mean",
                               largestOverMean(rows));
    if (counted.before) {
      note += formatv("; before the placement was replaced it was {0:F3}",
                      largestOverMean(*counted.before));
    }
    table.notes.push_back(std::move(note));
  }
  return table;
}

llvm::Expected<Report> moe::runner::makeRunReport(const Session &session,
                                                  const LayerRun &run,
                                                  llvm::StringRef module,
                                                  llvm::StringRef check) {
  const LayerTraffic &traffic = session.traffic();
  llvm::Expected<ExchangeTraffic> planned = traffic.plan(run.result.routing);
  if (!planned) {
    return planned.takeError();
  }
  llvm::Expected<RankRows> rows = countRows(session, run.result.routing);
  if (!rows) {
    return rows.takeError();
  }
  Report report;
  report.title = "moe-run";
  report.tables.push_back(layerTable(session, run, module, check));
  report.tables.push_back(phaseTable(run));
  report.tables.push_back(
      trafficTable(traffic, traffic.expect(run.result.output.rows), *planned,
                   sumTraffic(run.measurement, traffic.topology.tierCount())));
  report.tables.push_back(loadTable(session, run, *rows));
  return report;
}
