// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CUTLASS's grouped product of bf16 with the tile that ours has: 128 × 128 × 32
// by four warps, four stages, mma.sync m16n8k16, tiles shared out on the device.

#include "cutlass/cutlass.h"
#include "cutlass/gemm/kernel/default_gemm_grouped.h"
#include "cutlass/gemm/device/gemm_grouped.h"
#include "cutlass/epilogue/thread/linear_combination.h"

using Element = cutlass::bfloat16_t;
using Epilogue =
    cutlass::epilogue::thread::LinearCombination<Element, 8, float, float>;
using GroupedProduct = typename cutlass::gemm::kernel::DefaultGemmGrouped<
    Element, cutlass::layout::RowMajor, cutlass::ComplexTransform::kNone, 8,
    Element, cutlass::layout::ColumnMajor, cutlass::ComplexTransform::kNone, 8,
    Element, cutlass::layout::RowMajor, float, cutlass::arch::OpClassTensorOp,
    cutlass::arch::Sm80, cutlass::gemm::GemmShape<128, 128, 32>,
    cutlass::gemm::GemmShape<64, 64, 32>, cutlass::gemm::GemmShape<16, 8, 16>,
    Epilogue, cutlass::gemm::threadblock::GemmBatchedIdentityThreadblockSwizzle,
    4, cutlass::gemm::kernel::GroupScheduleMode::kDeviceOnly>::GemmKernel;

template __global__ void cutlass::Kernel<GroupedProduct>(GroupedProduct::Params);
