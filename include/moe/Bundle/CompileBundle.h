// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_BUNDLE_COMPILEBUNDLE_H
#define MOE_BUNDLE_COMPILEBUNDLE_H

#include "moe/Bundle/Bundle.h"
#include "moe/Runner/Session.h"

namespace moe::bundle {

/// Plans a module, where it is not planned, and compiles its program (see
/// SessionOptions::layer) for the CPU of the options, which need not be this
/// machine's. Weights are named in the manifest and read by whoever runs it,
/// who brings the host's functions too. Errors as those of Session::create.
llvm::Expected<Bundle> compileBundle(const runner::SessionOptions &options);

} // namespace moe::bundle

#endif // MOE_BUNDLE_COMPILEBUNDLE_H
