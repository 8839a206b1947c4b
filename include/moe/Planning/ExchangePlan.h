//===- ExchangePlan.h - The phases of a dispatch or a combine ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A plan is a list of phases, symbolic in the routing. Lowering walks the
// phases, one emitter a kind; cost, reports and tests call `bytes` with the
// counts that they expect or that occurred. So what is predicted, what is
// emitted and what the runtime counts come from one object.
//
//   flat exact dispatch    count exchange · permute · host extent · exchange ·
//                          permute
//   flat bounded dispatch  the same without the host extent
//   flat combine           permute · exchange · weighted sum
//
// What is counted, for rows(s, d) as in CountMatrix:
//  * an exchange carries rows(s, d) · row bytes of payload from s to d (from d
//    to s in a combine), in one message where that is not 0;
//  * a count exchange carries 4 · local slots bytes of metadata between every
//    two ranks, one message each;
//  * what a rank sends to itself is counted apart, as local;
//  * nothing of the flat forms is padded on the wire. The bound of the bounded
//    form is memory, see `reservedRows`.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_EXCHANGEPLAN_H
#define MOE_PLANNING_EXCHANGEPLAN_H

#include "moe/Planning/CountMatrix.h"
#include <memory>
#include <utility>

namespace moe::planning {

enum class ExchangeDirection { Dispatch, Combine };

/// How rows travel. Flat: each rank sends to each rank directly.
enum class ExchangeForm {
  /// The host learns how many rows arrive and allocates that many.
  FlatExact,
  /// Buffers of the bound, no host synchronisation.
  FlatBounded,
};

llvm::StringRef toString(ExchangeDirection direction);
/// `flat exact`, `flat bounded`
llvm::StringRef toString(ExchangeForm form);

/// Bytes by what they are for, and the messages that carry them.
struct Traffic {
  Bytes payload;
  Bytes metadata;
  Bytes padding;
  double messages = 0;

  Bytes total() const { return payload + metadata + padding; }
  Traffic &operator+=(const Traffic &other);
  bool operator==(const Traffic &other) const;
};

/// What one rank of a group sends another, or itself, in one phase.
struct Flow {
  int64_t source = 0;
  int64_t target = 0;
  Traffic traffic;

  bool isLocal() const { return source == target; }
};

/// One step of a plan. Phases follow each other; none starts before the last
/// has ended.
class Phase {
public:
  enum class Kind { Permute, CountExchange, HostExtent, Exchange, WeightedSum };
  using FlowVisitor = llvm::function_ref<void(const Flow &)>;

  explicit Phase(Kind kind) : phaseKind(kind) {}
  virtual ~Phase() = default;

  Kind kind() const { return phaseKind; }
  virtual std::string name() const = 0;

  /// What the phase moves between ranks, for every pair that it moves anything
  /// for, in the order of (source, target).
  virtual void visitFlows(const CountMatrix &counts,
                          FlowVisitor visitor) const {}

  /// What the phase reads and writes in the memory of a rank.
  virtual Bytes memoryBytes(const CountMatrix &counts, int64_t rank) const {
    return Bytes();
  }

private:
  Kind phaseKind;
};

/// Rows brought into another order within a rank.
class PermutePhase : public Phase {
public:
  /// Orders that rows are in.
  enum class Order {
    /// As the tokens are, a row of a token once for each of its choices.
    Token,
    /// By (serving rank, its slot): what a source sends.
    Destination,
    /// By (source rank, own slot): as they arrive.
    Arrival,
    /// By (own slot, source rank): what the experts work on.
    Slot
  };

  PermutePhase(Order from, Order to, int64_t rowBytes)
      : Phase(Kind::Permute), from(from), to(to), rowBytes(rowBytes) {}
  static bool classof(const Phase *phase) {
    return phase->kind() == Kind::Permute;
  }

  Order fromOrder() const { return from; }
  Order toOrder() const { return to; }
  std::string name() const override;
  Bytes memoryBytes(const CountMatrix &counts, int64_t rank) const override;

private:
  Order from;
  Order to;
  int64_t rowBytes;
};

/// Ranks tell each other how many rows each slot will get: an all-to-all of
/// `localSlots` 32-bit counts a pair.
class CountExchangePhase : public Phase {
public:
  CountExchangePhase(std::vector<AxisRef> axes, int64_t localSlots)
      : Phase(Kind::CountExchange), groupAxes(std::move(axes)),
        slots(localSlots) {}
  static bool classof(const Phase *phase) {
    return phase->kind() == Kind::CountExchange;
  }

  llvm::ArrayRef<AxisRef> axes() const { return groupAxes; }
  int64_t bytesPerPeer() const { return 4 * slots; }
  std::string name() const override;
  void visitFlows(const CountMatrix &counts,
                  FlowVisitor visitor) const override;

private:
  std::vector<AxisRef> groupAxes;
  int64_t slots;
};

/// The host waits for the number of rows that arrive, to allocate them; above
/// the bound is an error.
class HostExtentPhase : public Phase {
public:
  explicit HostExtentPhase(int64_t bound)
      : Phase(Kind::HostExtent), maxRows(bound) {}
  static bool classof(const Phase *phase) {
    return phase->kind() == Kind::HostExtent;
  }

  int64_t bound() const { return maxRows; }
  std::string name() const override { return "host extent"; }

private:
  int64_t maxRows;
};

/// An all-to-all of rows in a group, as many as there are for each pair.
class ExchangePhase : public Phase {
public:
  ExchangePhase(ExchangeDirection direction, std::vector<AxisRef> axes,
                int64_t rowBytes)
      : Phase(Kind::Exchange), way(direction), groupAxes(std::move(axes)),
        bytesPerRow(rowBytes) {}
  static bool classof(const Phase *phase) {
    return phase->kind() == Kind::Exchange;
  }

  ExchangeDirection direction() const { return way; }
  llvm::ArrayRef<AxisRef> axes() const { return groupAxes; }
  int64_t rowBytes() const { return bytesPerRow; }
  std::string name() const override;
  void visitFlows(const CountMatrix &counts,
                  FlowVisitor visitor) const override;

private:
  ExchangeDirection way;
  std::vector<AxisRef> groupAxes;
  int64_t bytesPerRow;
};

/// Each token's rows, back in token order, summed with their weights.
class WeightedSumPhase : public Phase {
public:
  explicit WeightedSumPhase(int64_t rowBytes)
      : Phase(Kind::WeightedSum), rowBytes(rowBytes) {}
  static bool classof(const Phase *phase) {
    return phase->kind() == Kind::WeightedSum;
  }

  std::string name() const override { return "weighted sum"; }
  Bytes memoryBytes(const CountMatrix &counts, int64_t rank) const override;

private:
  int64_t rowBytes;
};

/// What an exchange puts on each tier of a topology.
struct ExchangeTraffic {
  /// One a tier, in the topology's order.
  std::vector<Traffic> tiers;
  /// What stays on its device.
  Traffic local;

  /// All tiers together, without what is local.
  Traffic remote() const;
  ExchangeTraffic &operator+=(const ExchangeTraffic &other);
};

/// What a plan is made from.
struct ExchangeRequest {
  ExchangeDirection direction = ExchangeDirection::Dispatch;
  ExchangeForm form = ExchangeForm::FlatExact;
  /// The mesh axes whose ranks exchange.
  std::vector<AxisRef> axes;
  /// Bytes of one row on the wire.
  int64_t rowBytes = 0;
  /// Slots that every rank's code works on (Placement::localSlots).
  int64_t localSlots = 1;
  /// The most rows that a rank may receive (see worstCaseRows).
  int64_t bound = 0;
};

class ExchangePlan {
public:
  static ExchangePlan create(const ExchangeRequest &request);

  const ExchangeRequest &request() const { return source; }
  llvm::ArrayRef<std::shared_ptr<const Phase>> phases() const {
    return phaseList;
  }

  /// What the plan moves in one group for the counts, by tier. Exact for the
  /// counts of a routing: the runtime counts the same.
  ExchangeTraffic bytes(const CountMatrix &counts, const Topology &topology,
                        const DeviceGroup &group) const;

  /// Rows of receive buffer that the form sets aside, whatever arrives; 0 for
  /// an exact form.
  int64_t reservedRows() const;

  /// `flat exact dispatch over {ep}: permute …, count exchange …, …`
  std::string toString() const;

private:
  explicit ExchangePlan(ExchangeRequest request) : source(std::move(request)) {}

  ExchangeRequest source;
  /// Shared, since plans are values and phases are immutable.
  std::vector<std::shared_ptr<const Phase>> phaseList;
};

} // namespace moe::planning

#endif // MOE_PLANNING_EXCHANGEPLAN_H
