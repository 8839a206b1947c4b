// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Conversion/MoEToKernels/Passes.h"

#include "moe/Dialect/MoE/MoE.h"
#include "moe/Target/CPU/GroupedMatmul.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::moe {
#define GEN_PASS_DEF_CONVERTMOETOKERNELSPASS
#include "moe/Conversion/MoEToKernels/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

namespace {
/// Makes one kernel for each distinct product of a module.
class Kernels {
public:
  Kernels(ModuleOp module, const CPUTarget &target)
      : module(module), target(target) {}

  LogicalResult convert(GroupedMatmulOp op) {
    if (op.getOuts().empty()) {
      return op.emitOpError("expected buffers, but got tensors; bufferize "
                            "before");
    }
    if (!isContiguous(op.getRows()) || !isContiguous(op.getOuts()[0])) {
      return op.emitOpError("expected contiguous rows, but got ")
             << op.getRows().getType() << " and " << op.getOuts()[0].getType();
    }
    GroupedMatmulSpec spec = specOf(op);
    if (!spec.inputType.isF32() && !spec.inputType.isBF16()) {
      return op.emitOpError("expected rows of f32 or bf16, but got ")
             << spec.inputType;
    }
    func::FuncOp kernel = getKernel(op, spec);
    if (!kernel) {
      return failure();
    }
    ImplicitLocOpBuilder b(op.getLoc(), op);
    SmallVector<Value> operands{withDynamicRows(b, op.getRows())};
    auto pointer = LLVM::LLVMPointerType::get(op.getContext());
    for (Value weights : op.getWeights()) {
      operands.push_back(UnrealizedConversionCastOp::create(
                             b, TypeRange{pointer}, ValueRange{weights})
                             .getResult(0));
    }
    operands.push_back(withDynamicRows(b, op.getOffsets()));
    operands.push_back(withDynamicRows(b, op.getOuts()[0]));
    operands.push_back(arith::ConstantIndexOp::create(b, 0));
    operands.push_back(
        arith::ConstantIndexOp::create(b, groupedMatmulLayout(spec).panels()));
    func::CallOp::create(b, kernel, operands);
    op.erase();
    return success();
  }

private:
  static bool isContiguous(Value value) {
    return cast<MemRefType>(value.getType()).getLayout().isIdentity();
  }

  static Value withDynamicRows(ImplicitLocOpBuilder &b, Value value) {
    auto type = cast<MemRefType>(value.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[0] = ShapedType::kDynamic;
    auto dynamic = MemRefType::get(shape, type.getElementType());
    return dynamic == type ? value : memref::CastOp::create(b, dynamic, value);
  }

  static GroupedMatmulSpec specOf(GroupedMatmulOp op) {
    auto weights = cast<WeightsType>(op.getWeights()[0].getType());
    GroupedMatmulSpec spec;
    spec.k = weights.getInner();
    spec.n = weights.getOuter();
    spec.inputType = weights.getElementType();
    spec.outputType =
        cast<MemRefType>(op.getOuts()[0].getType()).getElementType();
    spec.weights = op.getWeights().size();
    return spec;
  }

  /// Text that is equal exactly for equal epilogues: constants by value, other
  /// operands by where they come from.
  static std::string describe(GroupedMatmulOp op) {
    std::string text;
    if (op.getEpilogue().empty()) {
      return text;
    }
    llvm::raw_string_ostream os(text);
    DenseMap<Value, int64_t> numbers;
    for (Value argument : op.getEpilogue().getArguments()) {
      numbers.try_emplace(argument, numbers.size());
    }
    for (Operation &inner : op.getEpilogue().front()) {
      os << inner.getName() << inner.getPropertiesAsAttribute();
      for (Value operand : inner.getOperands()) {
        Attribute constant;
        if (matchPattern(operand, m_Constant(&constant))) {
          os << " " << constant;
        } else {
          os << " %" << numbers.lookup(operand);
        }
      }
      for (Value result : inner.getResults()) {
        os << " -> " << result.getType();
        numbers.try_emplace(result, numbers.size());
      }
      os << "\n";
    }
    return text;
  }

  func::FuncOp getKernel(GroupedMatmulOp op, const GroupedMatmulSpec &spec) {
    std::string name = llvm::formatv("moe_matmul_{0}x{1}_{2}_{3}", spec.k,
                                     spec.n, spec.inputType, spec.outputType);
    if (spec.weights > 1) {
      name += llvm::formatv("_by{0}", spec.weights);
    }
    func::FuncOp &kernel = kernels[name + "\n" + describe(op)];
    if (kernel) {
      return kernel;
    }
    unsigned &variants = variantCount[name];
    if (variants++ > 0) {
      name += llvm::formatv("_v{0}", variants);
    }
    Block *epilogue =
        op.getEpilogue().empty() ? nullptr : &op.getEpilogue().front();
    kernel = buildGroupedMatmul(module, name, spec, epilogue, target);
    return kernel;
  }

  ModuleOp module;
  const CPUTarget &target;
  llvm::StringMap<func::FuncOp> kernels;
  llvm::StringMap<unsigned> variantCount;
};

struct ConvertMoEToKernelsPass
    : public mlir::moe::impl::ConvertMoEToKernelsPassBase<
          ConvertMoEToKernelsPass> {
  using Base =
      mlir::moe::impl::ConvertMoEToKernelsPassBase<ConvertMoEToKernelsPass>;
  using Base::Base;

  void runOnOperation() override {
    llvm::Expected<CPUTarget> target = CPUTarget::parse(cpu);
    if (!target) {
      emitError(getOperation().getLoc()) << llvm::toString(target.takeError());
      return signalPassFailure();
    }
    SmallVector<GroupedMatmulOp> products;
    getOperation().walk([&](GroupedMatmulOp op) { products.push_back(op); });
    llvm::SmallPtrSet<Operation *, 32> before;
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>()) {
      before.insert(function);
    }
    Kernels kernels(getOperation(), *target);
    for (GroupedMatmulOp op : products) {
      if (failed(kernels.convert(op))) {
        return signalPassFailure();
      }
    }
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>()) {
      if (!before.contains(function)) {
        function->setAttr(kKernelAttrName, UnitAttr::get(&getContext()));
      }
    }
  }
};
} // namespace
