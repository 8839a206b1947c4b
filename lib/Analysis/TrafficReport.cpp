// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EqualLayers.h"
#include "moe/Analysis/AxisTraffic.h"
#include "moe/Analysis/PlanAttributes.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
namespace report = ::moe::report;
using llvm::formatv;

/// What travels along the axes in a step, as the mapping to tiers was chosen
/// by, at the device order that the mesh has.
static report::Table makeAxisTable(const PlanFacts &facts,
                                   ArrayRef<EqualLayers> groups) {
  using report::ColumnKind;
  report::Table table;
  table.name = "axes";
  table.title = "axes";
  table.columns = {{"traffic", ColumnKind::Text},
                   {"axes", ColumnKind::Text},
                   {"collective", ColumnKind::Text},
                   {"bytes a device", ColumnKind::Bytes, "", 2, "device"},
                   {"times a step", ColumnKind::Count},
                   {"time a step", ColumnKind::Time}};
  comm::MeshOp mesh = facts.meshOp;
  auto module = mesh->getParentOfType<ModuleOp>();
  AxisRoles roles = AxisRoles::getRecorded(module, facts.mesh);
  roles.tokens = facts.tokenAxes;
  if (!groups.empty()) {
    roles.experts = groups.front().data.expertAxes;
    roles.expertColumns = groups.front().data.columnAxes;
  }
  planning::CostModel model(facts.devices.topology);
  for (const planning::AxisTraffic &record : collectAxisTraffic(
           module, facts.mesh, roles, facts.layers, facts.tokens)) {
    std::string axes;
    for (const planning::AxisRef &axis : record.axes) {
      axes += (axes.empty() ? "" : ", ") + axis.toString();
    }
    planning::Microseconds time =
        model.collectiveTime(record.kind, record.bytes,
                             facts.mesh.groups(record.axes)) *
        record.count;
    table.add({record.label, axes, planning::toString(record.kind).str(),
               record.bytes.value(), record.count, time.value()});
    if (record.origin == planning::AxisTraffic::Origin::Modelled) {
      table.notes.push_back(
          formatv("'{0}' is modelled, not in this graph", record.label));
    }
  }
  return table;
}

static planning::ExchangeTraffic scale(const planning::ExchangeTraffic &traffic,
                                       size_t times) {
  planning::ExchangeTraffic sum;
  sum.tiers.resize(traffic.tiers.size());
  for (size_t time = 0; time < times; ++time) {
    sum += traffic;
  }
  return sum;
}

namespace {
/// Writes the tables of the layers' exchanges and adds them up.
class ExchangeTables {
public:
  ExchangeTables(const PlanFacts &facts, report::Report &report)
      : facts(facts), report(report), model(facts.devices.topology) {
    sum.tiers.resize(facts.devices.topology.tierCount());
  }

  void add(const EqualLayers &group) {
    ExchangeOp op = group.getExchange();
    ExchangeChoice choice{toPlanning(op.getForm()),
                          static_cast<int64_t>(op.getBound())};
    LayerExchange exchange = makeExchange(facts, group.data, choice);
    std::vector<planning::GroupCounts> expected =
        getExpectedRows(facts, group.data);
    std::string title =
        formatv("{0}: {1}, at most {2} rows a rank", group.getTitle(),
                planning::toString(choice.form).str(), choice.bound);
    std::vector<report::TrafficEntry> traffic;
    std::vector<report::CostEntry> costs;
    for (const planning::ExchangePlan *plan :
         {&exchange.dispatch, &exchange.combine}) {
      std::string name = planning::toString(plan->request().direction).str();
      traffic.push_back({name, "expected",
                         getTraffic(*plan, facts.devices.topology, expected)});
      costs.push_back({name, model.exchangeCost(*plan, expected)});
      sum += scale(traffic.back().traffic, group.layers.size());
      time +=
          costs.back().cost.total() * static_cast<double>(group.layers.size());
    }
    report.tables.push_back(report::trafficTable(
        title + ", all ranks together", facts.devices.topology, traffic));
    report.tables.back().about = group.describe();
    report.tables.back().about.push_back(
        {{"form"}, planning::toString(choice.form).str()});
    report.tables.back().about.push_back(
        {{"bound rows"}, static_cast<double>(choice.bound)});
    if (group.data.loads.isAssumedUniform) {
      report.tables.back().notes.push_back(
          "no loads given: every expert is assumed to get the same load");
    }
    report.tables.push_back(report::costTable(
        group.getTitle() + ": predicted time", facts.devices.topology, costs));
    report.tables.back().about = group.describe();
  }

  void addSum() {
    report.tables.push_back(report::trafficTable(
        formatv("all {0} layers together", facts.layers.size()).str(),
        facts.devices.topology, {{"dispatch and combine", "expected", sum}}));
    report.tables.back().name = "total_traffic";
    report.tables.back().about = {
        {{"layers"}, static_cast<double>(facts.layers.size())},
        {{"time", report::ColumnKind::Time}, time.value()}};
    report.tables.back().notes.push_back("predicted time: " +
                                         report::formatTime(time.value()));
  }

private:
  const PlanFacts &facts;
  report::Report &report;
  planning::CostModel model;
  planning::ExchangeTraffic sum;
  planning::Microseconds time;
};
} // namespace

static LogicalResult addTraffic(const PlanFacts &facts,
                                ArrayRef<EqualLayers> groups,
                                report::Report &report) {
  report.tables.push_back(makeAxisTable(facts, groups));
  ExchangeTables exchanges(facts, report);
  for (const EqualLayers &group : groups) {
    if (!group.getExchange()) {
      ExpertsOp experts = group.front().experts;
      return experts.emitOpError(
          "expected an exchange; run moe-choose-exchange");
    }
    exchanges.add(group);
  }
  exchanges.addSum();
  report.tables.push_back(report::constantsTable(planning::CostConstants()));
  return success();
}

FailureOr<report::Report> mlir::moe::makeTrafficReport(ModuleOp module) {
  return makeReport(module, "traffic", addTraffic);
}
