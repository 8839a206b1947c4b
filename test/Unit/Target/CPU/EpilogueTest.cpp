// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/GroupedMatmul.h"
#include "moe/Target/CPU/LowerToLLVM.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::moe;

/// What building a product of two weight tables, bf16, says to the epilogue
/// @epilogue of `text`.
static std::string messageOf(llvm::StringRef text) {
  DialectRegistry registry;
  registerCPUTargetDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    message += diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module) {
    return "does not parse: " + message;
  }
  GroupedMatmulSpec spec;
  spec.k = 8;
  spec.n = 32;
  spec.inputType = spec.outputType = BFloat16Type::get(&context);
  spec.weights = 2;
  auto scalar = module->lookupSymbol<func::FuncOp>("epilogue");
  func::FuncOp function =
      buildGroupedMatmul(*module, "matmul", spec, &scalar.getBody().front(),
                         llvm::cantFail(CPUTarget::parse("x86-64")));
  EXPECT_EQ(!function, !message.empty());
  return message;
}

TEST(Epilogue, AcceptsConstantsAndElementwiseOps) {
  EXPECT_EQ(messageOf(R"(
    func.func @epilogue(%g: f32, %u: f32) -> bf16 {
      %limit = arith.constant 7.0 : f32
      %low = arith.minimumf %g, %limit : f32
      %big = arith.cmpf ogt, %u, %limit : f32
      %x = arith.select %big, %limit, %u : f32
      %h = arith.mulf %low, %x : f32
      %r = arith.truncf %h : f32 to bf16
      return %r : bf16
    })"),
            "");
}

TEST(Epilogue, NeedsAnArgumentForEachTable) {
  EXPECT_EQ(messageOf(R"(
    func.func @epilogue(%g: f32) -> bf16 {
      %r = arith.truncf %g : f32 to bf16
      return %r : bf16
    })"),
            "expected an epilogue of 2 arguments, but got 1");
}

TEST(Epilogue, NeedsF32Arguments) {
  EXPECT_EQ(messageOf(R"(
    func.func @epilogue(%g: f32, %u: bf16) -> bf16 {
      return %u : bf16
    })"),
            "expected epilogue arguments of type 'f32', but got 'bf16'");
}

TEST(Epilogue, NeedsTheOutputType) {
  EXPECT_EQ(messageOf(R"(
    func.func @epilogue(%g: f32, %u: f32) -> f32 {
      return %u : f32
    })"),
            "expected an epilogue to yield 'bf16', but got 'f32'");
}

TEST(Epilogue, RefusesWhatIsNotElementwise) {
  EXPECT_EQ(messageOf(R"(
    func.func private @f(f32) -> bf16
    func.func @epilogue(%g: f32, %u: f32) -> bf16 {
      %r = func.call @f(%g) : (f32) -> bf16
      return %r : bf16
    })"),
            "expected an elementwise operation in an epilogue, but got "
            "'func.call'");
}
