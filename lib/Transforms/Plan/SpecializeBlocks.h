// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks are shared by layers. When layers are to differ in something that
// changes code, the functions on the way to their experts are cloned, as few
// times as possible.

#ifndef MOE_LIB_TRANSFORMS_PLAN_SPECIALIZEBLOCKS_H
#define MOE_LIB_TRANSFORMS_PLAN_SPECIALIZEBLOCKS_H

#include "moe/Analysis/ModelLayers.h"

namespace mlir::moe {

/// Gives each layer the exchange that `choices` names for it, one a layer.
/// Layers that share a function keep sharing it where all that lies below has
/// the same exchanges; otherwise the first ones keep it and the others get
/// clones, inserted after it and named after the exchange.
void specializeBlocks(ModuleOp module, ArrayRef<MoELayer> layers,
                      ArrayRef<FlatSymbolRefAttr> choices);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_PLAN_SPECIALIZEBLOCKS_H
