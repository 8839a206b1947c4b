// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/RunReport.h"

#include "llvm/ADT/StringExtras.h"
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

using Facts = std::vector<Fact>;

static Fact count(llvm::StringRef what, double value) {
  return {{what.str(), ColumnKind::Count}, value};
}

static Fact text(llvm::StringRef what, llvm::StringRef value) {
  return {{what.str()}, value.empty() ? Cell() : Cell(value.str())};
}

/// What one layer is, and how it was planned.
static std::pair<Facts, Facts> describeLayer(const PlannedLayer &layer) {
  return {{text("layer", layer.name), count("experts", layer.experts),
           count("experts of a token", layer.traffic.choices)},
          {text("placement", layer.placementPolicy),
           text("exchange", layer.exchange())}};
}

/// What the program is and how it ran. One layer is shown with it; several have
/// a table of their own.
static void addProgram(const Session &session, const ProgramRun &run,
                       const RunCaption &caption, Report &report) {
  const ProgramFacts &facts = session.facts();
  const Port &input =
      *session.planned().layout.findArgument(Port::Role::Tokens);
  bool isLayer = session.layers().size() == 1;
  Facts what, how;
  if (isLayer) {
    std::tie(what, how) = describeLayer(session.layers().front());
  }
  double seconds = run.measurement.seconds;
  double tokens = run.result.outputs.front().rows;
  Facts record = {text("module", caption.module)};
  llvm::append_range(record, what);
  llvm::append_range(
      record, Facts{count("hidden size", input.columns),
                    text("dtype", name(input.type)), count("tokens", tokens),
                    text("mesh", facts.mesh), count("ranks", facts.ranks),
                    text("transport", session.transport()),
                    text("topology", facts.topology)});
  llvm::append_range(record, how);
  llvm::append_range(record,
                     Facts{text("CPU", facts.cpu),
                           {{"packed weights", ColumnKind::Bytes},
                            static_cast<double>(session.weightBytes())},
                           text("weights are in",
                                session.weightsAreOnDisk() ? "file" : "memory"),
                           {{"time", ColumnKind::Time}, seconds * 1e6},
                           {{"speed", ColumnKind::Number, "tokens/s", 0},
                            seconds > 0 ? Cell(tokens / seconds) : Cell()},
                           text("check", caption.check)});
  report.tables.push_back(
      makeRecord(isLayer ? "layer" : "program", std::move(record)));
  if (isLayer) {
    return;
  }
  Table table;
  table.name = table.title = "layers";
  for (const PlannedLayer &layer : session.layers()) {
    auto [first, second] = describeLayer(layer);
    llvm::append_range(first, second);
    table.columns.clear();
    std::vector<Cell> row;
    for (Fact &fact : first) {
      table.columns.push_back(fact.column);
      row.push_back(std::move(fact.value));
    }
    table.add(std::move(row));
  }
  report.tables.push_back(std::move(table));
}

static Table phaseTable(const Session &session, const ProgramRun &run) {
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
  if (session.transport() != "threads") {
    table.notes.push_back("on devices these are times of the host, which "
                          "queues work and waits for it; emulated devices do "
                          "theirs meanwhile, and their time says nothing of "
                          "hardware");
  }
  return table;
}

/// What the expected bytes are of.
static std::string describe(const planning::ExpertShares &loads) {
  return loads.isAssumedUniform   ? "for loads that are even"
         : loads.bySource.empty() ? "for the plan's loads, alike on every rank"
                                  : "for the plan's loads by source rank";
}

namespace {
/// Of all layers together.
struct RunTraffic {
  ExchangeTraffic expected;
  ExchangeTraffic planned;
  CountedTraffic counted;
};
} // namespace

static llvm::Expected<RunTraffic> sumLayers(const Session &session,
                                            const ProgramRun &run) {
  size_t tiers = session.planned().topology.tierCount();
  RunTraffic sum{noTraffic(tiers), noTraffic(tiers), {}};
  for (auto [layer, routing] :
       llvm::zip_equal(session.layers(), run.result.routings)) {
    llvm::Expected<ExchangeTraffic> planned = layer.traffic.plan(routing);
    if (!planned) {
      return planned.takeError();
    }
    sum.planned += *planned;
    sum.expected += layer.traffic.expect(routing.tokens);
  }
  sum.counted = sumTraffic(run.measurement, tiers, [&](int64_t number) {
    return session.planned().isPlanned(number);
  });
  return sum;
}

static Table trafficTable(const Session &session, const RunTraffic &traffic) {
  const auto &[expected, planned, counted] = traffic;
  const Topology &topology = session.planned().topology;
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
  std::vector<std::string> loads;
  for (const PlannedLayer &layer : session.layers()) {
    loads.push_back(describe(layer.traffic.loads));
  }
  loads.erase(std::unique(loads.begin(), loads.end()), loads.end());
  table.notes.push_back(
      (loads.empty() ? "" : "expected: " + llvm::join(loads, ", ") + "; ") +
      "other collectives are not part of dispatch and "
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

static llvm::Expected<RankRows> countRows(const PlannedLayer &layer,
                                          const RoutingArray &routing) {
  llvm::Expected<std::vector<double>> now = layer.traffic.rowsByRank(routing);
  if (!now) {
    return now.takeError();
  }
  RankRows rows{std::move(*now), std::nullopt};
  if (!layer.replaced) {
    return rows;
  }
  LayerTraffic traffic = layer.traffic;
  traffic.placement = *layer.replaced;
  llvm::Expected<std::vector<double>> before = traffic.rowsByRank(routing);
  if (!before) {
    return before.takeError();
  }
  rows.before = std::move(*before);
  return rows;
}

static Table loadTable(const PlannedLayer &layer, int64_t tokens,
                       const RankRows &counted) {
  const LayerTraffic &traffic = layer.traffic;
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
    TokenRange share = planning::tokenRange(
        tokens, traffic.mesh.groupSize(traffic.tokenAxes),
        traffic.mesh.indexInGroup(device, traffic.tokenAxes));
    int64_t place = traffic.mesh.indexInGroup(device, traffic.expertAxes);
    table.add({static_cast<double>(rank), static_cast<double>(device),
               static_cast<double>(share.size()),
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
                                                  const ProgramRun &run,
                                                  const RunCaption &caption) {
  llvm::Expected<RunTraffic> traffic = sumLayers(session, run);
  if (!traffic) {
    return traffic.takeError();
  }
  Report report;
  report.title = "moe-run";
  addProgram(session, run, caption, report);
  report.tables.push_back(phaseTable(session, run));
  report.tables.push_back(trafficTable(session, *traffic));
  for (auto [layer, routing] :
       llvm::zip_equal(session.layers(), run.result.routings)) {
    llvm::Expected<RankRows> rows = countRows(layer, routing);
    if (!rows) {
      return rows.takeError();
    }
    report.tables.push_back(loadTable(layer, routing.tokens, *rows));
    if (session.layers().size() > 1) {
      Table &table = report.tables.back();
      table.title += " in layer " + layer.name;
      table.about = {text("layer", layer.name)};
    }
  }
  return report;
}
