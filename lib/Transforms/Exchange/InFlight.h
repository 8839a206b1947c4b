// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which collectives are in flight at one point of a program, and which values
// hold there what they read and write.

#ifndef MOE_LIB_TRANSFORMS_EXCHANGE_INFLIGHT_H
#define MOE_LIB_TRANSFORMS_EXCHANGE_INFLIGHT_H

#include "moe/Analysis/ControlEdges.h"
#include "moe/Dialect/Comm/Comm.h"

#include "mlir/IR/Dominance.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::moe {

/// A collective that has been started and not been waited for.
///
/// What it reads and writes has a name at its start. Behind a branch that
/// carries it, it has another: a block argument, or the result of a loop. So
/// each piece is the set of values that hold it *here*, on every path.
struct Flight {
  using Names = llvm::SmallSetVector<Value, 2>;

  /// Those that may have begun it, one a path.
  llvm::SmallSetVector<comm::StartOp, 2> starts;
  /// Its source, then its offsets.
  SmallVector<Names> reads;
  Names destination;

  static Flight begin(comm::StartOp start);

  /// What is true on this path and on the other. Returns whether that is less
  /// than before.
  bool meet(const Flight &other);

  /// Whether a wait holds what is in flight.
  bool isReadBy(comm::WaitOp wait) const;
  /// Whether a wait has the destination.
  bool isFilledBy(comm::WaitOp wait) const;
};

/// The collectives in flight, by their tickets.
using Flights = llvm::MapVector<Value, Flight>;

/// The names that values have behind an edge.
class NamesBehind {
public:
  NamesBehind(const ControlEdge &edge, const DominanceInfo &dominance)
      : edge(edge), dominance(dominance) {}

  /// The inputs of the edge that receive `value`.
  SmallVector<Value> getInputs(Value value) const;
  /// Whether `value` still is what it was; not where the edge leads back to
  /// before its definition.
  bool isVisible(Value value) const;
  Flight rename(const Flight &flight) const;

private:
  Flight::Names rename(const Flight::Names &names) const;

  ControlEdge edge;
  const DominanceInfo &dominance;
};

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXCHANGE_INFLIGHT_H
