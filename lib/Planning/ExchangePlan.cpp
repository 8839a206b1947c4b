//===- ExchangePlan.cpp - The phases of a dispatch or a combine -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/ExchangePlan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"
#include <cassert>

using namespace moe::planning;
using llvm::formatv;

llvm::StringRef moe::planning::toString(ExchangeDirection direction) {
  return direction == ExchangeDirection::Dispatch ? "dispatch" : "combine";
}

llvm::StringRef moe::planning::toString(ExchangeForm form) {
  switch (form) {
  case ExchangeForm::FlatExact:
    return "flat exact";
  case ExchangeForm::FlatBounded:
    return "flat bounded";
  }
  llvm_unreachable("unknown exchange form");
}

Traffic &Traffic::operator+=(const Traffic &other) {
  payload += other.payload;
  metadata += other.metadata;
  padding += other.padding;
  messages += other.messages;
  return *this;
}

bool Traffic::operator==(const Traffic &other) const {
  return payload == other.payload && metadata == other.metadata &&
         padding == other.padding && messages == other.messages;
}

Traffic ExchangeTraffic::remote() const {
  Traffic sum;
  for (const Traffic &tier : tiers) {
    sum += tier;
  }
  return sum;
}

ExchangeTraffic &ExchangeTraffic::operator+=(const ExchangeTraffic &other) {
  tiers.resize(std::max(tiers.size(), other.tiers.size()));
  for (size_t index = 0; index < other.tiers.size(); ++index) {
    tiers[index] += other.tiers[index];
  }
  local += other.local;
  return *this;
}

/// `{dp, ep}`
static std::string axesText(llvm::ArrayRef<AxisRef> axes) {
  return formatv("{{{0}}", llvm::join(llvm::map_range(axes,
                                                      [](const AxisRef &axis) {
                                                        return axis.toString();
                                                      }),
                                      ", "))
      .str();
}

static llvm::StringRef orderText(PermutePhase::Order order) {
  switch (order) {
  case PermutePhase::Order::Token:
    return "token";
  case PermutePhase::Order::Destination:
    return "destination";
  case PermutePhase::Order::Arrival:
    return "arrival";
  case PermutePhase::Order::Slot:
    return "slot";
  }
  llvm_unreachable("unknown order of rows");
}

std::string PermutePhase::name() const {
  return formatv("permute {0} to {1} order", orderText(from), orderText(to))
      .str();
}

Bytes PermutePhase::memoryBytes(const CountMatrix &counts, int64_t rank) const {
  // Each row is read once and written once; at its source the rows are those
  // sent, at its experts those received.
  bool isAtExperts = from == Order::Arrival || from == Order::Slot;
  double rows = isAtExperts ? counts.receivedBy(rank) : counts.sentBy(rank);
  return Bytes(2 * rows * rowBytes);
}

std::string CountExchangePhase::name() const {
  return "count exchange over " + axesText(groupAxes);
}

void CountExchangePhase::visitFlows(const CountMatrix &counts,
                                    FlowVisitor visitor) const {
  for (int64_t source = 0; source < counts.ranks(); ++source) {
    for (int64_t target = 0; target < counts.ranks(); ++target) {
      Flow flow = {source, target, {}};
      flow.traffic.metadata = Bytes(bytesPerPeer());
      flow.traffic.messages = 1;
      visitor(flow);
    }
  }
}

std::string ExchangePhase::name() const {
  return "exchange over " + axesText(groupAxes);
}

void ExchangePhase::visitFlows(const CountMatrix &counts,
                               FlowVisitor visitor) const {
  bool isCombine = way == ExchangeDirection::Combine;
  for (int64_t source = 0; source < counts.ranks(); ++source) {
    for (int64_t target = 0; target < counts.ranks(); ++target) {
      double rows =
          isCombine ? counts.rows(target, source) : counts.rows(source, target);
      if (rows == 0) {
        continue;
      }
      Flow flow = {source, target, {}};
      flow.traffic.payload = Bytes(rows * bytesPerRow);
      flow.traffic.messages = 1;
      visitor(flow);
    }
  }
}

Bytes WeightedSumPhase::memoryBytes(const CountMatrix &counts,
                                    int64_t rank) const {
  return Bytes(counts.sentBy(rank) * rowBytes);
}

ExchangePlan ExchangePlan::create(const ExchangeRequest &request) {
  assert(request.rowBytes > 0 && request.localSlots > 0 &&
         "an exchange of nothing");
  using Order = PermutePhase::Order;
  ExchangePlan plan(request);
  auto add = [&](auto phase) {
    plan.phaseList.push_back(
        std::make_shared<const decltype(phase)>(std::move(phase)));
  };
  switch (request.direction) {
  case ExchangeDirection::Dispatch:
    add(CountExchangePhase(request.axes, request.localSlots));
    add(PermutePhase(Order::Token, Order::Destination, request.rowBytes));
    if (request.form == ExchangeForm::FlatExact) {
      add(HostExtentPhase(request.bound));
    }
    add(ExchangePhase(request.direction, request.axes, request.rowBytes));
    add(PermutePhase(Order::Arrival, Order::Slot, request.rowBytes));
    break;
  case ExchangeDirection::Combine:
    add(PermutePhase(Order::Slot, Order::Arrival, request.rowBytes));
    add(ExchangePhase(request.direction, request.axes, request.rowBytes));
    add(WeightedSumPhase(request.rowBytes));
    break;
  }
  return plan;
}

ExchangeTraffic ExchangePlan::bytes(const CountMatrix &counts,
                                    const Topology &topology,
                                    const DeviceGroup &group) const {
  assert(static_cast<int64_t>(group.size()) == counts.ranks() &&
         "one device a rank");
  ExchangeTraffic result;
  result.tiers.resize(topology.tierCount());
  for (const std::shared_ptr<const Phase> &phase : phaseList) {
    phase->visitFlows(counts, [&](const Flow &flow) {
      if (flow.isLocal()) {
        result.local += flow.traffic;
        return;
      }
      unsigned tier =
          topology.path(group[flow.source], group[flow.target]).tier;
      result.tiers[tier] += flow.traffic;
    });
  }
  return result;
}

int64_t ExchangePlan::reservedRows() const {
  return source.form == ExchangeForm::FlatBounded ? source.bound : 0;
}

std::string ExchangePlan::toString() const {
  return formatv("{0} {1} over {2}: {3}", planning::toString(source.form),
                 planning::toString(source.direction), axesText(source.axes),
                 llvm::join(llvm::map_range(phaseList,
                                            [](const auto &phase) {
                                              return phase->name();
                                            }),
                            ", "))
      .str();
}
