// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferAliases.h"
#include "TicketTracker.h"
#include "moe/Transforms/Exchange/Passes.h"

namespace mlir::moe {
#define GEN_PASS_DEF_VERIFYINFLIGHTPASS
#include "moe/Transforms/Exchange/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

namespace {
/// Checks the calls of functions that rely on their arguments' being buffers
/// of their own.
class CallChecker {
public:
  explicit CallChecker(BufferTouches &touches) : touches(touches) {}

  /// C6
  LogicalResult check(FunctionOpInterface function) {
    std::optional<BufferAliases> aliases;
    WalkResult result = function->walk([&](CallOpInterface call) {
      comm::StartOp start = findStart(getCallee(call));
      if (!start) {
        return WalkResult::advance();
      }
      if (!aliases) {
        aliases.emplace(function);
      }
      return WalkResult(check(call, start, *aliases));
    });
    return failure(result.wasInterrupted());
  }

private:
  FunctionOpInterface getCallee(CallOpInterface call) {
    return dyn_cast_or_null<FunctionOpInterface>(
        call.resolveCallableInTable(&symbols));
  }

  /// What a function, or one that it calls, has in flight; null if nothing.
  comm::StartOp findStart(FunctionOpInterface function) {
    if (!function) {
      return {};
    }
    auto [found, isNew] = startOf.try_emplace(function);
    if (!isNew) {
      return found->second;
    }
    comm::StartOp start;
    function->walk([&](Operation *op) {
      start = dyn_cast<comm::StartOp>(op);
      if (auto call = dyn_cast<CallOpInterface>(op)) {
        start = findStart(getCallee(call));
      }
      return start ? WalkResult::interrupt() : WalkResult::advance();
    });
    return startOf[function] = start;
  }

  LogicalResult check(CallOpInterface call, comm::StartOp start,
                      BufferAliases &aliases) {
    SmallVector<Value> given =
        llvm::filter_to_vector(call.getArgOperands(), [](Value operand) {
          return isa<BaseMemRefType>(operand.getType());
        });
    SmallVector<BufferTouch> done = touches.get(call);
    auto isChanged = [&](Value buffer) {
      return llvm::any_of(done, [&](const BufferTouch &touch) {
        return touch.kind != TouchKind::Read && touch.buffer == buffer;
      });
    };
    for (const BufferTouch &touch : done) {
      // A buffer that is given overlaps with itself.
      int others = touch.buffer ? -1 : 0;
      bool changes = touch.kind != TouchKind::Read;
      for (Value buffer : given) {
        if (touch.mayTouch(buffer, aliases)) {
          ++others;
          changes |= !touch.buffer && isChanged(buffer);
        }
      }
      if (changes && others > 0) {
        return reject(call, start, touch);
      }
    }
    return success();
  }

  static LogicalResult reject(CallOpInterface call, comm::StartOp start,
                              const BufferTouch &touch) {
    InFlightDiagnostic diagnostic = call->emitOpError(
        "expected a buffer that its callee writes not to overlap with others "
        "that it ");
    diagnostic << (touch.buffer ? "is given" : "reaches");
    diagnostic.attachNote(start.getLoc()) << "it has buffers in flight here";
    if (touch.inside) {
      diagnostic.attachNote(touch.inside->getLoc())
          << "it reaches another here";
    }
    return diagnostic;
  }

  BufferTouches &touches;
  SymbolTableCollection symbols;
  DenseMap<Operation *, comm::StartOp> startOf;
};

struct VerifyInFlightPass
    : public mlir::moe::impl::VerifyInFlightPassBase<VerifyInFlightPass> {
  void runOnOperation() override {
    BufferTouches touches;
    CallChecker calls(touches);
    for (auto function : getOperation().getOps<FunctionOpInterface>()) {
      if (!function.isExternal() && (failed(trackTickets(function, touches)) ||
                                     failed(calls.check(function)))) {
        return signalPassFailure();
      }
    }
    markAllAnalysesPreserved();
  }
};
} // namespace
