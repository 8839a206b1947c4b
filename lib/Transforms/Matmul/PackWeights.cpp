// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Transforms/Matmul/Passes.h"

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::moe {
#define GEN_PASS_DEF_PACKWEIGHTSPASS
#include "moe/Transforms/Matmul/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

// Whether `op` is rows [m, k] times a matrix [n, k], accumulated on f32 zeros.
static bool isProductWithStoredMatrix(linalg::MatmulOp op) {
  MLIRContext *context = op.getContext();
  AffineExpr m = getAffineDimExpr(0, context);
  AffineExpr n = getAffineDimExpr(1, context);
  AffineExpr k = getAffineDimExpr(2, context);
  AffineMap expected[] = {AffineMap::get(3, 0, {m, k}, context),
                          AffineMap::get(3, 0, {n, k}, context),
                          AffineMap::get(3, 0, {m, n}, context)};
  auto fill = op.getOutputs()[0].getDefiningOp<linalg::FillOp>();
  if (!fill || !llvm::equal(op.getIndexingMapsArray(), expected)) {
    return false;
  }
  FloatAttr zero;
  auto element = [&](Value value) {
    return cast<ShapedType>(value.getType()).getElementType();
  };
  return matchPattern(fill.getInputs()[0], m_Constant(&zero)) &&
         zero.getValue().isPosZero() && element(op.getOutputs()[0]).isF32() &&
         element(op.getInputs()[0]) == element(op.getInputs()[1]);
}

namespace {
/// Finds the handles that can become packed weights, and rewrites them.
class Packing {
public:
  explicit Packing(ModuleOp module) : module(module), symbols(module) {}

  void run() {
    collect();
    while (dropOne()) {
    }
    for (Value handle : handles) {
      auto stored = cast<RankedTensorType>(handle.getType());
      int64_t shape[] = {1, stored.getDimSize(1), stored.getDimSize(0)};
      handle.setType(WeightsType::get(module.getContext(), shape,
                                      stored.getElementType()));
    }
    for (linalg::MatmulOp product : products) {
      if (isa<WeightsType>(product.getInputs()[1].getType())) {
        rewrite(product);
      }
    }
    for (func::FuncOp function : module.getOps<func::FuncOp>()) {
      if (!function.isDeclaration()) {
        function.setType(FunctionType::get(
            module.getContext(), function.getBody().getArgumentTypes(),
            function.getResultTypes()));
      }
    }
  }

private:
  static bool isMatrix(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.getRank() == 2 && type.hasStaticShape();
  }

  /// Starts with every matrix that is a handle or an argument.
  void collect() {
    module.walk([&](UseWeightOp use) {
      if (isMatrix(use.getResult())) {
        handles.insert(use.getResult());
      }
    });
    for (func::FuncOp function : module.getOps<func::FuncOp>()) {
      bool isCalled = !SymbolTable::symbolKnownUseEmpty(function, module);
      for (Value argument : function.getArguments()) {
        if (isCalled && isMatrix(argument)) {
          handles.insert(argument);
        }
      }
    }
    module.walk([&](linalg::MatmulOp product) {
      if (isProductWithStoredMatrix(product)) {
        products.insert(product);
      }
    });
    module.walk([&](func::CallOp call) { calls.push_back(call); });
  }

  bool isPackableUse(OpOperand &use) {
    if (auto product = dyn_cast<linalg::MatmulOp>(use.getOwner())) {
      return use.getOperandNumber() == 1 && products.contains(product);
    }
    auto call = dyn_cast<func::CallOp>(use.getOwner());
    if (!call) {
      return false;
    }
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    return !callee.isDeclaration() &&
           handles.contains(callee.getArgument(use.getOperandNumber()));
  }

  /// Removes a handle that has another use, or an argument that some call
  /// gives something else; whether there was one.
  bool dropOne() {
    size_t before = handles.size();
    handles.remove_if([&](Value handle) {
      return !llvm::all_of(handle.getUses(),
                           [&](OpOperand &use) { return isPackableUse(use); });
    });
    for (func::CallOp call : calls) {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      if (callee.isDeclaration()) {
        continue;
      }
      for (OpOperand &operand : call->getOpOperands()) {
        if (!handles.contains(operand.get())) {
          handles.remove(callee.getArgument(operand.getOperandNumber()));
        }
      }
    }
    return handles.size() != before;
  }

  void rewrite(linalg::MatmulOp product) {
    ImplicitLocOpBuilder b(product.getLoc(), product);
    Value rows = product.getInputs()[0];
    Value zero = arith::ConstantIndexOp::create(b, 0);
    Value count = arith::IndexCastOp::create(
        b, b.getI32Type(), tensor::DimOp::create(b, rows, zero));
    Value none = arith::ConstantIntOp::create(b, 0, 32);
    Value bounds = tensor::FromElementsOp::create(b, ValueRange{none, count});
    auto offsetsType =
        RankedTensorType::get({ShapedType::kDynamic}, b.getI32Type());
    Value offsets = tensor::CastOp::create(b, offsetsType, bounds);
    auto packed =
        GroupedMatmulOp::create(b, product.getResultTypes(), rows,
                                product.getInputs()[1], offsets, ValueRange{});
    product->replaceAllUsesWith(packed->getResults());
    product.erase();
  }

  ModuleOp module;
  SymbolTable symbols;
  llvm::SetVector<Value> handles;
  SmallVector<func::CallOp> calls;
  llvm::SetVector<linalg::MatmulOp> products;
};

struct PackWeightsPass
    : public mlir::moe::impl::PackWeightsPassBase<PackWeightsPass> {
  void runOnOperation() override { Packing(getOperation()).run(); }
};
} // namespace
