// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::moe {
#define GEN_PASS_DEF_CARRYBF16ASI16PASS
#include "moe/Target/CPU/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

namespace {

/// An intrinsic with the types that it asks for.
struct Intrinsic {
  LLVM::CallIntrinsicOp op;
  SmallVector<Type> operands;
  SmallVector<Type> results;
};

struct CarryBF16AsI16Pass
    : mlir::moe::impl::CarryBF16AsI16PassBase<CarryBF16AsI16Pass> {
  void runOnOperation() override;
};

} // namespace

/// bf16 → i16 in types and, with the same bits, in constants.
static AttrTypeReplacer makeReplacer(MLIRContext *context) {
  AttrTypeReplacer replacer;
  Type word = IntegerType::get(context, 16);
  replacer.addReplacement([=](BFloat16Type) { return word; });
  replacer.addReplacement([=](FloatAttr attr) -> std::optional<Attribute> {
    if (!attr.getType().isBF16()) {
      return std::nullopt;
    }
    return IntegerAttr::get(word, attr.getValue().bitcastToAPInt());
  });
  replacer.addReplacement(
      [=](DenseFPElementsAttr attr) -> std::optional<Attribute> {
        if (!attr.getElementType().isBF16()) {
          return std::nullopt;
        }
        return attr.bitcast(word);
      });
  return replacer;
}

/// Puts bitcasts between an intrinsic and the values around it.
static void restoreTypes(const Intrinsic &intrinsic) {
  LLVM::CallIntrinsicOp op = intrinsic.op;
  OpBuilder before(op);
  for (auto [operand, type] :
       llvm::zip_equal(op->getOpOperands(), intrinsic.operands)) {
    if (operand.get().getType() != type) {
      operand.set(
          LLVM::BitcastOp::create(before, op.getLoc(), type, operand.get()));
    }
  }
  OpBuilder after(op.getContext());
  after.setInsertionPointAfter(op);
  for (auto [result, type] :
       llvm::zip_equal(op->getResults(), intrinsic.results)) {
    Type carried = result.getType();
    if (carried != type) {
      result.setType(type);
      auto cast = LLVM::BitcastOp::create(after, op.getLoc(), carried, result);
      result.replaceAllUsesExcept(cast, cast);
    }
  }
}

void CarryBF16AsI16Pass::runOnOperation() {
  SmallVector<Intrinsic> intrinsics;
  getOperation().walk([&](LLVM::CallIntrinsicOp op) {
    intrinsics.push_back({op, llvm::to_vector(op->getOperandTypes()),
                          llvm::to_vector(op->getResultTypes())});
  });
  makeReplacer(&getContext())
      .recursivelyReplaceElementsIn(getOperation(), /*replaceAttrs=*/true,
                                    /*replaceLocs=*/false,
                                    /*replaceTypes=*/true);
  for (const Intrinsic &intrinsic : intrinsics) {
    restoreTypes(intrinsic);
  }
}
