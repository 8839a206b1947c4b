// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs that overwrite, between start and wait, what is in flight. Three
// ranks run them, over transports that move data at once, as late as in the
// wait, and at any time: what a program means does not depend on it.

#include "InFlightPrograms.h"

#include "moe/Conversion/CommToRuntime/Passes.h"
#include "moe/Registration.h"
#include "moe/Target/CPU/JitEngine.h"
#include "moe/Target/CPU/LowerToLLVM.h"
#include "moe/Transforms/Bufferize/BufferizationModels.h"
#include "moe/Transforms/Exchange/Passes.h"
#include "moert/compiled.h"
#include "moert/threads.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::moe;
using namespace mlir::moe::test;

namespace {

/// A memref's descriptor.
template <typename T, int Rank> struct Descriptor {
  T *allocated, *aligned;
  int64_t offset, sizes[Rank], strides[Rank];
};

} // namespace

//===----------------------------------------------------------------------===//
// From text to code
//===----------------------------------------------------------------------===//

static void replaceAll(std::string &text, StringRef from, StringRef to) {
  for (size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// `START d, t = x -> y` and `WAIT w = t, x -> d`, written out.
static std::string expandLine(StringRef line) {
  StringRef body = line.ltrim();
  auto [results, operands] = body.split('=');
  auto [from, to] = operands.trim().split(" -> ");
  if (results.consume_front("START ")) {
    return (results + "= comm.start all_to_all_v " + from + " by %s, %r into " +
            to +
            " over {\"ep\"} of @mesh : (ROWS, OFFSETS, OFFSETS, ROWS) -> "
            "(ROWS, !comm.pending)")
        .str();
  }
  if (results.consume_front("WAIT ")) {
    auto [ticket, source] = from.split(", ");
    return (results + "= comm.wait " + ticket + " reads " + source +
            ", %s, %r into " + to +
            " : (!comm.pending, ROWS, OFFSETS, OFFSETS, ROWS) -> ROWS")
        .str();
  }
  return line.str();
}

static std::string writeModule(const InFlightProgram &program) {
  std::string text = R"(
comm.mesh @mesh <["ep"=3]>
func.func private @run(%x: ROWS, %y: ROWS, %z: ROWS, %s: OFFSETS, %r: OFFSETS, %n: index {comm.varies_over = #comm.axes<{}>}, %out0: ROWS, %out1: ROWS) -> (ROWS, ROWS) attributes {moe.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %seven = arith.constant 7.0 : f32
  %seven32 = arith.constant 7 : i32
  %once = arith.cmpi eq, %n, %c1 : index
)";
  SmallVector<StringRef> lines;
  StringRef(program.text).split(lines, '\n');
  for (StringRef line : lines) {
    text += expandLine(line) + "\n";
  }
  text += R"(
  %done0 = bufferization.materialize_in_destination %first in %out0 : (ROWS, ROWS) -> ROWS
  %done1 = bufferization.materialize_in_destination %second in %out1 : (ROWS, ROWS) -> ROWS
  return %done0, %done1 : ROWS, ROWS
}
)";
  replaceAll(text, "ROWS", "tensor<9x5xf32>");
  replaceAll(text, "OFFSETS", "tensor<4xi32>");
  return text;
}

static std::unique_ptr<JitEngine> compile(const InFlightProgram &program) {
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(writeModule(program), &context);
  if (!module) {
    return nullptr;
  }
  JitOptions options;
  options.target = llvm::cantFail(CPUTarget::parse("native"));
#define ADD_SYMBOL(name)                                                       \
  options.symbols[#name] = reinterpret_cast<void *>(&(name));
  MOERT_FRAME_FUNCTIONS(ADD_SYMBOL)
#undef ADD_SYMBOL
  PassManager manager(&context);
  manager.addPass(createVerifyUniformPass());
  addBufferizationPasses(manager);
  manager.addPass(createVerifyInFlightPass());
  manager.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  manager.addPass(createConvertCommToRuntimePass());
  addLowerToLLVMPasses(manager, options.target);
  if (failed(manager.run(*module))) {
    return nullptr;
  }
  return llvm::cantFail(JitEngine::create(*module, options));
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

namespace {
/// What the ranks of one run share.
struct Run {
  void *function;
  Inputs inputs;
  Outputs outputs;
};
} // namespace

static Descriptor<float, 2> describe(Rows &values) {
  return {values.data(), values.data(), 0, {rows, columns}, {columns, 1}};
}

static Descriptor<int32_t, 1> describe(std::vector<int32_t> &values) {
  return {values.data(), values.data(), 0, {ranks + 1}, {1}};
}

static moert_status runRank(moert_context *context, void *user) {
  Run &run = *static_cast<Run *>(user);
  int32_t rank = moert_context_rank(context);
  moert_frame frame = {sizeof(frame), 0, context, nullptr};
  // The program may write all that it is given.
  Rows x = run.inputs.x[rank], y = run.inputs.y[rank], z(rows * columns, -1);
  std::vector<int32_t> send = {0, 3, 6, 9}, receive = send;
  auto memX = describe(x), memY = describe(y), memZ = describe(z);
  auto memSend = describe(send), memReceive = describe(receive);
  auto memFirst = describe(run.outputs.first[rank]);
  auto memSecond = describe(run.outputs.second[rank]);
  using Function = void (*)(moert_frame *, void *, void *, void *, void *,
                            void *, int64_t, void *, void *);
  reinterpret_cast<Function>(run.function)(
      &frame, &memX, &memY, &memZ, &memSend, &memReceive, run.inputs.turns,
      &memFirst, &memSecond);
  return moert_context_status(context, nullptr);
}

static Outputs runAll(void *function, const Inputs &inputs,
                      moert_movement movement) {
  const int32_t offsets[] = {0, ranks};
  const int32_t members[] = {0, 1, 2};
  moert_group_set set = {sizeof(set), 1, "ep", offsets, members};
  moert_options options = {};
  options.struct_size = sizeof(options);
  options.abi_version = MOERT_ABI_VERSION;
  options.movement = movement;
  moert_threads_options threads = {};
  threads.struct_size = sizeof(threads);
  threads.ranks = ranks;
  threads.options = &options;
  threads.sets = &set;
  threads.set_count = 1;
  moert_message message = {};
  message.struct_size = sizeof(message);
  Run run = {function, inputs, {fill(-1), fill(-1)}};
  moert_status status = moert_threads_run(&threads, runRank, &run, &message);
  EXPECT_EQ(status, MOERT_OK) << message.text;
  return run.outputs;
}

static Inputs makeInputs(int64_t turns) {
  Inputs inputs = {fill(0), fill(0), turns};
  for (int64_t rank = 0; rank < ranks; ++rank) {
    for (int64_t i = 0; i < rows * columns; ++i) {
      inputs.x[rank][i] = static_cast<float>(1000 * rank + i + 1);
      inputs.y[rank][i] = static_cast<float>(-1000 * rank - i - 1);
    }
  }
  return inputs;
}

namespace {
class InFlightTest : public testing::TestWithParam<InFlightProgram> {};
} // namespace

TEST_P(InFlightTest, MeansTheSameHoweverDataMoves) {
  std::unique_ptr<JitEngine> engine = compile(GetParam());
  ASSERT_TRUE(engine);
  void *function = llvm::cantFail(engine->lookup("_mlir_ciface_run"));
  for (int64_t turns : {0, 1, 3}) {
    Inputs inputs = makeInputs(turns);
    Outputs expected = GetParam().meaning(inputs);
    for (moert_movement movement :
         {MOERT_MOVE_EARLY, MOERT_MOVE_LATE, MOERT_MOVE_ANYTIME}) {
      Outputs outputs = runAll(function, inputs, movement);
      EXPECT_EQ(outputs.first, expected.first)
          << turns << " turns, movement " << movement;
      EXPECT_EQ(outputs.second, expected.second)
          << turns << " turns, movement " << movement;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Programs, InFlightTest, testing::ValuesIn(getInFlightPrograms()),
    [](const testing::TestParamInfo<InFlightProgram> &info) {
      return info.param.name;
    });
