// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Rewrites.h"

#include "emulator/KernelImage.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/IR/ReplaceConstant.h"

using namespace mlir;
using namespace mlir::moe;

/// Uses of `global` in the body's instructions.
static SmallVector<llvm::Use *> findUses(llvm::GlobalVariable &global,
                                         const KernelBody &body) {
  SmallVector<llvm::Use *> uses;
  for (llvm::Use &use : global.uses()) {
    auto *user = dyn_cast<llvm::Instruction>(use.getUser());
    if (user && user->getFunction() == body.function) {
      uses.push_back(&use);
    }
  }
  return uses;
}

/// Replaces `global` by its address in the block's shared memory.
static void place(llvm::GlobalVariable &global, KernelBody &body,
                  ArrayRef<llvm::Use *> uses) {
  const llvm::DataLayout &layout = global.getDataLayout();
  uint64_t bytes = layout.getTypeAllocSize(global.getValueType());
  llvm::BasicBlock &entry = body.function->getEntryBlock();
  llvm::IRBuilder<> builder(&entry, entry.getFirstNonPHIOrDbgOrAlloca());
  bool isDynamic = bytes == 0;
  llvm::Value *address = readSpecial(builder, body,
                                     isDynamic ? MOERT_KERNEL_DYNAMIC_SHARED
                                               : MOERT_KERNEL_STATIC_SHARED);
  if (!isDynamic) {
    uint64_t offset = llvm::alignTo(
        body.staticSharedBytes, global.getAlign().value_or(llvm::Align(16)));
    address = builder.CreateAdd(address, builder.getInt64(offset));
    body.staticSharedBytes = offset + bytes;
  }
  llvm::Value *pointer = builder.CreateIntToPtr(address, global.getType());
  for (llvm::Use *use : uses) {
    use->set(pointer);
  }
}

void mlir::moe::placeSharedMemory(KernelBody &body) {
  constexpr auto shared = static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared);
  for (llvm::GlobalVariable &global : body.function->getParent()->globals()) {
    if (global.getAddressSpace() != shared) {
      continue;
    }
    llvm::convertUsersOfConstantsToInstructions({&global}, body.function);
    SmallVector<llvm::Use *> uses = findUses(global, body);
    if (!uses.empty()) {
      place(global, body, uses);
    }
  }
}
