// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_TRANSFORMS_MATMUL_PASSES
#define MOE_TRANSFORMS_MATMUL_PASSES

include "mlir/Pass/PassBase.td"

def PackWeightsPass : Pass<"moe-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Make dense products with weights grouped products of one group";
  let description = [{
    Purpose: let dense weights be packed at load, and use one kernel for all
    products.

    Before: `linalg.matmul` of rows with a weight stored [N, K] whose handle
    reaches it through function arguments alone.

    After: the handle is `!moe.weights<1 x K x N>` all the way, the product a
    `moe.grouped_matmul` with offsets [0, rows]. Weights with any other use, and
    products with another accumulator than zeros in f32, stay as they are.

    Before and after:
    ```mlir
    %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x64xf32>, tensor<8x64xf32>) outs(%zeros : tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
    becomes
    ```mlir
    %y = moe.grouped_matmul %x by %w at %offsets : (tensor<?x64xf32>, !moe.weights<1x64x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
    ```

    Leaves to later passes: nothing.
  }];
  let dependentDialects = ["::mlir::moe::MoEDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect"];
}

def FuseEpiloguePass : Pass<"moe-fuse-epilogue", "::mlir::ModuleOp"> {
  let summary = "Move elementwise work into the product that feeds it";
  let description = [{
    Purpose: apply the activation inside the kernel, so that the f32 sums of a
    product never become a tensor.

    Before: an elementwise `linalg.generic` all of whose inputs are f32 results
    of `moe.grouped_matmul`s of the same rows and offsets, used nowhere else.

    After: one `moe.grouped_matmul` of all their matrices with the body as its
    epilogue. Bits do not change: the body is the same arithmetic.

    Before and after:
    ```mlir
    %g = moe.grouped_matmul %rows by %wg at %offsets : …
    %u = moe.grouped_matmul %rows by %wu at %offsets : …
    %h = linalg.generic … ins(%g, %u) …
    ```
    becomes
    ```mlir
    %h = moe.grouped_matmul %rows by %wg, %wu at %offsets : … epilogue { … }
    ```

    Leaves to later passes: the kernel.
  }];
  let dependentDialects = ["::mlir::moe::MoEDialect"];
}

#endif // MOE_TRANSFORMS_MATMUL_PASSES
