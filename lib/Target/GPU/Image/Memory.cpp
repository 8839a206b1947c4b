// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Rewrites.h"
#include "Sites.h"

#include "emulator/KernelImage.h"

#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Transforms/Utils/LowerMemIntrinsics.h"

using namespace mlir;
using namespace mlir::moe;

/// Whether `pointer` can only be to the thread's frame, to a constant of the
/// image or to what a body is handed: memory of the host.
static bool isOwnMemory(const llvm::Value *pointer) {
  SmallVector<const llvm::Value *> objects;
  llvm::getUnderlyingObjects(pointer, objects, nullptr, /*MaxLookup=*/0);
  return llvm::all_of(objects, [](const llvm::Value *object) {
    const auto *global = dyn_cast<llvm::GlobalVariable>(object);
    return isa<llvm::AllocaInst, llvm::Argument>(object) ||
           (global && global->isConstant());
  });
}

/// Host memory behind the device's `pointer`, for the next instruction.
static llvm::Value *resolve(llvm::IRBuilderBase &builder,
                            const KernelBody &body, llvm::Value *pointer,
                            llvm::Type *type, llvm::Align align, uint32_t kind,
                            llvm::Instruction &access) {
  uint64_t bytes =
      access.getDataLayout().getTypeStoreSize(type).getFixedValue();
  // Wide accesses of vectors are several of at most 16 bytes.
  if (align.value() < std::min<uint64_t>(bytes, 16)) {
    kind |= MOERT_KERNEL_UNALIGNED;
  }
  return callDevice(builder, body, MOE_DEVICE(access), builder.getPtrTy(),
                    {builder.CreatePtrToInt(pointer, builder.getInt64Ty()),
                     builder.getInt32(bytes), builder.getInt32(kind),
                     builder.getInt32(siteOf(access))});
}

static llvm::Error rewriteLoad(const KernelBody &body, llvm::LoadInst &load) {
  if (load.isAtomic()) {
    return unsupported("atomic loads", load);
  }
  llvm::IRBuilder<> builder(&load);
  llvm::Value *memory =
      resolve(builder, body, load.getPointerOperand(), load.getType(),
              load.getAlign(), MOERT_KERNEL_READ, load);
  llvm::Value *value =
      builder.CreateAlignedLoad(load.getType(), memory, llvm::Align(1));
  load.replaceAllUsesWith(value);
  load.eraseFromParent();
  return llvm::Error::success();
}

static llvm::Error rewriteStore(const KernelBody &body,
                                llvm::StoreInst &store) {
  if (store.isAtomic()) {
    return unsupported("atomic stores", store);
  }
  llvm::IRBuilder<> builder(&store);
  llvm::Value *memory = resolve(builder, body, store.getPointerOperand(),
                                store.getValueOperand()->getType(),
                                store.getAlign(), MOERT_KERNEL_WRITE, store);
  builder.CreateAlignedStore(store.getValueOperand(), memory, llvm::Align(1));
  store.eraseFromParent();
  return llvm::Error::success();
}

namespace {
/// An operation of moert_kernel_calls.atomic.
struct AtomicOperation {
  uint32_t operation;
  bool isSigned;
};
} // namespace

static std::optional<AtomicOperation>
findOperation(llvm::AtomicRMWInst::BinOp operation) {
  switch (operation) {
  case llvm::AtomicRMWInst::Add:
  case llvm::AtomicRMWInst::FAdd:
    return AtomicOperation{MOERT_KERNEL_ADD, false};
  case llvm::AtomicRMWInst::Min:
    return AtomicOperation{MOERT_KERNEL_MIN, true};
  case llvm::AtomicRMWInst::UMin:
    return AtomicOperation{MOERT_KERNEL_MIN, false};
  case llvm::AtomicRMWInst::Max:
    return AtomicOperation{MOERT_KERNEL_MAX, true};
  case llvm::AtomicRMWInst::UMax:
    return AtomicOperation{MOERT_KERNEL_MAX, false};
  case llvm::AtomicRMWInst::And:
    return AtomicOperation{MOERT_KERNEL_AND, false};
  case llvm::AtomicRMWInst::Or:
    return AtomicOperation{MOERT_KERNEL_OR, false};
  case llvm::AtomicRMWInst::Xor:
    return AtomicOperation{MOERT_KERNEL_XOR, false};
  case llvm::AtomicRMWInst::Xchg:
    return AtomicOperation{MOERT_KERNEL_EXCHANGE, false};
  case llvm::AtomicRMWInst::UIncWrap:
    return AtomicOperation{MOERT_KERNEL_INCREMENT, false};
  case llvm::AtomicRMWInst::UDecWrap:
    return AtomicOperation{MOERT_KERNEL_DECREMENT, false};
  default:
    return std::nullopt;
  }
}

/// MOERT_KERNEL_U32 … F32; nothing for types that atomics do not have.
static std::optional<uint32_t> findType(llvm::Type *type, bool isSigned) {
  if (type->isFloatTy()) {
    return MOERT_KERNEL_F32;
  }
  if (type->isIntegerTy(32)) {
    return isSigned ? MOERT_KERNEL_S32 : MOERT_KERNEL_U32;
  }
  if (type->isIntegerTy(64)) {
    return isSigned ? MOERT_KERNEL_S64 : MOERT_KERNEL_U64;
  }
  return std::nullopt;
}

/// The bits of a 32- or 64-bit value as i64, and back.
static llvm::Value *toBits(llvm::IRBuilderBase &builder, llvm::Value *value) {
  if (value->getType()->isFloatTy()) {
    value = builder.CreateBitCast(value, builder.getInt32Ty());
  }
  return builder.CreateZExt(value, builder.getInt64Ty());
}

static llvm::Value *fromBits(llvm::IRBuilderBase &builder, llvm::Value *bits,
                             llvm::Type *type) {
  if (type->isFloatTy()) {
    return builder.CreateBitCast(
        builder.CreateTrunc(bits, builder.getInt32Ty()), type);
  }
  return builder.CreateTrunc(bits, type);
}

static llvm::Value *callAtomic(llvm::IRBuilderBase &builder,
                               const KernelBody &body, uint32_t operation,
                               uint32_t type, llvm::Value *pointer,
                               llvm::Value *value, llvm::Value *compare,
                               llvm::Instruction &atomic) {
  llvm::Value *bits =
      callDevice(builder, body, MOE_DEVICE(atomic), builder.getInt64Ty(),
                 {builder.getInt32(operation), builder.getInt32(type),
                  builder.CreatePtrToInt(pointer, builder.getInt64Ty()),
                  toBits(builder, value),
                  compare ? toBits(builder, compare) : builder.getInt64(0),
                  builder.getInt32(siteOf(atomic))});
  return fromBits(builder, bits, value->getType());
}

static llvm::Error rewriteAtomic(const KernelBody &body,
                                 llvm::AtomicRMWInst &atomic) {
  llvm::IRBuilder<> builder(&atomic);
  llvm::Value *value = atomic.getValOperand();
  std::optional<AtomicOperation> found;
  if (atomic.getOperation() == llvm::AtomicRMWInst::Sub) {
    value = builder.CreateNeg(value);
    found = AtomicOperation{MOERT_KERNEL_ADD, false};
  } else {
    found = findOperation(atomic.getOperation());
  }
  std::optional<uint32_t> type =
      found ? findType(value->getType(), found->isSigned) : std::nullopt;
  if (!type) {
    return unsupported(
        "atomic '" +
            llvm::AtomicRMWInst::getOperationName(atomic.getOperation()) +
            "' of that type",
        atomic);
  }
  atomic.replaceAllUsesWith(callAtomic(builder, body, found->operation, *type,
                                       atomic.getPointerOperand(), value,
                                       nullptr, atomic));
  atomic.eraseFromParent();
  return llvm::Error::success();
}

static llvm::Error rewriteExchange(const KernelBody &body,
                                   llvm::AtomicCmpXchgInst &atomic) {
  llvm::IRBuilder<> builder(&atomic);
  llvm::Value *compare = atomic.getCompareOperand();
  std::optional<uint32_t> type = findType(compare->getType(), false);
  if (!type) {
    return unsupported("atomic 'cmpxchg' of that type", atomic);
  }
  llvm::Value *old = callAtomic(builder, body, MOERT_KERNEL_COMPARE_AND_SWAP,
                                *type, atomic.getPointerOperand(),
                                atomic.getNewValOperand(), compare, atomic);
  llvm::Value *pair = llvm::PoisonValue::get(atomic.getType());
  pair = builder.CreateInsertValue(pair, old, 0);
  pair = builder.CreateInsertValue(pair, builder.CreateICmpEQ(old, compare), 1);
  atomic.replaceAllUsesWith(pair);
  atomic.eraseFromParent();
  return llvm::Error::success();
}

/// Copies of blocks become loops of loads and stores, as NVPTX makes them too.
static void expandCopies(KernelBody &body) {
  SmallVector<llvm::MemIntrinsic *> copies;
  for (llvm::Instruction &instruction : llvm::instructions(*body.function)) {
    if (auto *copy = dyn_cast<llvm::MemIntrinsic>(&instruction)) {
      copies.push_back(copy);
    }
  }
  llvm::TargetTransformInfo info(body.function->getDataLayout());
  for (llvm::MemIntrinsic *copy : copies) {
    if (auto *set = dyn_cast<llvm::MemSetInst>(copy)) {
      llvm::expandMemSetAsLoop(set);
    } else if (auto *move = dyn_cast<llvm::MemMoveInst>(copy)) {
      if (!llvm::expandMemMoveAsLoop(move, info)) {
        continue;
      }
    } else {
      llvm::expandMemCpyAsLoop(cast<llvm::MemCpyInst>(copy), info);
    }
    copy->eraseFromParent();
  }
}

static llvm::Error rewriteAccess(const KernelBody &body,
                                 llvm::Instruction &instruction) {
  if (auto *load = dyn_cast<llvm::LoadInst>(&instruction)) {
    return rewriteLoad(body, *load);
  }
  if (auto *store = dyn_cast<llvm::StoreInst>(&instruction)) {
    return rewriteStore(body, *store);
  }
  if (auto *atomic = dyn_cast<llvm::AtomicRMWInst>(&instruction)) {
    return rewriteAtomic(body, *atomic);
  }
  return rewriteExchange(body, cast<llvm::AtomicCmpXchgInst>(instruction));
}

llvm::Error mlir::moe::rewriteMemory(KernelBody &body) {
  expandCopies(body);
  SmallVector<llvm::Instruction *> accesses;
  SmallVector<llvm::FenceInst *> fences;
  for (llvm::Instruction &instruction : llvm::instructions(*body.function)) {
    const llvm::Value *pointer = llvm::getLoadStorePointerOperand(&instruction);
    if (auto *fence = dyn_cast<llvm::FenceInst>(&instruction)) {
      fences.push_back(fence);
    } else if (isa<llvm::AtomicRMWInst, llvm::AtomicCmpXchgInst>(instruction) ||
               (pointer && !isOwnMemory(pointer))) {
      accesses.push_back(&instruction);
    }
  }
  for (llvm::Instruction *access : accesses) {
    if (llvm::Error error = rewriteAccess(body, *access)) {
      return error;
    }
  }
  for (llvm::FenceInst *fence : fences) {
    llvm::IRBuilder<> builder(fence);
    callDevice(builder, body, MOE_DEVICE(fence), builder.getVoidTy(),
               {builder.getInt32(siteOf(*fence))});
    fence->eraseFromParent();
  }
  return llvm::Error::success();
}
