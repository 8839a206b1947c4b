// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_CONVERSION_MOETOGPU_PASSES
#define MOE_CONVERSION_MOETOGPU_PASSES

include "mlir/Pass/PassBase.td"

def ConvertMoEToGPUPass : Pass<"convert-moe-to-gpu", "::mlir::ModuleOp"> {
  let summary = "Turn what computes on buffers into kernels and their launches";
  let description = [{
    Purpose: on a device every op on buffers that computes becomes a kernel of
    one `gpu.module @kernels`, and a launch where the op stood. Equal kernels are
    one: layers, and ops of equal shapes, share them.

    Before: a bufferized module; buffers have the identity layout. All of them,
    and what handles point at, are in the device's memory.

    After: in functions of the host nothing reads or writes a buffer but
    `comm` ops, `memref.copy` and launches. Arguments of kernels are of 64 bits:
    the address of a buffer's first element (`!llvm.ptr<1>`), followed by those
    of its extents that are not static (`i64`); the address of a table of
    pointers, for weights. Launches are of one dimension, blocks are
    `gpu.known_block_size`; -1 blocks are as many as are resident on the device.
    Shared memory is dynamic only.

    Rows (`moe.spread_rows`, `moe.permute_rows`, `moe.combine_rows`) are moved by
    a warp each, 16 bytes a lane where rows are aligned so; scores, selections
    and weights take a thread a token. Both are the loops of
    `convert-moe-to-loops`, with its sums and tie rules. Places and offsets are
    counted by warps, each of which counts what comes before; there are no
    atomics. So nothing depends on the order in which blocks run.

    `moe.grouped_matmul` runs on tensor cores for bf16 (mma.sync m16n8k16 on
    sums in f32) and by fused multiply-adds for f32; blocks stay resident and
    share out the tiles of all groups, whose sizes they read on the device. An
    element is summed with k ascending, whatever the tile. Weights are tables of
    pointers to matrices as GPUPackedLayout.h has them.

    `comm.all_to_all_v`, started or not, between buffers of static extents
    becomes `comm.all_to_all` of equal parts, padded with zero: the host has no
    counts. Others stay.

    `comm.check_bound` reports an excess in the words of `comm.fault_words` and
    tells the host nothing. Constants that ops read are written out in the
    kernel. Stores of the host are kernels too.

    Before and after:
    ```mlir
    moe.permute_rows %rows to %q up_to %offsets into %sorted : (memref<?x64xbf16>, memref<?xi32>, memref<3xi32>, memref<?x64xbf16>) -> ()
    ```
    becomes, with addresses and extents of the buffers as operands,
    ```mlir
    gpu.launch_func @kernels::@moe_permute_rows_nx64_bf16 blocks in (%blocks, %c1, %c1) threads in (%c128, %c1, %c1)
        args(%rows : !llvm.ptr<1>, %n : i64, %q : !llvm.ptr<1>, …)
    ```

    Refused, with the reason: what `convert-moe-to-loops` refuses; products of
    other types, or of rows that are not a multiple of 4 bytes; `moe.weigh
    p_norm` with p other than 1 and 2; buffers with gaps.

    Leaves to later passes: the lowering of `@kernels` to a device, and of
    launches, allocations and `comm` ops to the runtime.
  }];
  let dependentDialects = ["affine::AffineDialect", "arith::ArithDialect",
    "gpu::GPUDialect", "LLVM::LLVMDialect", "math::MathDialect",
    "memref::MemRefDialect", "NVVM::NVVMDialect", "scf::SCFDialect",
    "vector::VectorDialect", "::mlir::comm::CommDialect", "::mlir::moe::MoEDialect"];
}

#endif // MOE_CONVERSION_MOETOGPU_PASSES
