// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_CONVERSION_MOETOKERNELS_PASSES
#define MOE_CONVERSION_MOETOKERNELS_PASSES

include "mlir/Pass/PassBase.td"

def ConvertMoEToKernelsPass : Pass<"convert-moe-to-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn grouped products into calls of generated CPU kernels";
  let description = [{
    Purpose: give every `moe.grouped_matmul` on buffers a kernel for the CPU
    target; products of one shape, type and epilogue share it.

    Before: a bufferized module; rows are contiguous.

    After: no `moe.grouped_matmul`; private functions `@moe_matmul_…` in scf and
    vector.

    Before and after:
    ```mlir
    moe.grouped_matmul %rows by %w at %offsets into %out : …
    call @moe_matmul_64x48_f32_f32(%rows, %w, %offsets, %out, %c0, %panels) : …
    ```

    Leaves to later passes: lowering to LLVM.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"native\"",
           "the CPU: native, or LLVM's name with features (x86-64-v3, x86-64-v4,+avx512bf16)">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect", "::mlir::x86vector::X86VectorDialect",
    "::mlir::math::MathDialect"];
}

#endif // MOE_CONVERSION_MOETOKERNELS_PASSES
