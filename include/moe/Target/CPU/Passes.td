// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MOE_TARGET_CPU_PASSES
#define MOE_TARGET_CPU_PASSES

include "mlir/Pass/PassBase.td"

def ApproximateMathPass : Pass<"moe-approximate-math"> {
  let summary = "Write math functions out as polynomials";
  let description = [{
    Purpose: results must not hang on the C library that happens to be there,
    and the vector and the scalar form of a function must agree to the bit.

    Before: `math` ops on f32, f16 and bf16 scalars and vectors.
    After: `exp`, `exp2`, `expm1`, `log`, `log2`, `log1p`, `tanh`, `erf` and
    the trigonometric functions are arithmetic, computed in f32. `sqrt`,
    `rsqrt`, `absf`, rounding and `fma` stay: they are exact instructions. So
    does what has no polynomial, such as `powf`.

    Example: `math.exp %x : vector<8xf32>` becomes a range reduction by
    `log 2`, a polynomial of degree 5 and a shift into the exponent; the same
    ops for `f32`.

    Left to later passes: everything that stays, and the ops that appear.
  }];
  let options = [
    Option<"fma", "fma", "bool", /*default=*/"true",
           "The target has a fused multiply-add; without it `math.fma` becomes "
           "a product and a sum, also where it was written by hand">
  ];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect",
                           "vector::VectorDialect"];
}

def ExpandBF16Pass : Pass<"moe-expand-bf16"> {
  let summary = "Write conversions from and to bf16 out as integer arithmetic";
  let description = [{
    Purpose: a CPU without bf16 instructions would call the C library for each
    element, and one with them flushes denormals; so every target converts by
    the same few integer operations.

    Before: `arith.extf` and `arith.truncf` between bf16 and f32, scalars or
    vectors. After: shifts and additions on their bits, rounding to nearest,
    ties to even; a NaN stays one and becomes quiet.

    Example: `arith.extf %x : bf16 to f32` becomes a bitcast to `i16`, a
    zero extension, a shift left by 16 and a bitcast.

    Left to other passes: arithmetic *on* bf16, which
    `arith-emulate-unsupported-floats` has turned into conversions before.
  }];
  let dependentDialects = ["arith::ArithDialect"];
}

def CarryBF16AsI16Pass : Pass<"moe-carry-bf16-as-i16", "ModuleOp"> {
  let summary = "Replace bf16 by i16 in the LLVM dialect";
  let description = [{
    Purpose: LLVM moves, shuffles and chooses bf16 values through f32 where the
    CPU has no bf16 registers, by calls to the C library; integers it just moves.

    Before: the LLVM dialect, without arithmetic on bf16. After: `bf16` is left
    only as operand and result of intrinsics that ask for it, behind bitcasts.

    Example: `llvm.load %p : !llvm.ptr -> vector<4xbf16>` becomes
    `llvm.load %p : !llvm.ptr -> vector<4xi16>`.
  }];
  let dependentDialects = ["LLVM::LLVMDialect"];
}

#endif // MOE_TARGET_CPU_PASSES
