// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function for tiles of all heights: products call it for each weight
// table, and products of the same k share it, so that the code of a model stays
// small. A call costs nothing beside a tile.

#include "moe/Target/CPU/PackedLayout.h"
#include "moe/Target/CPU/RegisterTile.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::moe;

static std::string tileFunctionName(int64_t k, Type inputType) {
  return std::string("moe_tile_") + (inputType.isBF16() ? "bf16" : "f32") +
         "_k" + std::to_string(k);
}

static FunctionType tileFunctionType(int64_t k, const RegisterTile &tile) {
  Type rowType = tile.rowType();
  MLIRContext *context = rowType.getContext();
  constexpr int64_t dynamic = ShapedType::kDynamic;
  auto index = IndexType::get(context);
  auto sums = MemRefType::get({dynamic, PackedLayout::panelColumns},
                              Float32Type::get(context));
  return FunctionType::get(context,
                           {index, MemRefType::get({dynamic, k}, rowType),
                            index, LLVM::LLVMPointerType::get(context), sums,
                            index, index, index},
                           {});
}

/// The memref that starts at a pointer.
static Value viewPanel(ImplicitLocOpBuilder &b, Value pointer,
                       MemRefType type) {
  LLVMTypeConverter converter(b.getContext());
  Value descriptor = MemRefDescriptor::fromStaticShape(b, b.getLoc(), converter,
                                                       type, pointer);
  return UnrealizedConversionCastOp::create(b, type, descriptor).getResult(0);
}

/// Emits a tile for each height and chooses among them.
static void emitTiles(ImplicitLocOpBuilder &b, const TileOperands &operands,
                      Value height, const RegisterTile &tile) {
  SmallVector<int64_t> heights =
      llvm::to_vector(llvm::seq<int64_t>(1, tile.maxRows()));
  auto choice = scf::IndexSwitchOp::create(b, TypeRange(), height, heights,
                                           heights.size());
  auto fill = [&](Region &region, int64_t rows) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&region.emplaceBlock());
    tile.emit(b, operands, rows);
    scf::YieldOp::create(b);
  };
  for (auto [rows, region] :
       llvm::zip_equal(heights, choice.getCaseRegions())) {
    fill(region, rows);
  }
  fill(choice.getDefaultRegion(), tile.maxRows());
}

func::FuncOp mlir::moe::getOrBuildTileFunction(ModuleOp module, int64_t k,
                                               Type inputType,
                                               const RegisterTile &tile) {
  std::string name = tileFunctionName(k, inputType);
  if (auto function = module.lookupSymbol<func::FuncOp>(name)) {
    return function;
  }
  ImplicitLocOpBuilder b(module.getLoc(),
                         OpBuilder::atBlockEnd(module.getBody()));
  auto function = func::FuncOp::create(b, name, tileFunctionType(k, tile));
  function.setPrivate();
  MLIRContext *context = module.getContext();
  function->setAttr("llvm.linkage",
                    LLVM::LinkageAttr::get(context, LLVM::Linkage::Internal));
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  Block *body = function.addEntryBlock();
  b.setInsertionPointToStart(body);
  TileOperands operands;
  operands.rows = body->getArgument(1);
  operands.firstRow = body->getArgument(2);
  operands.panel = viewPanel(b, body->getArgument(3), panelType(k, inputType));
  operands.sums = body->getArgument(4);
  operands.firstSum = body->getArgument(5);
  operands.begin = body->getArgument(6);
  operands.end = body->getArgument(7);
  emitTiles(b, operands, body->getArgument(0), tile);
  func::ReturnOp::create(b);
  return function;
}
