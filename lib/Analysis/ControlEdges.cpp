// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/ControlEdges.h"

#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DepthFirstIterator.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace mlir::moe;

static void addRegionEdges(RegionBranchOpInterface parent,
                           RegionBranchPoint point,
                           SmallVectorImpl<ControlEdge> &edges) {
  SmallVector<RegionSuccessor> successors;
  parent.getSuccessorRegions(point, successors);
  for (RegionSuccessor successor : successors) {
    Operation *target = successor.isParent()
                            ? parent->getNextNode()
                            : &successor.getSuccessor()->front().front();
    edges.push_back({parent, parent.getSuccessorOperands(point, successor),
                     successor.getSuccessorInputs(), target});
  }
}

SmallVector<ControlEdge> mlir::moe::getControlEdges(Operation *op) {
  SmallVector<ControlEdge> edges;
  if (auto branch = dyn_cast<RegionBranchOpInterface>(op)) {
    addRegionEdges(branch, RegionBranchPoint::parent(), edges);
  } else if (auto branch = dyn_cast<BranchOpInterface>(op)) {
    for (auto [index, block] : llvm::enumerate(op->getSuccessors())) {
      SuccessorOperands operands = branch.getSuccessorOperands(index);
      edges.push_back(
          {op, operands.getForwardedOperands(),
           block->getArguments().drop_front(operands.getProducedOperandCount()),
           &block->front()});
    }
  } else if (auto end = dyn_cast<RegionBranchTerminatorOpInterface>(op)) {
    if (auto parent = dyn_cast<RegionBranchOpInterface>(op->getParentOp())) {
      addRegionEdges(parent, end, edges);
    }
  }
  return edges;
}

SmallVector<Value> mlir::moe::getDecidingOperands(Operation *op) {
  SmallVector<ControlEdge> edges = getControlEdges(op);
  SmallVector<Value> deciding;
  if (edges.empty()) {
    return deciding;
  }
  // By number: a value that is carried may also decide.
  llvm::SmallBitVector carried(op->getNumOperands());
  for (const ControlEdge &edge : edges) {
    if (!edge.operands.empty()) {
      unsigned first = edge.operands.getBeginOperandIndex();
      carried.set(first, first + edge.operands.size());
    }
  }
  for (OpOperand &operand : op->getOpOperands()) {
    if (!carried.test(operand.getOperandNumber())) {
      deciding.push_back(operand.get());
    }
  }
  return deciding;
}

SmallVector<Value> mlir::moe::getDecidingValues(Operation *op) {
  SmallVector<Value> deciding = getDecidingOperands(op);
  for (Region &region : op->getRegions()) {
    for (Block &block : region) {
      Operation *end = block.empty() ? nullptr : &block.back();
      if (isa_and_nonnull<RegionBranchTerminatorOpInterface>(end)) {
        llvm::append_range(deciding, getDecidingOperands(end));
      }
    }
  }
  return deciding;
}

// Branches of the region from which one way leads to the block and another does
// not.
static void addBranchesBefore(Block *block, PostDominanceInfo &dominance,
                              SmallVectorImpl<Decision> &decisions) {
  if (block->getParent()->hasOneBlock()) {
    return;
  }
  for (Block &before : *block->getParent()) {
    Operation *branch = before.getTerminator();
    SmallVector<Value> deciding = getDecidingOperands(branch);
    if (deciding.empty() || dominance.postDominates(block, &before) ||
        !llvm::is_contained(llvm::depth_first(&before), block)) {
      continue;
    }
    for (Value value : deciding) {
      decisions.push_back({branch, value});
    }
  }
}

SmallVector<Decision> mlir::moe::getDecisions(Operation *op,
                                              PostDominanceInfo &dominance) {
  SmallVector<Decision> decisions;
  for (; op && !isa<FunctionOpInterface>(op); op = op->getParentOp()) {
    addBranchesBefore(op->getBlock(), dominance, decisions);
    Operation *parent = op->getParentOp();
    for (Value value : getDecidingValues(parent)) {
      decisions.push_back({parent, value});
    }
  }
  return decisions;
}
