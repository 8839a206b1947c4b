// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerOrderChecker.h"

#include "moe/Analysis/ControlEdges.h"
#include "moe/Analysis/PlannedLayers.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/DenseSet.h"

#include <deque>

using namespace mlir;
using namespace mlir::moe;

// What stands next to an operation, but for what only computes.
static Operation *skipPure(Operation *op, Operation *(Operation::*next)()) {
  do {
    op = (op->*next)();
  } while (op && op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
           !op->hasTrait<OpTrait::IsTerminator>());
  return op;
}

// The number under which the runtime counts what a call does; null for layers
// that have other names.
static IntegerAttr getNumber(Operation *op) {
  return isa_and_nonnull<func::CallOp>(op)
             ? dyn_cast_or_null<IntegerAttr>(getLayerName(op))
             : IntegerAttr();
}

namespace {
/// Follows one entry. What it has done so far is a number of steps, the first
/// ones of those that are recorded; where paths meet, it is the same number.
class LayerOrderChecker {
public:
  LayerOrderChecker(func::FuncOp root, ArrayRef<Attribute> planned,
                    SymbolUserMap &users)
      : path(root), planned(planned), users(users) {}

  LogicalResult run() {
    size_t done = 0;
    return followFunction(path.getRoot(), done);
  }

private:
  //===--- Control flow --------------------------------------------------===//

  /// Runs a function from its entry to its ends. `done` is the number of steps
  /// before, and then after it.
  LogicalResult followFunction(func::FuncOp function, size_t &done) {
    Paths paths;
    (void)paths.arrive(&function.front().front(), done);
    while (Operation *op = paths.next()) {
      size_t here = paths.arriving.lookup(op);
      for (; op; op = op->getNextNode()) {
        SmallVector<ControlEdge> edges = getControlEdges(op);
        for (const ControlEdge &edge : edges) {
          if (failed(paths.arrive(edge.target, here))) {
            return rejectMeeting(op, here, paths.arriving.lookup(edge.target));
          }
        }
        if (!edges.empty()) {
          break;
        }
        if (failed(visit(op, here))) {
          return failure();
        }
        if (op->hasTrait<OpTrait::IsTerminator>() &&
            failed(leave(op, here, paths))) {
          return failure();
        }
      }
    }
    // Nothing comes after a function that has no end.
    done = paths.end.value_or(planned.size());
    return success();
  }

  /// How far the paths of one function have come.
  struct Paths {
    /// Where control enters a block or leaves a region.
    DenseMap<Operation *, size_t> arriving;
    std::deque<Operation *> pending;
    std::optional<size_t> end;

    LogicalResult arrive(Operation *at, size_t done) {
      auto [found, isNew] = arriving.try_emplace(at, done);
      if (isNew) {
        pending.push_back(at);
      }
      return success(found->second == done);
    }

    Operation *next() {
      if (pending.empty()) {
        return nullptr;
      }
      Operation *op = pending.front();
      pending.pop_front();
      return op;
    }
  };

  /// A path of a function ends.
  LogicalResult leave(Operation *end, size_t done, Paths &paths) {
    if (paths.end && *paths.end != done) {
      return rejectMeeting(end, done, *paths.end);
    }
    paths.end = done;
    if (!path.getCalls().empty() || done == planned.size()) {
      return success();
    }
    return reject(end->emitOpError("expected ")
                  << planned[done] << " before, as was planned");
  }

  //===--- Operations ----------------------------------------------------===//

  LogicalResult visit(Operation *op, size_t &done) {
    if (isExchangeSite(op)) {
      return take(op, path.describe(op), done);
    }
    if (auto call = dyn_cast<func::CallOp>(op)) {
      return visitCall(call, done);
    }
    if (auto enter = dyn_cast<EnterLayerOp>(op)) {
      return checkEntered(enter);
    }
    WalkResult result = op->walk([&](Operation *inner) {
      if (inner == op || !(isExchangeSite(inner) || isa<func::CallOp>(inner))) {
        return WalkResult::advance();
      }
      return WalkResult(inner->emitOpError(
          "expected to be in functions, branches and loops only, whose order "
          "is known"));
    });
    return failure(result.wasInterrupted());
  }

  /// C10: the next step, as was planned.
  LogicalResult take(Operation *op, PlannedLayerAttr step, size_t &done) {
    if (done < planned.size() && planned[done] == step) {
      ++done;
      return success();
    }
    InFlightDiagnostic diagnostic = op->emitOpError("expected ");
    if (done < planned.size()) {
      diagnostic << planned[done] << " here";
    } else {
      diagnostic << "no layer any more";
    }
    return reject(std::move(diagnostic)
                  << ", as was planned, but got " << step);
  }

  LogicalResult visitCall(func::CallOp call, size_t &done) {
    auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(
        call, call.getCalleeAttr());
    size_t before = done;
    if (failed(checkNumbered(call))) {
      return failure();
    }
    if (callee && !callee.isDeclaration() && !silent.contains(callee)) {
      path.enter(call, callee);
      LogicalResult followed = followFunction(callee, done);
      path.leave();
      if (failed(followed)) {
        return failure();
      }
    }
    if (done != before) {
      return checkUsers(callee);
    }
    silent.insert(callee);
    Attribute name = getLayerName(call);
    return name ? take(call, PlannedLayerAttr::get(name), done) : success();
  }

  /// Who else calls a function cannot be seen where it becomes a value.
  LogicalResult checkUsers(func::FuncOp function) {
    for (Operation *user : users.getUsers(function)) {
      if (!isa<CallOpInterface>(user)) {
        return user->emitOpError("expected functions of layers to be called "
                                 "only");
      }
    }
    return success();
  }

  /// C11: what the runtime counts by is the layer that follows.
  LogicalResult checkNumbered(func::CallOp call) {
    IntegerAttr number = getNumber(call);
    auto enter =
        dyn_cast_or_null<EnterLayerOp>(skipPure(call, &Operation::getPrevNode));
    if (!number || (enter && enter.getLayer() == number.getInt())) {
      return success();
    }
    return reject(call.emitOpError("expected moe.enter_layer ")
                  << number.getInt() << " before");
  }

  LogicalResult checkEntered(EnterLayerOp enter) {
    IntegerAttr number = getNumber(skipPure(enter, &Operation::getNextNode));
    if (number && enter.getLayer() == number.getInt()) {
      return success();
    }
    return reject(enter.emitOpError("expected the call of layer ")
                  << enter.getLayer() << " to follow");
  }

  //===--- Diagnostics ---------------------------------------------------===//

  LogicalResult reject(InFlightDiagnostic diagnostic) {
    for (const LayerCall &step : llvm::reverse(path.getCalls())) {
      func::CallOp call = step.call;
      diagnostic.attachNote(call.getLoc()) << "called from here";
    }
    diagnostic.attachNote(path.getRoot()->getLoc())
        << "'" << path.getRoot().getSymName() << "' records what was planned";
    return diagnostic;
  }

  LogicalResult rejectMeeting(Operation *at, size_t one, size_t other) {
    return reject(at->emitOpError("expected the same layers on all paths, as "
                                  "was planned, but only some have ")
                  << planned[std::min(one, other)]);
  }

  LayerPath path;
  ArrayRef<Attribute> planned;
  SymbolUserMap &users;
  SymbolTableCollection symbols;
  /// Functions that do nothing for a layer, whoever calls them.
  DenseSet<Operation *> silent;
};
} // namespace

LogicalResult mlir::moe::checkLayerOrder(ModuleOp module,
                                         SymbolUserMap &users) {
  if (failed(verifyNoRecursion(module))) {
    return failure();
  }
  // What is recorded first: a call that is missing there makes a function of
  // its callee that nobody calls.
  for (bool isRecorded : {true, false}) {
    for (func::FuncOp root : getRootFunctions(module)) {
      auto layers = root->getAttrOfType<ArrayAttr>(kLayersAttrName);
      if (bool(layers) != isRecorded) {
        continue;
      }
      ArrayRef<Attribute> planned =
          layers ? layers.getValue() : ArrayRef<Attribute>();
      if (failed(LayerOrderChecker(root, planned, users).run())) {
        return failure();
      }
    }
  }
  return success();
}
