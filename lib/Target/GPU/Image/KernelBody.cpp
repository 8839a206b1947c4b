// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBody.h"

#include "emulator/KernelImage.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::moe;

/// The number of threads in "64,1,1"; 0 without the attribute.
static uint32_t readBlockSize(const llvm::Function &kernel) {
  if (!kernel.hasFnAttribute("nvvm.reqntid")) {
    return 0;
  }
  uint32_t threads = 1;
  StringRef sizes = kernel.getFnAttribute("nvvm.reqntid").getValueAsString();
  for (StringRef size : llvm::split(sizes, ',')) {
    uint32_t extent = 1;
    if (!size.trim().getAsInteger(10, extent)) {
      threads *= extent;
    }
  }
  return threads;
}

/// Gives `body` loads of its third argument where `kernel` had arguments.
static llvm::Error moveArguments(llvm::Function &kernel, KernelBody &body) {
  llvm::BasicBlock &entry = body.function->getEntryBlock();
  llvm::IRBuilder<> builder(&entry, entry.begin());
  for (llvm::Argument &argument : kernel.args()) {
    llvm::Type *type = argument.getType();
    if (!type->isPointerTy() && !type->isIntegerTy(64)) {
      std::string spelled;
      llvm::raw_string_ostream(spelled) << *type;
      return llvm::createStringError(
          "expected arguments of 64 bits of the kernel '" + body.name +
          "', but got " + spelled);
    }
    llvm::Value *slot = builder.CreateConstInBoundsGEP1_64(
        builder.getInt64Ty(), body.function->getArg(2), body.argumentCount++);
    llvm::Value *value = builder.CreateLoad(builder.getInt64Ty(), slot);
    if (type->isPointerTy()) {
      value = builder.CreateIntToPtr(value, type);
    }
    argument.replaceAllUsesWith(value);
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<KernelBody>>
mlir::moe::takeKernelBodies(llvm::Module &module) {
  std::vector<llvm::Function *> kernels;
  for (llvm::Function &function : module) {
    if (function.getCallingConv() == llvm::CallingConv::PTX_Kernel &&
        !function.isDeclaration()) {
      kernels.push_back(&function);
    }
  }
  llvm::Type *pointer = llvm::PointerType::get(module.getContext(), 0);
  auto *type =
      llvm::FunctionType::get(llvm::Type::getVoidTy(module.getContext()),
                              {pointer, pointer, pointer}, false);
  std::vector<KernelBody> bodies;
  for (llvm::Function *kernel : kernels) {
    KernelBody body;
    body.name = kernel->getName().str();
    body.threads = readBlockSize(*kernel);
    body.function = llvm::Function::Create(
        type, llvm::GlobalValue::InternalLinkage, body.name + ".body", module);
    body.function->splice(body.function->begin(), kernel);
    body.function->setSubprogram(kernel->getSubprogram());
    kernel->setSubprogram(nullptr);
    if (llvm::Error error = moveArguments(*kernel, body)) {
      return std::move(error);
    }
    bodies.push_back(std::move(body));
  }
  for (llvm::Function *kernel : kernels) {
    kernel->eraseFromParent();
  }
  return bodies;
}

llvm::CallInst *mlir::moe::callDevice(llvm::IRBuilderBase &builder,
                                      const KernelBody &body, size_t offset,
                                      llvm::Type *result,
                                      ArrayRef<llvm::Value *> operands) {
  SmallVector<llvm::Value *> arguments = {body.thread()};
  llvm::append_range(arguments, operands);
  SmallVector<llvm::Type *> types;
  for (llvm::Value *argument : arguments) {
    types.push_back(argument->getType());
  }
  llvm::Value *member = builder.CreateConstInBoundsGEP1_64(
      builder.getInt8Ty(), body.calls(), offset);
  llvm::LoadInst *function = builder.CreateLoad(builder.getPtrTy(), member);
  // The table does not change while a kernel runs.
  function->setMetadata(llvm::LLVMContext::MD_invariant_load,
                        llvm::MDNode::get(builder.getContext(), {}));
  llvm::CallInst *call = builder.CreateCall(
      llvm::FunctionType::get(result, types, false), function, arguments);
  call->addFnAttr(llvm::Attribute::NoUnwind);
  call->setConvergent();
  return call;
}

llvm::Value *mlir::moe::readSpecial(llvm::IRBuilderBase &builder,
                                    const KernelBody &body, uint32_t which) {
  llvm::CallInst *call =
      callDevice(builder, body, MOE_DEVICE(special), builder.getInt64Ty(),
                 {builder.getInt32(which)});
  call->setNotConvergent();
  call->setDoesNotAccessMemory();
  call->addFnAttr(llvm::Attribute::WillReturn);
  return call;
}

llvm::AllocaInst *mlir::moe::allocateScratch(const KernelBody &body,
                                             llvm::Type *type, uint64_t count,
                                             StringRef name) {
  llvm::BasicBlock &entry = body.function->getEntryBlock();
  llvm::IRBuilder<> builder(&entry, entry.begin());
  llvm::AllocaInst *memory =
      builder.CreateAlloca(llvm::ArrayType::get(type, count), nullptr, name);
  memory->setAlignment(llvm::Align(16));
  return memory;
}
