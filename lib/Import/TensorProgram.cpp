// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TensorProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::moe;

// `value` as an f32, or an f32 as `type`.
static Value convert(OpBuilder &b, Location loc, Value value, Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (from < to) {
    return arith::ExtFOp::create(b, loc, type, value);
  }
  return from > to ? arith::TruncFOp::create(b, loc, type, value).getResult()
                   : value;
}

static Value constant(OpBuilder &b, Location loc, double value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

static Value sigmoid(OpBuilder &b, Location loc, Value x) {
  Value exponential =
      math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, x).getResult());
  Value one = constant(b, loc, 1.0);
  Value denominator = arith::AddFOp::create(b, loc, one, exponential);
  return arith::DivFOp::create(b, loc, one, denominator);
}

// x / (1 + exp(-x)): one rounding less than x * sigmoid(x).
static Value silu(OpBuilder &b, Location loc, Value x) {
  Value exponential =
      math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, x).getResult());
  Value one = constant(b, loc, 1.0);
  Value denominator = arith::AddFOp::create(b, loc, one, exponential);
  return arith::DivFOp::create(b, loc, x, denominator);
}

static Value applyActivation(OpBuilder &b, Location loc, Activation activation,
                             Value x) {
  switch (activation) {
  case Activation::Silu:
    return silu(b, loc, x);
  case Activation::Relu:
    return arith::MaximumFOp::create(b, loc, x, constant(b, loc, 0.0));
  }
  llvm_unreachable("every activation is written");
}

TensorProgram::TensorProgram(OpBuilder &builder, FloatType dtype, Value tokens)
    : builder(builder), dtype(dtype) {
  int64_t count = cast<ShapedType>(tokens.getType()).getDimSize(0);
  if (!ShapedType::isDynamic(count)) {
    extent = builder.getIndexAttr(count);
    return;
  }
  Value first = arith::ConstantIndexOp::create(builder, named("c0"), 0);
  extent =
      tensor::DimOp::create(builder, named("T"), tokens, first).getResult();
}

Location TensorProgram::named(StringRef name) {
  return NameLoc::get(builder.getStringAttr(name));
}

Value TensorProgram::empty(ArrayRef<int64_t> columns, Type element) {
  SmallVector<OpFoldResult> extents{extent};
  llvm::append_range(extents,
                     getAsIndexOpFoldResult(builder.getContext(), columns));
  return tensor::EmptyOp::create(builder, named("init"), extents, element);
}

Value TensorProgram::zeros(ArrayRef<int64_t> columns) {
  if (!zero) {
    zero = arith::ConstantOp::create(builder, named("zero"),
                                     builder.getF32FloatAttr(0.0));
  }
  Value space = empty(columns, builder.getF32Type());
  return linalg::FillOp::create(builder, named("zeros"), zero, space)
      .getResult(0);
}

Value TensorProgram::multiply(StringRef name, Value x, Value weight) {
  int64_t columns = cast<ShapedType>(weight.getType()).getDimSize(0);
  Value init = zeros(columns);
  MLIRContext *context = builder.getContext();
  AffineExpr m, n, k;
  bindDims(context, m, n, k);
  auto map = [&](AffineExpr a, AffineExpr b) {
    return AffineMap::get(3, 0, {a, b}, context);
  };
  auto maps = builder.getNamedAttr(
      "indexing_maps",
      builder.getAffineMapArrayAttr({map(m, k), map(n, k), map(m, n)}));
  return linalg::MatmulOp::create(builder, named(name), init.getType(),
                                  ValueRange{x, weight}, ValueRange{init},
                                  ArrayRef<NamedAttribute>{maps})
      .getResult(0);
}

// Names the operation only: its body's values keep linalg's own names.
Value TensorProgram::finish(linalg::GenericOp op, StringRef name) {
  op->setLoc(named(name));
  for (BlockArgument argument : op.getRegion().getArguments()) {
    argument.setLoc(builder.getUnknownLoc());
  }
  return op.getResult(0);
}

Value TensorProgram::elementwise(StringRef name, int64_t columns, Type element,
                                 ArrayRef<ElementwiseInput> inputs, Body body) {
  Value init = empty(columns, element);
  MLIRContext *context = builder.getContext();
  AffineExpr row, column;
  bindDims(context, row, column);
  auto mapOf = [&](Spread spread) {
    switch (spread) {
    case Spread::Both:
      return AffineMap::get(2, 0, {row, column}, context);
    case Spread::Rows:
      return AffineMap::get(2, 0, {row}, context);
    case Spread::Columns:
      return AffineMap::get(2, 0, {column}, context);
    case Spread::RowsTimesOne:
      return AffineMap::get(2, 0, {row, getAffineConstantExpr(0, context)},
                            context);
    }
    llvm_unreachable("every spread has a map");
  };
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  for (const ElementwiseInput &input : inputs) {
    values.push_back(input.value);
    maps.push_back(mapOf(input.spread));
  }
  maps.push_back(mapOf(Spread::Both));
  SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
  auto buildBody = [&](OpBuilder &b, Location loc, ValueRange arguments) {
    SmallVector<Value> wide;
    for (Value argument : arguments.drop_back()) {
      wide.push_back(convert(b, loc, argument, b.getF32Type()));
    }
    Value result = convert(b, loc, body(b, loc, wide), element);
    linalg::YieldOp::create(b, loc, result);
  };
  auto op = linalg::GenericOp::create(builder, builder.getUnknownLoc(),
                                      init.getType(), values, init, maps,
                                      iterators, buildBody);
  return finish(op, name);
}

static int64_t columnsOf(Value value) {
  return cast<ShapedType>(value.getType()).getDimSize(1);
}

static Type elementOf(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

Value TensorProgram::round(StringRef name, Value values) {
  if (elementOf(values) == dtype) {
    return values;
  }
  return elementwise(
      name, columnsOf(values), dtype, {{values}},
      [](OpBuilder &, Location, ArrayRef<Value> inputs) { return inputs[0]; });
}

Value TensorProgram::roundInF32(StringRef name, Value values) {
  return elementwise(name, columnsOf(values), builder.getF32Type(), {{values}},
                     [&](OpBuilder &b, Location loc, ArrayRef<Value> inputs) {
                       Value narrow = convert(b, loc, inputs[0], dtype);
                       return convert(b, loc, narrow, b.getF32Type());
                     });
}

Value TensorProgram::sumOfSquares(Value x) {
  Value init = zeros({});
  MLIRContext *context = builder.getContext();
  AffineExpr row, column;
  bindDims(context, row, column);
  AffineMap both = AffineMap::get(2, 0, {row, column}, context);
  AffineMap rows = AffineMap::get(2, 0, {row}, context);
  SmallVector<utils::IteratorType> iterators{utils::IteratorType::parallel,
                                             utils::IteratorType::reduction};
  auto op = linalg::GenericOp::create(
      builder, builder.getUnknownLoc(), init.getType(), x, init, {both, rows},
      iterators, [](OpBuilder &b, Location loc, ValueRange arguments) {
        Value wide = convert(b, loc, arguments[0], b.getF32Type());
        Value square = arith::MulFOp::create(b, loc, wide, wide);
        Value sum = arith::AddFOp::create(b, loc, arguments[1], square);
        linalg::YieldOp::create(b, loc, sum);
      });
  return finish(op, "square_sum");
}

Value TensorProgram::inverseRoot(Value sum, int64_t columns, double epsilon) {
  Value init = empty({}, builder.getF32Type());
  AffineMap rows = builder.getMultiDimIdentityMap(1);
  SmallVector<utils::IteratorType> iterators{utils::IteratorType::parallel};
  auto op = linalg::GenericOp::create(
      builder, builder.getUnknownLoc(), init.getType(), sum, init, {rows, rows},
      iterators, [&](OpBuilder &b, Location loc, ValueRange arguments) {
        Value count = constant(b, loc, static_cast<double>(columns));
        Value mean = arith::DivFOp::create(b, loc, arguments[0], count);
        Value shifted =
            arith::AddFOp::create(b, loc, mean, constant(b, loc, epsilon));
        Value root = math::RsqrtOp::create(b, loc, shifted);
        linalg::YieldOp::create(b, loc, root);
      });
  return finish(op, "inverse_root");
}

Value TensorProgram::normalize(StringRef name, Value x, Value gamma,
                               double epsilon) {
  int64_t columns = columnsOf(x);
  Value root = inverseRoot(sumOfSquares(x), columns, epsilon);
  return elementwise(
      name, columns, dtype,
      {{x}, {root, Spread::Rows}, {gamma, Spread::Columns}},
      [&](OpBuilder &b, Location loc, ArrayRef<Value> inputs) {
        Value scaled = arith::MulFOp::create(b, loc, inputs[0], inputs[1]);
        Value narrow = convert(b, loc, scaled, dtype);
        Value wide = convert(b, loc, narrow, b.getF32Type());
        return arith::MulFOp::create(b, loc, inputs[2], wide).getResult();
      });
}

Value TensorProgram::activate(StringRef name, Activation activation, Value gate,
                              Value up) {
  if (!gate) {
    return elementwise(name, columnsOf(up), dtype, {{up}},
                       [&](OpBuilder &b, Location loc, ArrayRef<Value> inputs) {
                         return applyActivation(b, loc, activation, inputs[0]);
                       });
  }
  return elementwise(
      name, columnsOf(up), dtype, {{gate}, {up}},
      [&](OpBuilder &b, Location loc, ArrayRef<Value> inputs) {
        Value active = applyActivation(b, loc, activation, inputs[0]);
        return arith::MulFOp::create(b, loc, active, inputs[1]).getResult();
      });
}

Value TensorProgram::add(StringRef name, Value a, Value b) {
  return elementwise(
      name, columnsOf(a), dtype, {{a}, {b}},
      [](OpBuilder &builder, Location loc, ArrayRef<Value> inputs) {
        return arith::AddFOp::create(builder, loc, inputs[0], inputs[1])
            .getResult();
      });
}

Value TensorProgram::gateBySigmoid(StringRef name, Value logits, Value rows) {
  Value rounded = round("shared_scale_logits", logits);
  return elementwise(
      name, columnsOf(rows), dtype, {{rounded, Spread::RowsTimesOne}, {rows}},
      [&](OpBuilder &b, Location loc, ArrayRef<Value> inputs) {
        Value gate = convert(b, loc, sigmoid(b, loc, inputs[0]), dtype);
        Value wide = convert(b, loc, gate, b.getF32Type());
        return arith::MulFOp::create(b, loc, wide, inputs[1]).getResult();
      });
}
