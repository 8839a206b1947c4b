// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Rewrites.h"
#include "Sites.h"

#include "emulator/KernelImage.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace mlir;
using namespace mlir::moe;

namespace {

/// What tells matrix instructions apart that cannot share a call.
struct MatrixKind {
  bool isProduct = false;
  uint32_t matrices = 0;
  bool isTransposed = false;

  bool operator==(const MatrixKind &other) const {
    return isProduct == other.isProduct && matrices == other.matrices &&
           isTransposed == other.isTransposed;
  }
};

/// Matrix instructions of one kind that do not depend on each other. They take
/// place together, where the batch is closed; what was between them and needs
/// their results comes after.
struct Batch {
  MatrixKind kind;
  SmallVector<llvm::IntrinsicInst *> members;
  SmallVector<llvm::Instruction *> later;
  llvm::SmallPtrSet<const llvm::Value *, 32> results;

  bool isNeededBy(const llvm::Instruction &instruction) const {
    return llvm::any_of(instruction.operands(), [&](const llvm::Use &use) {
      return results.contains(use.get());
    });
  }
};

class MatrixRewriter {
public:
  explicit MatrixRewriter(KernelBody &body) : body(body) {
    llvm::LLVMContext &context = body.function->getContext();
    word = llvm::Type::getInt32Ty(context);
    single = llvm::Type::getFloatTy(context);
  }

  void run();

private:
  void visit(llvm::Instruction &instruction);
  void add(llvm::IntrinsicInst &call, MatrixKind kind);
  void close(Batch &batch, llvm::Instruction &before);
  void emitProducts(Batch &batch, llvm::IRBuilderBase &builder);
  void emitLoads(Batch &batch, llvm::IRBuilderBase &builder);
  llvm::Value *memoryOf(llvm::Type *type, uint64_t count, StringRef name);
  llvm::Value *takeResult(llvm::IRBuilderBase &builder, llvm::Type *type,
                          llvm::Value *memory, llvm::Type *element,
                          uint64_t first, unsigned count);

  KernelBody &body;
  llvm::Type *word;
  llvm::Type *single;
  /// Loads may stand between products and the other way round.
  Batch loads;
  Batch products;
  /// Frame memory that all calls of the body share: operands go in right before
  /// a call, results are taken out right after.
  llvm::StringMap<llvm::AllocaInst *> scratch;
};

} // namespace

/// Registers of an operand of m16n8k16 with bf16: A, B, and C or D.
static constexpr unsigned registersA = 4;
static constexpr unsigned registersB = 2;
static constexpr unsigned registersC = 4;

/// The kind of a matrix instruction that the device has; nothing for others.
static std::optional<MatrixKind> kindOf(const llvm::IntrinsicInst &call) {
  StringRef name = call.getCalledFunction()->getName();
  if (name == "llvm.nvvm.mma.m16n8k16.row.col.bf16") {
    return MatrixKind{/*isProduct=*/true};
  }
  MatrixKind kind;
  if (!name.consume_front("llvm.nvvm.ldmatrix.sync.aligned.m8n8.x") ||
      name.consumeInteger(10, kind.matrices)) {
    return std::nullopt;
  }
  kind.isTransposed = name.consume_front(".trans");
  return name.starts_with(".b16") ? std::optional(kind) : std::nullopt;
}

llvm::Value *MatrixRewriter::memoryOf(llvm::Type *type, uint64_t count,
                                      StringRef name) {
  llvm::AllocaInst *&memory = scratch[name];
  if (!memory) {
    memory = allocateScratch(body, type, count, name);
  } else if (memory->getAllocatedType()->getArrayNumElements() < count) {
    memory->setAllocatedType(llvm::ArrayType::get(type, count));
  }
  return memory;
}

llvm::Value *MatrixRewriter::takeResult(llvm::IRBuilderBase &builder,
                                        llvm::Type *type, llvm::Value *memory,
                                        llvm::Type *element, uint64_t first,
                                        unsigned count) {
  auto load = [&](unsigned index) -> llvm::Value * {
    return builder.CreateLoad(element, builder.CreateConstInBoundsGEP1_64(
                                           element, memory, first + index));
  };
  if (!type->isStructTy()) {
    return load(0);
  }
  llvm::Value *result = llvm::PoisonValue::get(type);
  for (unsigned index = 0; index < count; ++index) {
    result = builder.CreateInsertValue(result, load(index), index);
  }
  return result;
}

void MatrixRewriter::emitProducts(Batch &batch, llvm::IRBuilderBase &builder) {
  size_t count = batch.members.size();
  llvm::Value *a = memoryOf(word, count * registersA, "mma.a");
  llvm::Value *b = memoryOf(word, count * registersB, "mma.b");
  llvm::Value *c = memoryOf(single, count * registersC, "mma.c");
  for (size_t member = 0; member < count; ++member) {
    auto put = [&](llvm::Value *memory, unsigned registers, unsigned first) {
      for (unsigned index = 0; index < registers; ++index) {
        llvm::Value *value =
            batch.members[member]->getArgOperand(first + index);
        builder.CreateStore(
            value, builder.CreateConstInBoundsGEP1_64(
                       value->getType(), memory, member * registers + index));
      }
    };
    put(a, registersA, 0);
    put(b, registersB, registersA);
    put(c, registersC, registersA + registersB);
  }
  callDevice(builder, body, MOE_DEVICE(mma), builder.getVoidTy(),
             {builder.getInt32(MOERT_KERNEL_MMA_M16N8K16_BF16),
              builder.getInt32(count), a, b, c, c,
              builder.getInt32(siteOf(*batch.members.front()))});
  for (auto [member, call] : llvm::enumerate(batch.members)) {
    call->replaceAllUsesWith(takeResult(builder, call->getType(), c, single,
                                        member * registersC, registersC));
  }
}

void MatrixRewriter::emitLoads(Batch &batch, llvm::IRBuilderBase &builder) {
  size_t count = batch.members.size();
  uint32_t matrices = batch.kind.matrices;
  llvm::Type *address = builder.getInt64Ty();
  llvm::Value *rows = memoryOf(address, count, "ldmatrix.rows");
  llvm::Value *results = memoryOf(word, count * matrices, "ldmatrix.results");
  for (auto [member, call] : llvm::enumerate(batch.members)) {
    builder.CreateStore(
        builder.CreatePtrToInt(call->getArgOperand(0), address),
        builder.CreateConstInBoundsGEP1_64(address, rows, member));
  }
  callDevice(builder, body, MOE_DEVICE(ldmatrix), builder.getVoidTy(),
             {builder.getInt32(matrices),
              builder.getInt32(batch.kind.isTransposed),
              builder.getInt32(count), rows, results,
              builder.getInt32(siteOf(*batch.members.front()))});
  for (auto [member, call] : llvm::enumerate(batch.members)) {
    call->replaceAllUsesWith(takeResult(builder, call->getType(), results, word,
                                        member * matrices, matrices));
  }
}

void MatrixRewriter::close(Batch &batch, llvm::Instruction &before) {
  if (batch.members.empty()) {
    return;
  }
  llvm::IRBuilder<> builder(&before);
  builder.SetCurrentDebugLocation(batch.members.front()->getDebugLoc());
  if (batch.kind.isProduct) {
    emitProducts(batch, builder);
  } else {
    emitLoads(batch, builder);
  }
  for (llvm::Instruction *instruction : batch.later) {
    instruction->moveBefore(before.getIterator());
  }
  for (llvm::IntrinsicInst *call : batch.members) {
    call->eraseFromParent();
  }
  batch = Batch();
}

void MatrixRewriter::add(llvm::IntrinsicInst &call, MatrixKind kind) {
  Batch &batch = kind.isProduct ? products : loads;
  bool fits = batch.members.empty() || batch.kind == kind;
  // One that needs results of its own batch begins the next.
  for (Batch *other : {&loads, &products}) {
    if (other->isNeededBy(call) || (other == &batch && !fits)) {
      close(*other, call);
    }
  }
  batch.kind = kind;
  batch.members.push_back(&call);
  batch.results.insert(&call);
}

void MatrixRewriter::visit(llvm::Instruction &instruction) {
  if (auto *call = dyn_cast<llvm::IntrinsicInst>(&instruction)) {
    if (std::optional<MatrixKind> kind = kindOf(*call)) {
      add(*call, *kind);
      return;
    }
  }
  bool canWait = !instruction.mayHaveSideEffects() &&
                 !instruction.mayReadFromMemory() &&
                 !instruction.isTerminator();
  if (!canWait &&
      (instruction.mayHaveSideEffects() || instruction.isTerminator())) {
    close(loads, instruction);
    close(products, instruction);
    return;
  }
  // What needs both waits for the products alone.
  if (loads.isNeededBy(instruction) &&
      (!canWait || products.isNeededBy(instruction))) {
    close(loads, instruction);
  }
  for (Batch *batch : {&loads, &products}) {
    if (!batch->isNeededBy(instruction)) {
      continue;
    }
    if (canWait) {
      batch->later.push_back(&instruction);
      batch->results.insert(&instruction);
    } else {
      close(*batch, instruction);
    }
  }
}

void MatrixRewriter::run() {
  for (llvm::BasicBlock &block : *body.function) {
    for (llvm::Instruction &instruction : llvm::make_early_inc_range(block)) {
      visit(instruction);
    }
  }
}

void mlir::moe::rewriteMatrices(KernelBody &body) {
  MatrixRewriter(body).run();
}
