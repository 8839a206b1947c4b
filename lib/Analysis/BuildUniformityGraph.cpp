// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What goes into which value, operation by operation.

#include "MemoryFlows.h"
#include "moe/Analysis/ControlEdges.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/ShapedOpInterfaces.h"
#include "llvm/ADT/DepthFirstIterator.h"

using namespace mlir;
using namespace mlir::moe;

namespace {
class GraphBuilder : private comm::UniformityFlows {
public:
  GraphBuilder(ModuleOp module, const AxisParts &parts)
      : module(module), parts(parts), graph(parts), users(symbols, module),
        memory(graph, parts, symbols) {}

  UniformityGraph run() {
    module.walk([&](Operation *op) {
      memory.visit(op);
      if (auto function = dyn_cast<FunctionOpInterface>(op)) {
        visitFunction(function);
      } else if (auto call = dyn_cast<CallOpInterface>(op)) {
        visitCall(call);
      } else if (auto known = dyn_cast<comm::UniformityOpInterface>(op)) {
        known.addUniformityFlows(*this);
      } else if (isa<RegionBranchOpInterface>(op)) {
        visitEdges(op);
        visitDeciding(op);
      } else if (auto dim = dyn_cast<ShapedDimOpInterface>(op)) {
        visitDim(dim);
      } else {
        visitEdges(op);
        visitOther(op);
      }
      for (Region &region : op->getRegions()) {
        if (!region.empty() && !region.hasOneBlock()) {
          visitMerges(region);
        }
      }
    });
    return std::move(graph);
  }

private:
  //===--- UniformityFlows -----------------------------------------------===//

  void addRank(Value to, Aspect aspect, comm::AxisListAttr axes) override {
    graph.addOwn(to, aspect, axes ? parts.getTouched(axes) : parts.getAll());
  }

  void add(Value to, Aspect aspect, Value from, Aspect what,
           comm::AxisListAttr equalized) override {
    graph.addSource(to, aspect, from, what,
                    equalized ? parts.getCovered(equalized) : parts.getNone());
  }

  void addOwn(Value value, const AxisSet &axes) {
    graph.addOwn(value, Aspect::Contents, axes);
    graph.addOwn(value, Aspect::Extents, axes);
  }

  /// `from` decides which of several values `to` is.
  void addDeciding(Value to, Value from) {
    graph.addSource(to, Aspect::Contents, from, Aspect::Contents);
    graph.addSource(to, Aspect::Extents, from, Aspect::Contents);
  }

  //===--- Functions -----------------------------------------------------===//

  /// What is known of a value at the border of the program: as written on it,
  /// else that it may differ everywhere.
  AxisSet getWritten(Attribute variesOver, Attribute sharding) {
    if (auto axes = dyn_cast_or_null<comm::AxisListAttr>(variesOver)) {
      return parts.getTouched(axes);
    }
    auto sharded = dyn_cast_or_null<comm::ShardingAttr>(sharding);
    if (!sharded) {
      return parts.getAll();
    }
    AxisSet axes = parts.getNone();
    for (comm::AxisListAttr dim : sharded.getDims()) {
      axes |= parts.getTouched(dim);
    }
    return axes;
  }

  void visitFunction(FunctionOpInterface function) {
    if (function.isExternal() || hasKnownCalls(function)) {
      return;
    }
    for (BlockArgument argument : function.getArguments()) {
      unsigned index = argument.getArgNumber();
      addOwn(argument,
             getWritten(function.getArgAttr(index, comm::kVariesOverAttrName),
                        function.getArgAttr(index, comm::kShardingAttrName)));
    }
  }

  /// Whether all that calls the function is in the module.
  bool hasKnownCalls(FunctionOpInterface function) {
    ArrayRef<Operation *> calls = users.getUsers(function);
    return !function.isPublic() && !calls.empty() &&
           llvm::all_of(calls, llvm::IsaPred<CallOpInterface>);
  }

  void visitCall(CallOpInterface call) {
    auto function = dyn_cast_or_null<FunctionOpInterface>(
        call.resolveCallableInTable(&symbols));
    if (!function || function.isExternal()) {
      for (OpResult result : call->getResults()) {
        unsigned index = result.getResultNumber();
        Attribute written =
            function ? function.getResultAttr(index, comm::kVariesOverAttrName)
                     : Attribute();
        addOwn(result, getWritten(written, Attribute()));
      }
      return;
    }
    for (auto [argument, operand] :
         llvm::zip(function.getArguments(), call.getArgOperands())) {
      graph.addCopy(argument, operand);
    }
    for (Block &block : function.getFunctionBody()) {
      Operation *end = block.getTerminator();
      if (!end->hasTrait<OpTrait::ReturnLike>()) {
        continue;
      }
      for (auto [result, value] :
           llvm::zip(call->getResults(), end->getOperands())) {
        graph.addCopy(result, value);
      }
    }
  }

  //===--- Control flow --------------------------------------------------===//

  void visitEdges(Operation *op) {
    for (const ControlEdge &edge : getControlEdges(op)) {
      for (auto [operand, input] : llvm::zip(edge.operands, edge.inputs)) {
        graph.addCopy(input, operand);
      }
    }
  }

  /// What decides whether, and how often, regions run goes into all that they
  /// take and give.
  void visitDeciding(Operation *op) {
    for (Value deciding : getDecidingValues(op)) {
      for (Region &region : op->getRegions()) {
        for (Value argument : region.getArguments()) {
          addDeciding(argument, deciding);
        }
      }
      for (Value result : op->getResults()) {
        addDeciding(result, deciding);
      }
    }
  }

  /// Where blocks are entered from several, what leads there decides what their
  /// arguments are.
  void visitMerges(Region &region) {
    for (Block &block : region) {
      SmallVector<Value> deciding = getDecidingOperands(block.getTerminator());
      if (deciding.empty()) {
        continue;
      }
      for (Block *reached : llvm::depth_first(&block)) {
        if (reached->hasNoPredecessors() || reached->getSinglePredecessor()) {
          continue;
        }
        for (Value argument : reached->getArguments()) {
          for (Value value : deciding) {
            addDeciding(argument, value);
          }
        }
      }
    }
  }

  //===--- Everything else -----------------------------------------------===//

  void visitDim(ShapedDimOpInterface op) {
    for (Value result : op->getResults()) {
      for (Value operand : op->getOperands()) {
        bool isShaped = operand == op.getShapedValue();
        graph.addSource(result, Aspect::Contents, operand,
                        isShaped ? Aspect::Extents : Aspect::Contents);
      }
    }
  }

  /// Whether results are made of nothing but operands, buffers among them: no
  /// memory is read whose contents nobody knows. What touches the network only
  /// keeps its order by it.
  static bool readsOperandsOnly(Operation *op) {
    if (isMemoryEffectFree(op)) {
      return true;
    }
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    SmallVector<MemoryEffects::EffectInstance> instances;
    if (effects) {
      effects.getEffects(instances);
    }
    return effects && llvm::all_of(instances, [](const auto &instance) {
             Value value = instance.getValue();
             return isa<comm::NetworkResource>(instance.getResource()) ||
                    (value && isa<BaseMemRefType>(value.getType()));
           });
  }

  /// Whether an operation makes anything of the contents of an operand, or only
  /// writes over them.
  static bool isRead(Operation *op, OpOperand &operand) {
    if (auto linalg = dyn_cast<linalg::LinalgOp>(op)) {
      return linalg.payloadUsesValueFromOperand(&operand);
    }
    auto materialize = dyn_cast<bufferization::MaterializeInDestinationOp>(op);
    return !materialize || operand.get() != materialize.getDest();
  }

  void visitOther(Operation *op) {
    AxisSet own = parts.getNone();
    if (auto ranked = dyn_cast<comm::RankDependentOpInterface>(op)) {
      comm::AxisListAttr axes = ranked.getRankAxes();
      own = axes ? parts.getTouched(axes) : parts.getAll();
    } else if (!readsOperandsOnly(op)) {
      own = parts.getAll();
    }
    SmallVector<Value> results(op->getResults());
    SmallVector<Value> operands;
    for (OpOperand &operand : op->getOpOperands()) {
      if (isRead(op, operand)) {
        operands.push_back(operand.get());
      }
    }
    for (Region &region : op->getRegions()) {
      for (Block &block : region) {
        llvm::append_range(results, block.getArguments());
        if (!block.empty() && block.back().hasTrait<OpTrait::IsTerminator>()) {
          llvm::append_range(operands, block.back().getOperands());
        }
      }
    }
    for (Value result : results) {
      graph.addOwn(result, Aspect::Contents, own);
      if (isa<tensor::EmptyOp>(op)) {
        graph.addOwn(result, Aspect::Contents, parts.getUnwritten());
      }
      for (Value operand : operands) {
        graph.addSource(result, Aspect::Contents, operand, Aspect::Contents);
      }
      for (Value operand : op->getOperands()) {
        graph.addSource(result, Aspect::Contents, operand, Aspect::Extents);
      }
      visitExtents(op, result, own);
    }
  }

  /// Extents come from the destination where there is one, else from the
  /// operands' extents and from numbers.
  void visitExtents(Operation *op, Value result, const AxisSet &own) {
    graph.addOwn(result, Aspect::Extents, own);
    auto destination = dyn_cast<DestinationStyleOpInterface>(op);
    if (destination && isa<OpResult>(result)) {
      OpOperand *init = destination.getTiedOpOperand(cast<OpResult>(result));
      graph.addSource(result, Aspect::Extents, init->get(), Aspect::Extents);
      return;
    }
    for (Value operand : op->getOperands()) {
      bool isShape = isa<tensor::ReshapeOp, memref::ReshapeOp>(op);
      if (isShape || !isa<ShapedType>(operand.getType())) {
        graph.addSource(result, Aspect::Extents, operand, Aspect::Contents);
      }
      graph.addSource(result, Aspect::Extents, operand, Aspect::Extents);
    }
  }

  ModuleOp module;
  const AxisParts &parts;
  UniformityGraph graph;
  SymbolTableCollection symbols;
  SymbolUserMap users;
  MemoryFlows memory;
};
} // namespace

UniformityGraph UniformityGraph::build(ModuleOp module,
                                       const AxisParts &parts) {
  return GraphBuilder(module, parts).run();
}
