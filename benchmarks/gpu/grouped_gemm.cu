// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CUTLASS's grouped GEMM for bf16 with f32 sums, as ours: tiles of 128 x 128 x 32,
// mma.sync m16n8k16, four stages, a persistent scheduler over the groups.

#include "cutlass/cutlass.h"
#include "cutlass/epilogue/thread/linear_combination.h"
#include "cutlass/gemm/device/gemm_grouped.h"
#include "cutlass/gemm/kernel/default_gemm_grouped.h"

using Element = cutlass::bfloat16_t;
using Row = cutlass::layout::RowMajor;
using Kernel = typename cutlass::gemm::kernel::DefaultGemmGrouped<
    Element, Row, cutlass::ComplexTransform::kNone, 8, Element, Row,
    cutlass::ComplexTransform::kNone, 8, Element, Row, float,
    cutlass::arch::OpClassTensorOp, cutlass::arch::Sm80,
    cutlass::gemm::GemmShape<128, 128, 32>, cutlass::gemm::GemmShape<64, 64, 32>,
    cutlass::gemm::GemmShape<16, 8, 16>,
    cutlass::epilogue::thread::LinearCombination<Element, 8, float, float>,
    cutlass::gemm::threadblock::GemmBatchedIdentityThreadblockSwizzle, 4,
    cutlass::gemm::kernel::GroupScheduleMode::kDeviceOnly>::GemmKernel;

template __global__ void cutlass::Kernel<Kernel>(Kernel::Params);
