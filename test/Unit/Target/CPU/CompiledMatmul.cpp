// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledMatmul.h"

#include "moe/Target/CPU/LowerToLLVM.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/Error.h"

#include <cassert>
#include <cstdlib>

using namespace mlir;
using namespace mlir::moe;
using namespace mlir::moe::test;

Numbers Numbers::random(bool bf16, int64_t count, uint32_t seed) {
  Numbers numbers(bf16, count);
  uint32_t state = seed * 2654435761u + 1;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    numbers.set(i, static_cast<float>(static_cast<int32_t>(state) >> 8) *
                       (1.0f / (1 << 23)));
  }
  return numbers;
}

/// A module with the epilogue as the function @epilogue, if there is one.
static OwningOpRef<ModuleOp>
parseEpilogue(MLIRContext &context, const Shape &shape, llvm::StringRef body) {
  if (body.empty()) {
    return ModuleOp::create(UnknownLoc::get(&context));
  }
  std::string text = "func.func @epilogue(";
  for (int64_t i = 0; i < shape.weights; ++i) {
    text += (i ? ", %a" : "%a") + std::to_string(i) + ": f32";
  }
  text += std::string(") -> ") + (shape.bf16Output ? "bf16" : "f32") + " {" +
          body.str() + "}";
  return parseSourceString<ModuleOp>(text, &context);
}

CompiledMatmul::CompiledMatmul(const Shape &shape, const CPUTarget &target,
                               llvm::StringRef epilogue)
    : shape(shape) {
  DialectRegistry registry;
  registerCPUTargetDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseEpilogue(context, shape, epilogue);
  assert(module && "epilogue does not parse");

  Builder builder(&context);
  GroupedMatmulSpec spec;
  spec.k = shape.k;
  spec.n = shape.n;
  spec.inputType = shape.bf16Input ? Type(builder.getBF16Type())
                                   : Type(builder.getF32Type());
  spec.outputType = shape.bf16Output ? Type(builder.getBF16Type())
                                     : Type(builder.getF32Type());
  spec.weights = shape.weights;
  layout = groupedMatmulLayout(spec);
  tables.resize(shape.weights);
  storage.resize(shape.weights);

  Block *block = nullptr;
  auto scalar = module->lookupSymbol<func::FuncOp>("epilogue");
  if (scalar) {
    block = &scalar.getBody().front();
  }
  func::FuncOp function =
      buildGroupedMatmul(*module, "matmul", spec, block, target);
  function->setAttr("llvm.emit_c_interface", builder.getUnitAttr());
  if (scalar) {
    scalar.erase();
  }
  PassManager pm(&context);
  addLowerToLLVMPasses(pm, target);
  [[maybe_unused]] LogicalResult lowered = pm.run(*module);
  assert(succeeded(lowered));
  JitOptions options;
  options.target = target;
  engine = llvm::cantFail(JitEngine::create(*module, options));
  entry = llvm::cantFail(engine->lookup("_mlir_ciface_matmul"));
}

void CompiledMatmul::setWeights(int64_t table,
                                const std::vector<const Numbers *> &groups) {
  tables[table].clear();
  storage[table].clear();
  for (const Numbers *group : groups) {
    if (!group) {
      tables[table].push_back(nullptr);
      continue;
    }
    void *packed = std::aligned_alloc(PackedLayout::alignment, layout.bytes());
    storage[table].emplace_back(static_cast<char *>(packed), std::free);
    packFromColumns(layout, {group->data(), shape.n}, {0, layout.panels()},
                    packed);
    tables[table].push_back(packed);
  }
}

Numbers CompiledMatmul::run(const Numbers &rows,
                            const std::vector<int32_t> &offsets) {
  Numbers out(shape.bf16Output, offsets.back() * shape.n);
  run(rows, offsets, {0, layout.panels()}, out);
  return out;
}

void CompiledMatmul::run(const Numbers &rows,
                         const std::vector<int32_t> &offsets, PanelRange panels,
                         Numbers &out) {
  auto *input = const_cast<char *>(rows.data());
  auto *bounds = const_cast<int32_t *>(offsets.data());
  int64_t count = offsets.back();
  Descriptor rowsArg = {input, input, 0, {count, shape.k}, {shape.k, 1}};
  Descriptor1 offsetsArg = {bounds, bounds, 0,
                            static_cast<int64_t>(offsets.size()), 1};
  Descriptor outArg = {
      out.data(), out.data(), 0, {count, shape.n}, {shape.n, 1}};
  auto table = [&](int index) -> void * {
    return static_cast<void *>(tables[index].data());
  };
  if (shape.weights == 1) {
    using Function = void (*)(Descriptor *, void *, Descriptor1 *, Descriptor *,
                              int64_t, int64_t);
    reinterpret_cast<Function>(entry)(&rowsArg, table(0), &offsetsArg, &outArg,
                                      panels.begin, panels.end);
    return;
  }
  assert(shape.weights == 2);
  using Function = void (*)(Descriptor *, void *, void *, Descriptor1 *,
                            Descriptor *, int64_t, int64_t);
  reinterpret_cast<Function>(entry)(&rowsArg, table(0), table(1), &offsetsArg,
                                    &outArg, panels.begin, panels.end);
}

std::vector<std::string> mlir::moe::test::runnableTargets() {
  std::vector<std::string> targets = {"x86-64"};
  CPUTarget host = CPUTarget::host();
  if (host.vectorLanes >= 8 && host.hasFMA) {
    targets.push_back("x86-64-v3");
  }
  if (host.vectorLanes >= 16) {
    targets.push_back("x86-64-v4");
  }
  targets.push_back("native");
  return targets;
}
