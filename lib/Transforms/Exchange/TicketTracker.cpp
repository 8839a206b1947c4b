// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TicketTracker.h"
#include "BufferAliases.h"
#include "InFlight.h"

#include "llvm/ADT/DenseSet.h"

#include <map>

using namespace mlir;
using namespace mlir::moe;

static bool isTicket(Value value) {
  return isa<comm::PendingType>(value.getType());
}

namespace {
/// Follows what is in flight through one function, along every edge of its
/// control flow, until nothing new is learnt. Where paths meet, the same
/// collectives must be in flight on all of them; so each is waited for once on
/// every path, whatever branches decide.
class TicketTracker {
public:
  TicketTracker(FunctionOpInterface function, BufferTouches &touches)
      : function(function), touches(touches), dominance(function) {}

  LogicalResult run() {
    for (BlockArgument argument : function.getArguments()) {
      if (isTicket(argument)) {
        return emitError(function.getLoc(),
                         "expected tickets to stay in the function of their "
                         "comm.start, but got argument ")
               << argument.getArgNumber() << " of '" << function.getName()
               << "'";
      }
    }
    function.walk<WalkOrder::PreOrder>(
        [&](Operation *op) { order.try_emplace(op, order.size()); });
    enter(&function.getFunctionBody().front().front(), {});
    while (!pending.empty()) {
      Operation *op = pending.begin()->second;
      pending.erase(pending.begin());
      if (failed(follow(op, arriving.find(op)->second))) {
        return failure();
      }
    }
    return success();
  }

  StartsOfWaits startsOfWaits;

private:
  /// Runs the operations from `op` on, up to where control branches or ends.
  LogicalResult follow(Operation *op, Flights flights) {
    for (;; op = op->getNextNode()) {
      SmallVector<ControlEdge> edges = getControlEdges(op);
      if (!edges.empty()) {
        return take(op, edges, flights);
      }
      if (failed(visit(op, flights))) {
        return failure();
      }
      if (op->hasTrait<OpTrait::IsTerminator>()) {
        // C1
        return flights.empty()
                   ? success()
                   : reject(flights.front().second, op, "but a path has none",
                            "the path ends here");
      }
    }
  }

  //===--- Operations ----------------------------------------------------===//

  LogicalResult visit(Operation *op, Flights &flights) {
    if (failed(checkTouches(op, flights)) || failed(checkApart(op))) {
      return failure();
    }
    if (auto start = dyn_cast<comm::StartOp>(op)) {
      if (failed(checkUses(op, op->getOperands()))) {
        return failure();
      }
      begin(start, flights);
      return success();
    }
    if (auto wait = dyn_cast<comm::WaitOp>(op)) {
      return end(wait, flights);
    }
    if (failed(checkUses(op, op->getOperands()))) {
      return failure();
    }
    for (Value result : op->getResults()) {
      // C4
      if (isTicket(result) && !origins.contains(result)) {
        return op->emitError("expected tickets from comm.start, branches and "
                             "loops, but got one from '")
               << op->getName() << "'";
      }
    }
    for (Region &region : op->getRegions()) {
      if (!region.empty()) {
        enter(&region.front().front(), {});
      }
    }
    return success();
  }

  void begin(comm::StartOp start, Flights &flights) {
    Flight flight = Flight::begin(start);
    remember(start.getPending(), flight);
    flights[start.getPending()] = std::move(flight);
  }

  LogicalResult end(comm::WaitOp wait, Flights &flights) {
    auto found = flights.find(wait.getPending());
    if (found == flights.end()) {
      return rejectSecond(wait.getPending(), wait);
    }
    // C2
    Flight &flight = found->second;
    StringRef expected;
    if (!flight.isReadBy(wait)) {
      expected = "to read what its comm.start has in flight";
    } else if (!flight.isFilledBy(wait)) {
      expected = "the destination of its comm.start";
    }
    if (!expected.empty()) {
      InFlightDiagnostic diagnostic = wait.emitOpError("expected ") << expected;
      for (comm::StartOp start : flight.starts) {
        diagnostic.attachNote(start.getLoc()) << "started here";
      }
      return diagnostic;
    }
    startsOfWaits[wait] = flight.starts.takeVector();
    flights.erase(found);
    return checkUses(wait, wait.getReads());
  }

  /// C3, C4: tickets and tensors that are written in flight go to waits and
  /// over edges, nowhere else.
  LogicalResult checkUses(Operation *op, ValueRange operands) {
    for (Value operand : operands) {
      auto origin = origins.find(operand);
      if (origin == origins.end()) {
        continue;
      }
      if (isTicket(operand)) {
        InFlightDiagnostic diagnostic = origin->second->emitOpError(
            "expected its ticket to be used by comm.wait, branches and loops "
            "of its function only");
        diagnostic.attachNote(op->getLoc()) << "it is used here";
        return diagnostic;
      }
      return rejectDestination(origin->second, op);
    }
    return success();
  }

  //===--- Buffers -------------------------------------------------------===//

  /// C5: what is in flight stays as it is, and nothing looks at what arrives.
  LogicalResult checkTouches(Operation *op, const Flights &flights) {
    if (flights.empty() || isa<comm::WaitOp>(op)) {
      return success();
    }
    for (const BufferTouch &touch : touches.get(op)) {
      for (const auto &[ticket, flight] : flights) {
        bool disturbs = touch.kind != TouchKind::Read &&
                        llvm::any_of(flight.reads, [&](const auto &names) {
                          return isTouched(names, touch);
                        });
        if (disturbs || isTouched(flight.destination, touch)) {
          return rejectTouch(flight.starts.front(), touch, disturbs);
        }
      }
    }
    return success();
  }

  /// All names are of one buffer; where one of them is known to be another than
  /// what is touched, all are.
  bool isTouched(const Flight::Names &names, const BufferTouch &touch) {
    return !names.empty() && isBuffer(names.front()) &&
           llvm::all_of(names, [&](Value name) {
             return touch.mayTouch(name, getAliases());
           });
  }

  /// C5: a collective does not fill what it reads.
  LogicalResult checkApart(Operation *op) {
    auto collective = dyn_cast<comm::CollectiveOpInterface>(op);
    if (!collective || !isBuffer(collective.getCollectiveDestination())) {
      return success();
    }
    for (Value read : collective.getCollectiveReads()) {
      if (getAliases().mayOverlap(read,
                                  collective.getCollectiveDestination())) {
        return op->emitOpError("expected a destination that does not overlap "
                               "with what it reads");
      }
    }
    return success();
  }

  static bool isBuffer(Value value) {
    return isa<BaseMemRefType>(value.getType());
  }

  BufferAliases &getAliases() {
    if (!aliases) {
      aliases.emplace(function);
    }
    return *aliases;
  }

  //===--- Control flow --------------------------------------------------===//

  LogicalResult take(Operation *op, ArrayRef<ControlEdge> edges,
                     const Flights &flights) {
    llvm::SmallDenseSet<Value> carried;
    for (const ControlEdge &edge : edges) {
      carried.insert_range(edge.operands);
      if (failed(take(edge, flights))) {
        return failure();
      }
    }
    return checkUses(op, llvm::to_vector(llvm::make_filter_range(
                             op->getOperands(), [&](Value operand) {
                               return !carried.contains(operand);
                             })));
  }

  LogicalResult take(const ControlEdge &edge, const Flights &flights) {
    NamesBehind names(edge, dominance);
    Flights behind;
    for (const auto &[ticket, flight] : flights) {
      SmallVector<Value> inputs = names.getInputs(ticket);
      if (inputs.empty() && names.isVisible(ticket)) {
        inputs.push_back(ticket);
      }
      // C1
      if (inputs.size() != 1) {
        return inputs.empty()
                   ? reject(flight, edge.branch, "but a path has none",
                            "its ticket ends here")
                   : reject(flight, edge.branch, "but its ticket becomes two",
                            "they are carried from here");
      }
      behind[inputs.front()] = names.rename(flight);
    }
    if (failed(checkCarried(edge, flights))) {
      return failure();
    }
    for (const auto &[ticket, flight] : behind) {
      remember(ticket, flight);
    }
    return meet(edge, std::move(behind));
  }

  /// What is written in flight travels with its ticket; a ticket that is no
  /// longer in flight does not travel.
  LogicalResult checkCarried(const ControlEdge &edge, const Flights &flights) {
    for (Value operand : edge.operands) {
      if (isTicket(operand) && !flights.contains(operand)) {
        return rejectSecond(operand, edge.branch);
      }
    }
    for (Value operand : edge.operands) {
      auto origin = origins.find(operand);
      if (isTicket(operand) || origin == origins.end()) {
        continue;
      }
      bool withTicket = llvm::any_of(flights, [&](const auto &entry) {
        return entry.second.destination.contains(operand) &&
               llvm::is_contained(edge.operands, entry.first);
      });
      // C3
      if (!withTicket) {
        return rejectDestination(origin->second, edge.branch);
      }
    }
    return success();
  }

  /// C1: the same is in flight on all paths that meet.
  LogicalResult meet(const ControlEdge &edge, Flights flights) {
    auto found = arriving.find(edge.target);
    if (found == arriving.end()) {
      enter(edge.target, std::move(flights));
      return success();
    }
    Flights &known = found->second;
    for (const auto &[one, other] :
         {std::pair(&known, &flights), std::pair(&flights, &known)}) {
      for (const auto &[ticket, flight] : *one) {
        if (!other->contains(ticket)) {
          return reject(flight, edge.branch, "but only some paths have one",
                        "they meet here");
        }
      }
    }
    bool changed = false;
    for (auto &[ticket, flight] : known) {
      changed |= flight.meet(flights[ticket]);
    }
    if (changed) {
      pending[order.lookup(edge.target)] = edge.target;
    }
    return success();
  }

  void enter(Operation *op, Flights flights) {
    if (arriving.try_emplace(op, std::move(flights)).second) {
      pending[order.lookup(op)] = op;
    }
  }

  //===--- Diagnostics ---------------------------------------------------===//

  /// Tickets and the tensors that are written in flight, by all their names.
  void remember(Value ticket, const Flight &flight) {
    origins.try_emplace(ticket, flight.starts.front());
    for (Value name : flight.destination) {
      if (isa<TensorType>(name.getType())) {
        origins.try_emplace(name, flight.starts.front());
      }
    }
  }

  static LogicalResult reject(const Flight &flight, Operation *at,
                              StringRef reason, StringRef note) {
    comm::StartOp start = flight.starts.front();
    InFlightDiagnostic diagnostic =
        start.emitOpError("expected exactly one comm.wait on every path, ")
        << reason;
    diagnostic.attachNote(at->getLoc()) << note;
    return diagnostic;
  }

  LogicalResult rejectSecond(Value ticket, Operation *at) {
    comm::StartOp start = origins.lookup(ticket);
    if (!start) {
      return at->emitOpError("expected a ticket of a comm.start");
    }
    InFlightDiagnostic diagnostic =
        start.emitOpError("expected exactly one comm.wait on every path, but "
                          "its ticket is used again after it was waited for "
                          "or carried on");
    diagnostic.attachNote(at->getLoc()) << "it is used here";
    return diagnostic;
  }

  static LogicalResult rejectTouch(comm::StartOp start,
                                   const BufferTouch &touch, bool disturbs) {
    InFlightDiagnostic diagnostic =
        start.emitOpError("expected ")
        << (disturbs ? "what it reads not to change before its comm.wait"
                     : "its destination to be used by its comm.wait only");
    diagnostic.attachNote(touch.op->getLoc())
        << (touch.buffer || touch.name ? "it is " : "it may be ")
        << (touch.kind == TouchKind::Read    ? "read"
            : touch.kind == TouchKind::Write ? "written"
                                             : "freed")
        << " here";
    if (touch.inside) {
      diagnostic.attachNote(touch.inside->getLoc())
          << "by this, which is not given it";
    }
    return diagnostic;
  }

  static LogicalResult rejectDestination(comm::StartOp start, Operation *at) {
    InFlightDiagnostic diagnostic = start.emitOpError(
        "expected its destination to be used by its comm.wait only");
    diagnostic.attachNote(at->getLoc()) << "it is used here";
    return diagnostic;
  }

  FunctionOpInterface function;
  BufferTouches &touches;
  DominanceInfo dominance;
  /// Only functions with buffers in flight need them.
  std::optional<BufferAliases> aliases;
  /// What is in flight where control enters a block or leaves a region.
  DenseMap<Operation *, Flights> arriving;
  /// Where to go on, in the order of the program, so that paths meet before
  /// they end.
  std::map<unsigned, Operation *> pending;
  DenseMap<Operation *, unsigned> order;
  DenseMap<Value, comm::StartOp> origins;
};
} // namespace

FailureOr<StartsOfWaits> mlir::moe::trackTickets(FunctionOpInterface function,
                                                 BufferTouches &touches) {
  TicketTracker tracker(function, touches);
  if (failed(tracker.run())) {
    return failure();
  }
  return std::move(tracker.startsOfWaits);
}
