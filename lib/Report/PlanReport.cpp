//===- PlanReport.cpp - What a plan says for itself -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/PlanReport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::report;
using namespace moe::planning;
using llvm::formatv;

static void addTraffic(const TrafficEntry &entry, llvm::StringRef link,
                       const Traffic &traffic, Table &table) {
  table.add({entry.exchange, entry.basis, link.str(), traffic.payload.value(),
             traffic.metadata.value(), traffic.padding.value(),
             traffic.messages});
}

Table moe::report::trafficTable(llvm::StringRef title, const Topology &topology,
                                llvm::ArrayRef<TrafficEntry> entries) {
  Table table;
  table.name = "traffic";
  table.title = title.str();
  table.columns = {
      {"exchange", ColumnKind::Text},  {"basis", ColumnKind::Text},
      {"link", ColumnKind::Text},      {"payload", ColumnKind::Bytes},
      {"metadata", ColumnKind::Bytes}, {"padding", ColumnKind::Bytes},
      {"messages", ColumnKind::Count}};
  for (const TrafficEntry &entry : entries) {
    for (auto [tier, traffic] :
         llvm::zip(topology.tiers(), entry.traffic.tiers)) {
      addTraffic(entry, tier.name, traffic, table);
    }
    addTraffic(entry, "local", entry.traffic.local, table);
  }
  return table;
}

Table moe::report::costTable(llvm::StringRef title, const Topology &topology,
                             llvm::ArrayRef<CostEntry> entries) {
  Table table;
  table.name = "cost";
  table.title = title.str();
  table.columns = {{"exchange", ColumnKind::Text},
                   {"wire", ColumnKind::Time},
                   {"memory", ColumnKind::Time},
                   {"host", ColumnKind::Time},
                   {"total", ColumnKind::Time}};
  for (const Tier &tier : topology.tiers()) {
    table.columns.push_back(
        {tier.name, ColumnKind::Time, "", 2, "tier " + tier.name});
  }
  for (const CostEntry &entry : entries) {
    const ExchangeCost &cost = entry.cost;
    Row row = {entry.exchange, cost.wire.value(), cost.memory.value(),
               cost.host.value(), cost.total().value()};
    for (const TierCost &tier : cost.tiers) {
      row.push_back(tier.time.value());
    }
    table.add(std::move(row));
  }
  return table;
}

static void addMapping(const MappingAlternative &mapping,
                       llvm::StringRef decision, Table &table) {
  Row row = {mapping.layout, decision.str(), mapping.cost.value()};
  for (Microseconds cost : mapping.costs) {
    row.push_back(cost.value());
  }
  table.add(std::move(row));
}

Table moe::report::mappingTable(llvm::StringRef title,
                                const MeshMapping &mapping,
                                llvm::ArrayRef<AxisTraffic> traffic,
                                size_t most) {
  Table table;
  table.name = "mappings";
  table.title = title.str();
  table.columns = {{"mapping", ColumnKind::Text},
                   {"decision", ColumnKind::Text},
                   {"cost", ColumnKind::Time}};
  for (const AxisTraffic &record : traffic) {
    table.columns.push_back(
        {record.label, ColumnKind::Time, "", 2, "traffic " + record.label});
    if (record.origin == AxisTraffic::Origin::Modelled) {
      table.notes.push_back(
          formatv("'{0}' is modelled, not in this graph", record.label));
    }
  }
  addMapping(mapping.chosen, "chosen", table);
  for (const MappingAlternative &other :
       llvm::ArrayRef(mapping.refused).take_front(most)) {
    addMapping(other, "refused", table);
  }
  if (mapping.refused.size() > most) {
    table.notes.push_back(formatv("{0} more mappings were refused",
                                  mapping.refused.size() - most));
  }
  if (mapping.isTruncated) {
    table.notes.push_back(
        formatv("only the first {0} mappings were tried", maxMappings));
  }
  return table;
}

Table moe::report::constantsTable(const CostConstants &constants) {
  Table table;
  table.name = "constants";
  table.title = "constants of the cost model";
  table.columns = {{"constant", ColumnKind::Text},
                   {"value", ColumnKind::Value},
                   {"unit", ColumnKind::Text},
                   {"set by", ColumnKind::Text},
                   {"source", ColumnKind::Text}};
  for (const CostConstant &constant : constants.all()) {
    table.add({constant.name, constant.value, constant.unit,
               toString(constant.basis).str(), constant.source});
  }
  table.notes.push_back(constants.exchangeBasis());
  return table;
}
