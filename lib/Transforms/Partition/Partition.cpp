// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FunctionPartitioner.h"
#include "ShardingState.h"
#include "moe/Analysis/PlannedLayers.h"
#include "moe/Transforms/Partition/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::moe {
#define GEN_PASS_DEF_PARTITIONPASS
#include "moe/Transforms/Partition/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

namespace {
struct PartitionPass
    : public mlir::moe::impl::PartitionPassBase<PartitionPass> {
  void runOnOperation() override {
    comm::MeshOp mesh = findModuleMesh(getOperation());
    if (!mesh) {
      return signalPassFailure();
    }
    if (failed(verifyResharded(getOperation(), mesh)) ||
        failed(recordPlannedLayers(getOperation()))) {
      return signalPassFailure();
    }
    auto create = [&](func::FuncOp global) {
      return std::make_unique<FunctionPartitioner>(global, mesh);
    };
    if (failed(partitionFunctions(getOperation(), create))) {
      signalPassFailure();
    }
  }
};
} // namespace
