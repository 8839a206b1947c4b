// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_BUNDLE_REPLACEPLACEMENT_H
#define MOE_BUNDLE_REPLACEPLACEMENT_H

#include "moe/Bundle/Bundle.h"

namespace moe::bundle {

/// Puts the experts of those layers that a placement file is about where it has
/// them, in any format that moe-place reads. The code stays as it is: its
/// tables are data. Fails, in one line, where the file lacks all of the layers,
/// is for other experts or ranks, or needs more slots on a rank than the code
/// works on.
llvm::Error replacePlacement(Bundle &bundle, llvm::StringRef path);

} // namespace moe::bundle

#endif // MOE_BUNDLE_REPLACEPLACEMENT_H
