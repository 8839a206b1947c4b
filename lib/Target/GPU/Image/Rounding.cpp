// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Rewrites.h"

#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IntrinsicsNVPTX.h"

using namespace mlir;
using namespace mlir::moe;

/// The bits of f32 scalars or vectors rounded to bf16, as i16.
static llvm::Value *roundToBF16(llvm::IRBuilderBase &builder,
                                llvm::Value *value) {
  llvm::Type *words = value->getType()->getWithNewType(builder.getInt32Ty());
  auto constant = [&](uint32_t bits) {
    return llvm::ConstantInt::get(words, bits);
  };
  llvm::Value *bits = builder.CreateBitCast(value, words);
  // Half of the last place, less one where the result would be even already.
  llvm::Value *odd = builder.CreateAnd(builder.CreateLShr(bits, 16), 1);
  llvm::Value *rounded =
      builder.CreateAdd(bits, builder.CreateAdd(odd, constant(0x7fff)));
  llvm::Value *isNaN = builder.CreateICmpUGT(
      builder.CreateAnd(bits, constant(0x7fffffff)), constant(0x7f800000));
  llvm::Value *upper = builder.CreateSelect(isNaN, constant(0x7fff),
                                            builder.CreateLShr(rounded, 16));
  return builder.CreateTrunc(upper,
                             words->getWithNewType(builder.getInt16Ty()));
}

/// Exact: the upper half of an f32.
static llvm::Value *extendBF16(llvm::IRBuilderBase &builder, llvm::Value *value,
                               llvm::Type *type) {
  llvm::Type *halves = value->getType()->getWithNewType(builder.getInt16Ty());
  llvm::Value *bits = builder.CreateZExt(
      builder.CreateBitCast(value, halves),
      value->getType()->getWithNewType(builder.getInt32Ty()));
  return builder.CreateBitCast(builder.CreateShl(bits, 16), type);
}

/// Replacement of a conversion; null for other instructions.
static llvm::Value *expand(llvm::Instruction &instruction) {
  llvm::IRBuilder<> builder(&instruction);
  llvm::Type *type = instruction.getType();
  if (auto *call = dyn_cast<llvm::IntrinsicInst>(&instruction)) {
    if (call->getIntrinsicID() == llvm::Intrinsic::nvvm_f2bf16_rn) {
      return builder.CreateBitCast(roundToBF16(builder, call->getArgOperand(0)),
                                   type);
    }
    if (call->getIntrinsicID() == llvm::Intrinsic::nvvm_ff2bf16x2_rn) {
      // The first operand goes to the upper half.
      llvm::Value *pair = llvm::PoisonValue::get(
          llvm::FixedVectorType::get(builder.getFloatTy(), 2));
      pair = builder.CreateInsertElement(pair, call->getArgOperand(1),
                                         uint64_t{0});
      pair = builder.CreateInsertElement(pair, call->getArgOperand(0),
                                         uint64_t{1});
      return builder.CreateBitCast(roundToBF16(builder, pair), type);
    }
    return nullptr;
  }
  if (isa<llvm::FPTruncInst>(instruction) &&
      type->getScalarType()->isBFloatTy() &&
      instruction.getOperand(0)->getType()->getScalarType()->isFloatTy()) {
    return builder.CreateBitCast(
        roundToBF16(builder, instruction.getOperand(0)), type);
  }
  if (isa<llvm::FPExtInst>(instruction) && type->getScalarType()->isFloatTy() &&
      instruction.getOperand(0)->getType()->getScalarType()->isBFloatTy()) {
    return extendBF16(builder, instruction.getOperand(0), type);
  }
  return nullptr;
}

void mlir::moe::expandRounding(KernelBody &body) {
  for (llvm::Instruction &instruction :
       llvm::make_early_inc_range(llvm::instructions(*body.function))) {
    if (llvm::Value *replacement = expand(instruction)) {
      instruction.replaceAllUsesWith(replacement);
      instruction.eraseFromParent();
    }
  }
}
