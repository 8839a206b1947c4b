// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "WeightPacking.h"

#include "moe/Target/GPU/GPUPackedLayout.h"

using namespace moe::runner;
using mlir::moe::GPUPackedLayout;
using mlir::moe::PackedLayout;
using mlir::moe::PackedType;

/// Calls `use` with the target's layout and how many panels it has.
template <typename Use>
static auto withLayout(const WeightPacking &packing, Use use) {
  PackedType type =
      packing.type == ElementType::F32 ? PackedType::f32 : PackedType::bf16;
  if (packing.target == ProgramTarget::GPU) {
    GPUPackedLayout layout{packing.k, packing.n, type};
    return use(layout, layout.paddedN());
  }
  PackedLayout layout{packing.k, packing.n, type};
  return use(layout, layout.panels());
}

int64_t WeightPacking::bytes() const {
  return withLayout(*this,
                    [](const auto &layout, int64_t) { return layout.bytes(); });
}

void WeightPacking::pack(const mlir::moe::PackSource &source, bool isInByOut,
                         void *packed) const {
  withLayout(*this, [&](const auto &layout, int64_t panels) {
    if (isInByOut) {
      packFromColumns(layout, source, {0, panels}, packed);
    } else {
      packFromRowsOut(layout, source, {0, panels}, packed);
    }
  });
}
