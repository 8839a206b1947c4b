// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TicketTracker.h"
#include "moe/Analysis/ControlEdges.h"
#include "moe/Analysis/Uniformity.h"
#include "moe/Transforms/Exchange/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/DepthFirstIterator.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::moe {
#define GEN_PASS_DEF_VERIFYUNIFORMPASS
#include "moe/Transforms/Exchange/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
using comm::AxisListAttr;

namespace {
/// An operation in which all ranks of a group take part.
struct Joint {
  Operation *op;
  AxisListAttr axes;
  /// The calls that lead to it from a function, innermost first.
  SmallVector<Operation *> calls = {};
};

/// Checks that ranks come to their collectives together, and with data that
/// fits.
class ParticipationChecker {
public:
  ParticipationChecker(ModuleOp module, const Uniformity &uniformity)
      : module(module), uniformity(uniformity), users(symbols, module) {}

  LogicalResult run() {
    for (auto function : module.getOps<FunctionOpInterface>()) {
      if (function.isExternal()) {
        continue;
      }
      // C5
      FailureOr<StartsOfWaits> starts = trackTickets(function, touches);
      if (failed(starts)) {
        return failure();
      }
      collect(function, *starts);
    }
    for (auto &[function, joints] : jointsOf) {
      for (const Joint &joint : joints) {
        if (failed(checkPlace(joint)) || failed(checkData(joint.op)) ||
            failed(checkReached(joint.op, joint))) {
          return failure();
        }
      }
      if (failed(checkUsers(function)) || failed(checkCalls(function)) ||
          failed(checkParts(function)) || failed(checkResults(function))) {
        return failure();
      }
    }
    return success();
  }

private:
  void collect(FunctionOpInterface function, const StartsOfWaits &starts) {
    SmallVector<Joint> &joints = jointsOf[function];
    function->walk([&](Operation *op) {
      if (auto collective = dyn_cast<comm::CollectiveOpInterface>(op)) {
        joints.push_back({op, collective.getAxesAttr()});
      } else if (auto barrier = dyn_cast<comm::BarrierOp>(op)) {
        joints.push_back({op, barrier.getAxesAttr()});
      } else if (auto wait = dyn_cast<comm::WaitOp>(op)) {
        auto found = starts.find(wait);
        for (comm::StartOp start : found == starts.end()
                                       ? SmallVector<comm::StartOp>()
                                       : found->second) {
          joints.push_back({op, start.getAxesAttr()});
        }
      }
    });
  }

  //===--- C1: all or none -----------------------------------------------===//

  /// `op` is the joint operation, or a call on the way to it.
  LogicalResult checkReached(Operation *op, const Joint &joint) {
    for (const Decision &decision : getDecisions(op, dominance)) {
      AxisListAttr varying =
          uniformity.getVaryingWithin(decision.value, joint.axes);
      if (varying.empty()) {
        continue;
      }
      InFlightDiagnostic diagnostic =
          joint.op->emitOpError("expected all ranks over ")
          << toString(joint.axes)
          << " or none to come here, but what decides it varies over "
          << toString(varying);
      for (Operation *call : joint.calls) {
        diagnostic.attachNote(call->getLoc()) << "called from here";
      }
      diagnostic.attachNote(decision.branch->getLoc()) << "it is decided here";
      if (Operation *other = findOnOtherWay(decision.branch, op)) {
        diagnostic.attachNote(other->getLoc())
            << "ranks that go the other way come here";
      }
      uniformity.explain(diagnostic, decision.value, varying);
      return diagnostic;
    }
    return success();
  }

  /// Where ranks come that a branch leads elsewhere than to `op`: the first
  /// joint operation, or call on the way to one; null where there is none.
  Operation *findOnOtherWay(Operation *branch, Operation *op) {
    Operation *found = nullptr;
    auto find = [&](Operation *candidate) {
      auto call = dyn_cast<CallOpInterface>(candidate);
      auto callee = call ? dyn_cast_or_null<FunctionOpInterface>(
                               call.resolveCallableInTable(&symbols))
                         : FunctionOpInterface();
      bool isJoint =
          isa<comm::CollectiveOpInterface, comm::BarrierOp, comm::WaitOp>(
              candidate) ||
          (callee && !getAllJoints(callee).empty());
      found = isJoint ? candidate : nullptr;
      return found ? WalkResult::interrupt() : WalkResult::advance();
    };
    for (Region &region : branch->getRegions()) {
      if (!found && !region.isAncestor(op->getParentRegion())) {
        region.walk<WalkOrder::PreOrder>(find);
      }
    }
    for (Block *successor : branch->getSuccessors()) {
      auto reached = llvm::depth_first(successor);
      if (found || llvm::is_contained(reached, op->getBlock())) {
        continue;
      }
      for (Block *block : reached) {
        if (!found) {
          block->walk<WalkOrder::PreOrder>(find);
        }
      }
    }
    return found;
  }

  /// C2: who calls a function, and under which conditions, cannot be seen where
  /// it becomes a value.
  LogicalResult checkUsers(FunctionOpInterface function) {
    for (Operation *user : users.getUsers(function)) {
      if (isa<CallOpInterface>(user) || getAllJoints(function).empty()) {
        continue;
      }
      InFlightDiagnostic diagnostic =
          user->emitOpError("expected functions that communicate to be called "
                            "only");
      diagnostic.attachNote(getAllJoints(function).front().op->getLoc())
          << "'" << function.getName() << "' takes part here";
      return diagnostic;
    }
    return success();
  }

  /// A call is where all that the callee, and what it calls, does together.
  LogicalResult checkCalls(FunctionOpInterface function) {
    WalkResult result = function->walk([&](CallOpInterface call) {
      auto callee = dyn_cast_or_null<FunctionOpInterface>(
          call.resolveCallableInTable(&symbols));
      if (!callee) {
        return WalkResult::advance();
      }
      for (Joint joint : getAllJoints(callee)) {
        joint.calls.push_back(call);
        if (failed(checkReached(call, joint))) {
          return WalkResult::interrupt();
        }
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  /// One for each group that takes part in a function or what it calls.
  ArrayRef<Joint> getAllJoints(FunctionOpInterface function) {
    auto [found, isNew] = allJoints.try_emplace(function);
    if (!isNew) {
      return found->second;
    }
    llvm::SetVector<AxisListAttr> seen;
    SmallVector<Joint> all;
    auto add = [&](const Joint &joint, Operation *call) {
      if (seen.insert(joint.axes)) {
        all.push_back(joint);
        if (call) {
          all.back().calls.push_back(call);
        }
      }
    };
    for (const Joint &joint : jointsOf.lookup(function)) {
      add(joint, nullptr);
    }
    function->walk([&](CallOpInterface call) {
      if (auto callee = dyn_cast_or_null<FunctionOpInterface>(
              call.resolveCallableInTable(&symbols))) {
        for (const Joint &joint : SmallVector<Joint>(getAllJoints(callee))) {
          add(joint, call);
        }
      }
    });
    return allJoints[function] = std::move(all);
  }

  //===--- C2: in order --------------------------------------------------===//

  LogicalResult checkPlace(const Joint &joint) {
    Operation *parent = joint.op->getParentOp();
    for (; !isa<FunctionOpInterface>(parent); parent = parent->getParentOp()) {
      if (isa<RegionBranchOpInterface>(parent) &&
          !parent->hasTrait<OpTrait::HasParallelRegion>()) {
        continue;
      }
      InFlightDiagnostic diagnostic = joint.op->emitOpError(
          "expected to be in functions, branches and loops only, whose order "
          "is known");
      diagnostic.attachNote(parent->getLoc())
          << "but it is in '" << parent->getName() << "'";
      return diagnostic;
    }
    return success();
  }

  //===--- C3: extents and offsets ---------------------------------------===//

  static bool hasEqualParts(comm::CollectiveKind kind) {
    return kind != comm::CollectiveKind::AllToAllV &&
           kind != comm::CollectiveKind::AllGatherV;
  }

  LogicalResult checkData(Operation *op) {
    auto collective = dyn_cast<comm::CollectiveOpInterface>(op);
    if (!collective) {
      return success();
    }
    SmallVector<Value> reads = collective.getCollectiveReads();
    if (hasEqualParts(collective.getCollectiveKind())) {
      return failure(failed(checkEqual(collective, reads[0], Aspect::Extents,
                                       "a source of equal extents")) ||
                     failed(checkEqual(
                         collective, collective.getCollectiveDestination(),
                         Aspect::Extents, "a destination of equal extents")));
    }
    if (collective.getCollectiveKind() == comm::CollectiveKind::AllGatherV) {
      return checkEqual(collective, reads[1], Aspect::Contents,
                        "equal offsets");
    }
    return success();
  }

  LogicalResult checkEqual(comm::CollectiveOpInterface op, Value value,
                           Aspect aspect, StringRef what) {
    AxisListAttr varying =
        uniformity.getVaryingWithin(value, op.getAxesAttr(), aspect);
    if (varying.empty()) {
      return success();
    }
    InFlightDiagnostic diagnostic =
        op->emitOpError("expected ")
        << what << " on all ranks over " << toString(op.getAxesAttr())
        << ", but got one that varies over " << toString(varying);
    uniformity.explain(diagnostic, value, varying, aspect);
    return diagnostic;
  }

  //===--- C6: parts -----------------------------------------------------===//

  /// What is cut where a rank's share begins is what all of them share out.
  LogicalResult checkParts(FunctionOpInterface function) {
    WalkResult result = function->walk([&](tensor::ExtractSliceOp slice) {
      for (Value offset : slice.getOffsets()) {
        auto local = offset.getDefiningOp<comm::LocalOffsetOp>();
        for (Aspect aspect : {Aspect::Contents, Aspect::Extents}) {
          AxisListAttr varying =
              local ? uniformity.getVaryingWithin(slice.getSource(),
                                                  local.getAxes(), aspect)
                    : AxisListAttr();
          if (varying && !varying.empty()) {
            return WalkResult(rejectPart(slice, local, varying, aspect));
          }
        }
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  LogicalResult rejectPart(tensor::ExtractSliceOp slice,
                           comm::LocalOffsetOp offset, AxisListAttr varying,
                           Aspect aspect) {
    InFlightDiagnostic diagnostic =
        slice.emitOpError("expected a source that all ranks over ")
        << toString(offset.getAxes()) << " share out, but it varies over "
        << toString(varying);
    diagnostic.attachNote(offset.getLoc()) << "the share begins here";
    uniformity.explain(diagnostic, slice.getSource(), varying, aspect);
    return diagnostic;
  }

  //===--- C4: results ---------------------------------------------------===//

  LogicalResult checkResults(FunctionOpInterface function) {
    for (unsigned index = 0; index < function.getNumResults(); ++index) {
      auto written = function.getResultAttrOfType<AxisListAttr>(
          index, comm::kVariesOverAttrName);
      if (written && failed(checkResult(function, index, written))) {
        return failure();
      }
    }
    return success();
  }

  LogicalResult checkResult(FunctionOpInterface function, unsigned index,
                            AxisListAttr written) {
    for (Block &block : function.getFunctionBody()) {
      Operation *end = block.getTerminator();
      if (!end->hasTrait<OpTrait::ReturnLike>()) {
        continue;
      }
      Value value = end->getOperand(index);
      if (Operation *unwritten = uniformity.findUnwritten(value)) {
        InFlightDiagnostic diagnostic = end->emitOpError("expected result ")
                                        << index << " of '"
                                        << function.getName()
                                        << "' to be made of what was written";
        diagnostic.attachNote(unwritten->getLoc())
            << "nothing writes this before it is read";
        return diagnostic;
      }
      AxisSet more = uniformity.getVarying(value);
      more.reset(uniformity.getParts().getTouched(written));
      if (more.none()) {
        continue;
      }
      AxisListAttr varying = uniformity.getParts().toAttribute(more);
      InFlightDiagnostic diagnostic = end->emitOpError("expected result ")
                                      << index << " of '" << function.getName()
                                      << "' to vary over " << toString(written)
                                      << " at most, but it also varies over "
                                      << toString(varying);
      uniformity.explain(diagnostic, value, varying);
      return diagnostic;
    }
    return success();
  }

  ModuleOp module;
  const Uniformity &uniformity;
  SymbolTableCollection symbols;
  SymbolUserMap users;
  BufferTouches touches;
  PostDominanceInfo dominance;
  llvm::MapVector<FunctionOpInterface, SmallVector<Joint>> jointsOf;
  DenseMap<Operation *, SmallVector<Joint>> allJoints;
};

struct VerifyUniformPass
    : public mlir::moe::impl::VerifyUniformPassBase<VerifyUniformPass> {
  void runOnOperation() override {
    FailureOr<Uniformity> uniformity = Uniformity::analyze(getOperation());
    if (failed(uniformity) ||
        failed(ParticipationChecker(getOperation(), *uniformity).run())) {
      return signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};
} // namespace
