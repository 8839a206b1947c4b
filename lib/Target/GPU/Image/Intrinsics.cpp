// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Rewrites.h"
#include "Sites.h"

#include "emulator/KernelImage.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace mlir;
using namespace mlir::moe;

char UnsupportedInstruction::ID = 0;

llvm::Error mlir::moe::unsupported(const llvm::Twine &what,
                                   const llvm::Instruction &instruction) {
  return llvm::make_error<UnsupportedInstruction>(what.str(),
                                                  siteOf(instruction));
}

namespace {

/// One intrinsic on its way to a call of the device. `name` is what is left of
/// its name: each handler takes its part.
struct Rewriter {
  const KernelBody &body;
  llvm::IntrinsicInst &call;
  llvm::IRBuilder<> builder;
  StringRef name;

  Rewriter(const KernelBody &body, llvm::IntrinsicInst &call, StringRef name)
      : body(body), call(call), builder(&call), name(name) {}

  llvm::Value *operand(unsigned index) const {
    return call.getArgOperand(index);
  }
  llvm::Value *site() { return builder.getInt32(siteOf(call)); }
  llvm::Value *constant(uint32_t value) { return builder.getInt32(value); }
  llvm::Value *zero() { return builder.getInt32(0); }
  /// A call that returns 32 bits.
  llvm::Value *word(size_t offset, ArrayRef<llvm::Value *> operands) {
    return callDevice(builder, body, offset, builder.getInt32Ty(), operands);
  }
  void run(size_t offset, ArrayRef<llvm::Value *> operands) {
    callDevice(builder, body, offset, builder.getVoidTy(), operands);
  }
  llvm::Value *address(unsigned index) {
    return builder.CreatePtrToInt(operand(index), builder.getInt64Ty());
  }

  /// Each returns the result, the call itself for none, null for what the
  /// device does not have.
  llvm::Value *rewrite();
  llvm::Value *readRegister();
  llvm::Value *shuffle();
  llvm::Value *vote();
  llvm::Value *reduce();
  llvm::Value *copyAsync();
  llvm::Value *barrier();
  llvm::Value *approximate();
  llvm::Value *exactArithmetic();
};

} // namespace

llvm::Value *Rewriter::readRegister() {
  constexpr uint32_t none = ~0U;
  if (name == "warpsize") {
    return constant(32);
  }
  auto which = llvm::StringSwitch<uint32_t>(name)
                   .Case("tid.x", MOERT_KERNEL_TID_X)
                   .Case("tid.y", MOERT_KERNEL_TID_Y)
                   .Case("tid.z", MOERT_KERNEL_TID_Z)
                   .Case("ntid.x", MOERT_KERNEL_NTID_X)
                   .Case("ntid.y", MOERT_KERNEL_NTID_Y)
                   .Case("ntid.z", MOERT_KERNEL_NTID_Z)
                   .Case("ctaid.x", MOERT_KERNEL_CTAID_X)
                   .Case("ctaid.y", MOERT_KERNEL_CTAID_Y)
                   .Case("ctaid.z", MOERT_KERNEL_CTAID_Z)
                   .Case("nctaid.x", MOERT_KERNEL_NCTAID_X)
                   .Case("nctaid.y", MOERT_KERNEL_NCTAID_Y)
                   .Case("nctaid.z", MOERT_KERNEL_NCTAID_Z)
                   .Case("laneid", MOERT_KERNEL_LANEID)
                   .Case("warpid", MOERT_KERNEL_WARPID)
                   .Case("dynamic.smem.size", MOERT_KERNEL_DYNAMIC_SHARED_BYTES)
                   .Default(none);
  if (which != none) {
    return builder.CreateTrunc(readSpecial(builder, body, which),
                               call.getType());
  }
  if (!name.consume_front("lanemask.")) {
    return nullptr;
  }
  // Masks of the lanes on either side of one's own.
  llvm::Value *lane = builder.CreateTrunc(
      readSpecial(builder, body, MOERT_KERNEL_LANEID), builder.getInt32Ty());
  llvm::Value *own = builder.CreateShl(constant(1), lane);
  llvm::Value *below = builder.CreateSub(own, constant(1));
  if (name == "eq") {
    return own;
  }
  if (name == "lt") {
    return below;
  }
  if (name == "le") {
    return builder.CreateOr(below, own);
  }
  return name == "ge" ? builder.CreateNot(below)
                      : builder.CreateNot(builder.CreateOr(below, own));
}

llvm::Value *Rewriter::shuffle() {
  auto [mode, type] = name.split('.');
  auto which = llvm::StringSwitch<uint32_t>(mode)
                   .Case("up", MOERT_KERNEL_SHUFFLE_UP)
                   .Case("down", MOERT_KERNEL_SHUFFLE_DOWN)
                   .Case("bfly", MOERT_KERNEL_SHUFFLE_BUTTERFLY)
                   .Default(MOERT_KERNEL_SHUFFLE_INDEX);
  bool hasPredicate = type.ends_with("p");
  llvm::Value *inRange =
      hasPredicate ? static_cast<llvm::Value *>(allocateScratch(
                         body, builder.getInt32Ty(), 1, "in_range"))
                   : llvm::ConstantPointerNull::get(builder.getPtrTy());
  llvm::Value *value = operand(1);
  llvm::Type *valueType = value->getType();
  value = builder.CreateBitCast(value, builder.getInt32Ty());
  llvm::Value *result =
      word(MOE_DEVICE(shuffle), {constant(which), operand(0), value, operand(2),
                                 operand(3), inRange, site()});
  result = builder.CreateBitCast(result, valueType);
  if (!hasPredicate) {
    return result;
  }
  llvm::Value *found = builder.CreateICmpNE(
      builder.CreateLoad(builder.getInt32Ty(), inRange), zero());
  llvm::Value *pair = llvm::PoisonValue::get(call.getType());
  pair = builder.CreateInsertValue(pair, result, 0);
  return builder.CreateInsertValue(pair, found, 1);
}

llvm::Value *Rewriter::vote() {
  auto mode = llvm::StringSwitch<uint32_t>(name)
                  .Case("all.sync", MOERT_KERNEL_VOTE_ALL)
                  .Case("any.sync", MOERT_KERNEL_VOTE_ANY)
                  .Case("uni.sync", MOERT_KERNEL_VOTE_UNIFORM)
                  .Case("ballot.sync", MOERT_KERNEL_VOTE_BALLOT)
                  .Default(~0U);
  if (mode == ~0U) {
    return nullptr;
  }
  llvm::Value *result =
      word(MOE_DEVICE(vote),
           {constant(mode), operand(0),
            builder.CreateZExt(operand(1), builder.getInt32Ty()), site()});
  return call.getType()->isIntegerTy(1) ? builder.CreateICmpNE(result, zero())
                                        : result;
}

llvm::Value *Rewriter::reduce() {
  auto operation = llvm::StringSwitch<uint32_t>(name)
                       .Case("add", MOERT_KERNEL_ADD)
                       .Cases({"min", "umin"}, MOERT_KERNEL_MIN)
                       .Cases({"max", "umax"}, MOERT_KERNEL_MAX)
                       .Case("and", MOERT_KERNEL_AND)
                       .Case("or", MOERT_KERNEL_OR)
                       .Case("xor", MOERT_KERNEL_XOR)
                       .Default(~0U);
  if (operation == ~0U) {
    return nullptr;
  }
  bool isSigned = name == "min" || name == "max";
  return word(MOE_DEVICE(reduce),
              {constant(operation),
               constant(isSigned ? MOERT_KERNEL_S32 : MOERT_KERNEL_U32),
               operand(1), operand(0), site()});
}

llvm::Value *Rewriter::copyAsync() {
  if (name == "commit.group") {
    run(MOE_DEVICE(copy_commit), {site()});
    return &call;
  }
  if (name == "wait.group") {
    run(MOE_DEVICE(copy_wait), {operand(0), site()});
    return &call;
  }
  if (name == "wait.all") {
    run(MOE_DEVICE(copy_commit), {site()});
    run(MOE_DEVICE(copy_wait), {zero(), site()});
    return &call;
  }
  uint32_t bytes = 0;
  if ((!name.consume_front("ca.shared.global.") &&
       !name.consume_front("cg.shared.global.")) ||
      name.consumeInteger(10, bytes)) {
    return nullptr;
  }
  llvm::Value *sourceBytes = name == ".s" ? operand(2) : constant(bytes);
  run(MOE_DEVICE(copy_async),
      {address(0), address(1), constant(bytes), sourceBytes, site()});
  return &call;
}

llvm::Value *Rewriter::barrier() {
  if (!name.consume_front("sync.")) {
    return nullptr;
  }
  // Without .aligned lanes may come one by one, which is weaker.
  name.consume_front("aligned.");
  llvm::Value *threads = name == "count" ? operand(1) : zero();
  run(MOE_DEVICE(barrier), {operand(0), threads, site()});
  return &call;
}

llvm::Value *Rewriter::approximate() {
  auto [function, kind] = name.split('.');
  auto which = llvm::StringSwitch<uint32_t>(function)
                   .Case("ex2", MOERT_KERNEL_EX2)
                   .Case("lg2", MOERT_KERNEL_LG2)
                   .Case("rcp", MOERT_KERNEL_RCP)
                   .Case("rsqrt", MOERT_KERNEL_RSQRT)
                   .Case("sqrt", MOERT_KERNEL_SQRT)
                   .Case("tanh", MOERT_KERNEL_TANH)
                   .Case("sin", MOERT_KERNEL_SIN)
                   .Case("cos", MOERT_KERNEL_COS)
                   .Default(~0U);
  if (which == ~0U || !kind.starts_with("approx") ||
      !call.getType()->isFloatTy()) {
    return nullptr;
  }
  if (kind.contains("ftz")) {
    which |= MOERT_KERNEL_FLUSH;
  }
  llvm::CallInst *result =
      callDevice(builder, body, MOE_DEVICE(approximate), builder.getFloatTy(),
                 {constant(which), operand(0)});
  result->setNotConvergent();
  result->setDoesNotAccessMemory();
  return result;
}

/// Instructions whose result IEEE 754 fixes.
llvm::Value *Rewriter::exactArithmetic() {
  if (name == "fma.rn.f" || name == "fma.rn.d") {
    return builder.CreateIntrinsic(llvm::Intrinsic::fma, {call.getType()},
                                   {operand(0), operand(1), operand(2)});
  }
  if (name == "add.rn.f" || name == "add.rn.d") {
    return builder.CreateFAdd(operand(0), operand(1));
  }
  if (name == "mul.rn.f" || name == "mul.rn.d") {
    return builder.CreateFMul(operand(0), operand(1));
  }
  if (name == "div.rn.f" || name == "div.rn.d") {
    return builder.CreateFDiv(operand(0), operand(1));
  }
  if (name == "rcp.rn.f" || name == "rcp.rn.d") {
    return builder.CreateFDiv(llvm::ConstantFP::get(call.getType(), 1),
                              operand(0));
  }
  if (name == "sqrt.rn.f" || name == "sqrt.rn.d") {
    return builder.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, operand(0));
  }
  return nullptr;
}

llvm::Value *Rewriter::rewrite() {
  if (name.consume_front("read.ptx.sreg.")) {
    return readRegister();
  }
  if (name.consume_front("shfl.sync.")) {
    return shuffle();
  }
  if (name.consume_front("vote.")) {
    return vote();
  }
  if (name.consume_front("redux.sync.")) {
    return reduce();
  }
  if (name.consume_front("cp.async.")) {
    return copyAsync();
  }
  if (name.consume_front("barrier.cta.")) {
    return barrier();
  }
  if (name == "bar.warp.sync") {
    run(MOE_DEVICE(warp_barrier), {operand(0), site()});
    return &call;
  }
  if (name == "activemask") {
    return builder.CreateTrunc(
        readSpecial(builder, body, MOERT_KERNEL_ACTIVE_MASK), call.getType());
  }
  if (name.starts_with("membar.")) {
    run(MOE_DEVICE(fence), {site()});
    return &call;
  }
  llvm::Value *exact = exactArithmetic();
  return exact ? exact : approximate();
}

/// A trap stays in the control flow as what does not return.
static void rewriteTrap(const KernelBody &body, llvm::IntrinsicInst &trap) {
  llvm::IRBuilder<> builder(&trap);
  callDevice(builder, body, MOE_DEVICE(trap), builder.getVoidTy(),
             {builder.getInt32(siteOf(trap))})
      ->setDoesNotReturn();
  trap.eraseFromParent();
}

static llvm::Error rewriteIntrinsic(const KernelBody &body,
                                    llvm::IntrinsicInst &call) {
  StringRef name = call.getCalledFunction()->getName();
  if (!name.consume_front("llvm.nvvm.")) {
    return llvm::Error::success();
  }
  llvm::Value *result = Rewriter(body, call, name).rewrite();
  if (!result) {
    return unsupported("instruction '" + name + "'", call);
  }
  if (result != &call) {
    call.replaceAllUsesWith(result);
  }
  call.eraseFromParent();
  return llvm::Error::success();
}

llvm::Error mlir::moe::rewriteIntrinsics(KernelBody &body) {
  for (llvm::Instruction &instruction :
       llvm::make_early_inc_range(llvm::instructions(*body.function))) {
    auto *call = dyn_cast<llvm::CallInst>(&instruction);
    if (call && call->isInlineAsm()) {
      return unsupported("inline PTX", *call);
    }
    auto *intrinsic = dyn_cast<llvm::IntrinsicInst>(&instruction);
    if (!intrinsic) {
      continue;
    }
    if (intrinsic->getIntrinsicID() == llvm::Intrinsic::trap) {
      rewriteTrap(body, *intrinsic);
    } else if (llvm::Error error = rewriteIntrinsic(body, *intrinsic)) {
      return error;
    }
  }
  return llvm::Error::success();
}
