// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelLibrary.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::moe;

/// More blocks than any device has resident: what is left is done in turns.
static constexpr int64_t mostBlocks = 4096;

/// Constants of up to so many elements are written out in the kernel.
static constexpr int64_t mostConstantElements = 64;

/// A line of all banks.
static constexpr int64_t sharedAlignment = 128;

//===----------------------------------------------------------------------===//
// KernelLibrary
//===----------------------------------------------------------------------===//

gpu::GPUModuleOp KernelLibrary::getModule() {
  if (!kernels) {
    OpBuilder b = OpBuilder::atBlockBegin(program.getBody());
    kernels = gpu::GPUModuleOp::create(b, program.getLoc(), "kernels");
    program->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                     b.getUnitAttr());
  }
  return kernels;
}

LLVM::GlobalOp KernelLibrary::getSharedMemory() {
  if (!sharedMemory) {
    OpBuilder b = OpBuilder::atBlockBegin(getModule().getBody());
    auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
    sharedMemory =
        LLVM::GlobalOp::create(b, program.getLoc(), bytes, /*isConstant=*/false,
                               LLVM::Linkage::External, "moe_shared",
                               Attribute(), sharedAlignment, sharedSpace);
  }
  return sharedMemory;
}

gpu::GPUFuncOp KernelLibrary::create(Location loc, int64_t threads) {
  OpBuilder b = OpBuilder::atBlockEnd(getModule().getBody());
  auto kernel =
      gpu::GPUFuncOp::create(b, loc, "kernel", b.getFunctionType({}, {}));
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  kernel.setKnownBlockSizeAttr(
      b.getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
  b.setInsertionPointToEnd(&kernel.getBody().front());
  gpu::ReturnOp::create(b, loc);
  return kernel;
}

gpu::GPUFuncOp KernelLibrary::intern(gpu::GPUFuncOp kernel, StringRef name) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  kernel->print(stream, OpPrintingFlags().useLocalScope());
  gpu::GPUFuncOp &known = byText[text];
  if (known) {
    kernel.erase();
    return known;
  }
  int64_t variant = ++variants[name];
  kernel.setName(variant == 1 ? name.str()
                              : llvm::formatv("{0}_v{1}", name, variant).str());
  known = kernel;
  return kernel;
}

//===----------------------------------------------------------------------===//
// KernelBuilder
//===----------------------------------------------------------------------===//

Value mlir::moe::withoutCasts(Value buffer) {
  while (auto cast = buffer.getDefiningOp<memref::CastOp>()) {
    auto source = dyn_cast<MemRefType>(cast.getSource().getType());
    auto result = dyn_cast<MemRefType>(cast.getType());
    if (!source || !result || !source.getLayout().isIdentity() ||
        source.getNumDynamicDims() > result.getNumDynamicDims()) {
      break;
    }
    buffer = cast.getSource();
  }
  return buffer;
}

std::string mlir::moe::describeShape(Value buffer) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto type = cast<MemRefType>(withoutCasts(buffer).getType());
  for (int64_t extent : type.getShape()) {
    if (ShapedType::isDynamic(extent)) {
      stream << "nx";
    } else {
      stream << extent << "x";
    }
  }
  text.pop_back();
  stream << "_" << type.getElementType();
  return text;
}

KernelBuilder::KernelBuilder(KernelLibrary &library, Operation *op,
                             int64_t threads)
    : library(library), op(op), threads(threads), host(op->getLoc(), op),
      kernel(library.create(op->getLoc(), threads)) {}

OpBuilder KernelBuilder::body() {
  return OpBuilder(kernel.getBody().front().getTerminator());
}

Value KernelBuilder::addArgument(Value operand, Type type) {
  operands.push_back(operand);
  Value argument = kernel.getBody().addArgument(type, op->getLoc());
  kernel.setFunctionType(FunctionType::get(
      op->getContext(), kernel.getBody().getArgumentTypes(), TypeRange()));
  return argument;
}

Value KernelBuilder::addNumber(Value number) {
  Type i64 = host.getI64Type();
  bool isIndex = number.getType().isIndex();
  Value operand =
      isIndex ? arith::IndexCastOp::create(host, i64, number) : number;
  Value argument = addArgument(operand, i64);
  if (!isIndex) {
    return argument;
  }
  OpBuilder b = body();
  return arith::IndexCastOp::create(b, getLoc(), b.getIndexType(), argument);
}

Value KernelBuilder::addTable(Value handle) {
  auto pointer = LLVM::LLVMPointerType::get(op->getContext());
  auto global = LLVM::LLVMPointerType::get(op->getContext(), globalSpace);
  Value address = UnrealizedConversionCastOp::create(host, TypeRange{pointer},
                                                     ValueRange{handle})
                      .getResult(0);
  return addArgument(LLVM::AddrSpaceCastOp::create(host, global, address),
                     global);
}

/// The elements of a constant that is small enough to be part of the code.
static DenseElementsAttr smallConstant(Value buffer) {
  auto reference = buffer.getDefiningOp<memref::GetGlobalOp>();
  if (!reference) {
    return {};
  }
  auto global = SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(
      reference, reference.getNameAttr());
  if (!global || !global.getConstant()) {
    return {};
  }
  auto value = dyn_cast_or_null<DenseElementsAttr>(
      global.getInitialValue().value_or(Attribute()));
  return value && value.getNumElements() <= mostConstantElements &&
                 value.getType().getRank() == 1
             ? value
             : DenseElementsAttr();
}

/// A buffer of the thread's own with the elements of `value`.
static Value writeOut(ImplicitLocOpBuilder &b, DenseElementsAttr value) {
  auto type = MemRefType::get(value.getType().getShape(),
                              value.getType().getElementType());
  Value buffer = memref::AllocaOp::create(b, type);
  for (auto [i, element] : llvm::enumerate(value.getValues<TypedAttr>())) {
    Value at = arith::ConstantIndexOp::create(b, i);
    memref::StoreOp::create(b, arith::ConstantOp::create(b, element), buffer,
                            at);
  }
  return buffer;
}

/// The buffer that starts at `pointer`; `extents` are those that are not
/// static, i64.
static Value viewBuffer(ImplicitLocOpBuilder &b, Value pointer, MemRefType type,
                        ValueRange extents) {
  LLVMTypeConverter converter(b.getContext());
  auto descriptor =
      MemRefDescriptor::poison(b, b.getLoc(), converter.convertType(type));
  descriptor.setAllocatedPtr(b, b.getLoc(), pointer);
  descriptor.setAlignedPtr(b, b.getLoc(), pointer);
  descriptor.setConstantOffset(b, b.getLoc(), 0);
  Value stride = arith::ConstantIntOp::create(b, 1, 64);
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    Value extent;
    if (type.isDynamicDim(dim)) {
      extent = extents.back();
      extents = extents.drop_back();
    } else {
      extent = arith::ConstantIntOp::create(b, type.getDimSize(dim), 64);
    }
    descriptor.setSize(b, b.getLoc(), dim, extent);
    descriptor.setStride(b, b.getLoc(), dim, stride);
    if (dim != 0) {
      stride = b.createOrFold<arith::MulIOp>(stride, extent);
    }
  }
  Value value = descriptor;
  return UnrealizedConversionCastOp::create(b, TypeRange{type},
                                            ValueRange{value})
      .getResult(0);
}

LogicalResult KernelBuilder::checkLayout(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.getLayout().isIdentity()) {
    return success();
  }
  return op->emitOpError("cannot become a kernel: expected buffers without "
                         "gaps, but got ")
         << type;
}

Value KernelBuilder::addAddress(Value buffer) {
  buffer = withoutCasts(buffer);
  if (failed(checkLayout(buffer))) {
    return {};
  }
  auto global = LLVM::LLVMPointerType::get(op->getContext(), globalSpace);
  Value address = arith::IndexCastOp::create(
      host, host.getI64Type(),
      memref::ExtractAlignedPointerAsIndexOp::create(host, buffer));
  return addArgument(LLVM::IntToPtrOp::create(host, global, address), global);
}

Value KernelBuilder::addBuffer(Value buffer) {
  buffer = withoutCasts(buffer);
  if (DenseElementsAttr value = smallConstant(buffer)) {
    ImplicitLocOpBuilder b(getLoc(), body());
    return writeOut(b, value);
  }
  Value pointer = addAddress(buffer);
  if (!pointer) {
    return {};
  }
  auto type = cast<MemRefType>(buffer.getType());
  Type i64 = host.getI64Type();
  SmallVector<Value> extents;
  for (auto [dim, extent] : llvm::enumerate(type.getShape())) {
    if (ShapedType::isDynamic(extent)) {
      Value size = memref::DimOp::create(host, buffer, dim);
      extents.push_back(
          addArgument(arith::IndexCastOp::create(host, i64, size), i64));
    }
  }
  ImplicitLocOpBuilder b(getLoc(), body());
  auto seen = MemRefType::get(type.getShape(), type.getElementType(),
                              MemRefLayoutAttrInterface(),
                              b.getI64IntegerAttr(globalSpace));
  return viewBuffer(b, pointer, seen, extents);
}

Operation *KernelBuilder::addOp() {
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    Value seen = isa<MemRefType>(operand.getType()) ? addBuffer(operand)
                                                    : addNumber(operand);
    if (!seen) {
      return nullptr;
    }
    mapping.map(operand, seen);
  }
  return body().clone(*op, mapping);
}

Value KernelBuilder::countBlocks(const Grid &grid) {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(host, value);
  };
  if (!grid.iterations) {
    return index(grid.blocks);
  }
  if (std::optional<int64_t> count = getConstantIntValue(grid.iterations)) {
    return index(std::min(llvm::divideCeil(*count, grid.iterationsPerBlock),
                          static_cast<uint64_t>(mostBlocks)));
  }
  Value blocks = arith::CeilDivUIOp::create(host, grid.iterations,
                                            index(grid.iterationsPerBlock));
  return arith::MinUIOp::create(host, blocks, index(mostBlocks));
}

void KernelBuilder::launch(StringRef name, const Grid &grid,
                           int64_t sharedBytes) {
  kernel = library.intern(kernel, name);
  Value one = arith::ConstantIndexOp::create(host, 1);
  Value shared;
  if (sharedBytes != 0) {
    shared = arith::ConstantIntOp::create(host, sharedBytes, 32);
  }
  gpu::LaunchFuncOp::create(
      host, kernel, gpu::KernelDim3{countBlocks(grid), one, one},
      gpu::KernelDim3{arith::ConstantIndexOp::create(host, threads), one, one},
      shared, operands);
}
