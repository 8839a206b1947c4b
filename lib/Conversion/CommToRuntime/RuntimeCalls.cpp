// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Conversion/CommToRuntime/RuntimeCalls.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::moe;

// Bytes from the start of a moert_frame to its handle table.
static constexpr int32_t kHandlesOffset = 16;

RuntimeCalls::RuntimeCalls(ModuleOp module, BufferMemory memory)
    : module(module), memory(memory) {}

Value RuntimeCalls::call(ImplicitLocOpBuilder &b, StringRef name,
                         ValueRange operands, Type result) {
  std::string symbol = ("moert_frame_" + name).str();
  SmallVector<Value> all{frame(b)};
  llvm::append_range(all, operands);
  auto function = module.lookupSymbol<func::FuncOp>(symbol);
  if (!function) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(module.getBody());
    SmallVector<Type> results;
    if (result) {
      results.push_back(result);
    }
    function = func::FuncOp::create(
        b, symbol, b.getFunctionType(ValueRange(all).getTypes(), results));
    function.setPrivate();
  }
  auto op = func::CallOp::create(b, function, all);
  return result ? op.getResult(0) : Value();
}

Value RuntimeCalls::group(ImplicitLocOpBuilder &b, comm::AxisListAttr axes) {
  auto [found, inserted] = groups.try_emplace(axes, groups.size());
  return i32(b, found->second);
}

Value RuntimeCalls::nextId(ImplicitLocOpBuilder &b) {
  return i32(b, collectives++);
}

Value RuntimeCalls::frame(ImplicitLocOpBuilder &b) {
  Operation *parent = b.getInsertionBlock()->getParentOp();
  auto function = dyn_cast<func::FuncOp>(parent);
  if (!function) {
    function = parent->getParentOfType<func::FuncOp>();
  }
  return function.getArgument(0);
}

Value RuntimeCalls::handle(ImplicitLocOpBuilder &b,
                           DictionaryAttr description) {
  auto [found, inserted] = handles.try_emplace(description, handles.size());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value field = LLVM::GEPOp::create(b, pointer, b.getI8Type(), frame(b),
                                    ArrayRef<LLVM::GEPArg>{kHandlesOffset});
  Value table = LLVM::LoadOp::create(b, pointer, field);
  Value entry = LLVM::GEPOp::create(
      b, pointer, pointer, table,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(found->second)});
  return LLVM::LoadOp::create(b, pointer, entry);
}

Value RuntimeCalls::i32(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIntOp::create(b, value, 32);
}

Value RuntimeCalls::i64(ImplicitLocOpBuilder &b, Value index) {
  return arith::IndexCastOp::create(b, b.getI64Type(), index);
}

Value RuntimeCalls::address(ImplicitLocOpBuilder &b, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, buffer);
  if (!type.getLayout().isIdentity()) {
    auto metadata = memref::ExtractStridedMetadataOp::create(b, buffer);
    Value bytes =
        arith::ConstantIndexOp::create(b, type.getElementTypeBitWidth() / 8);
    Value skipped = arith::MulIOp::create(b, metadata.getOffset(), bytes);
    base = arith::AddIOp::create(b, base, skipped);
  }
  return LLVM::IntToPtrOp::create(b, LLVM::LLVMPointerType::get(b.getContext()),
                                  i64(b, base));
}

// The product of the extents from `first` on.
static Value extentsFrom(ImplicitLocOpBuilder &b, Value buffer, int64_t first) {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t known = 1;
  Value product;
  for (int64_t dim = first; dim < type.getRank(); ++dim) {
    if (!type.isDynamicDim(dim)) {
      known *= type.getDimSize(dim);
      continue;
    }
    Value extent = memref::DimOp::create(b, buffer, dim);
    product = product ? arith::MulIOp::create(b, product, extent) : extent;
  }
  Value constant = arith::ConstantIndexOp::create(b, known);
  return product ? arith::MulIOp::create(b, product, constant) : constant;
}

static Value inBytes(ImplicitLocOpBuilder &b, Value buffer, Value elements) {
  int64_t width =
      cast<MemRefType>(buffer.getType()).getElementTypeBitWidth() / 8;
  Value bytes = arith::ConstantIndexOp::create(b, width);
  return RuntimeCalls::i64(b, arith::MulIOp::create(b, elements, bytes));
}

Value RuntimeCalls::rowBytes(ImplicitLocOpBuilder &b, Value buffer) {
  return inBytes(b, buffer, extentsFrom(b, buffer, 1));
}

Value RuntimeCalls::allBytes(ImplicitLocOpBuilder &b, Value buffer) {
  return inBytes(b, buffer, extentsFrom(b, buffer, 0));
}

Value RuntimeCalls::elementCount(ImplicitLocOpBuilder &b, Value buffer) {
  return i64(b, extentsFrom(b, buffer, 0));
}

bool RuntimeCalls::isContiguous(MemRefType type) {
  if (type.getLayout().isIdentity()) {
    return true;
  }
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  if (failed(type.getStridesAndOffset(strides, offset))) {
    return false;
  }
  int64_t expected = 1;
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    int64_t extent = type.getDimSize(dim);
    if (extent == 1) {
      continue;
    }
    if (strides[dim] != expected ||
        (dim > 0 && ShapedType::isDynamic(extent))) {
      return false;
    }
    expected *= extent;
  }
  return true;
}

Value RuntimeCalls::viewAs(ImplicitLocOpBuilder &b, Value pointer, Type type) {
  Value value = pointer;
  if (auto buffer = dyn_cast<MemRefType>(type)) {
    LLVMTypeConverter converter(b.getContext());
    value = MemRefDescriptor::fromStaticShape(b, b.getLoc(), converter, buffer,
                                              pointer);
  }
  return UnrealizedConversionCastOp::create(b, TypeRange{type},
                                            ValueRange{value})
      .getResult(0);
}

static ArrayAttr inOrder(MLIRContext *context,
                         const llvm::MapVector<Attribute, int64_t> &map) {
  SmallVector<Attribute> entries;
  for (auto &[entry, index] : map) {
    entries.push_back(entry);
  }
  return ArrayAttr::get(context, entries);
}

ArrayAttr RuntimeCalls::getGroups() const {
  return inOrder(module->getContext(), groups);
}

ArrayAttr RuntimeCalls::getHandles() const {
  return inOrder(module->getContext(), handles);
}
