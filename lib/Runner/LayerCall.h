// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A layer's tokens and routing as the arguments of its program, and its results
// as those of a layer.
#ifndef MOE_LIB_RUNNER_LAYERCALL_H
#define MOE_LIB_RUNNER_LAYERCALL_H

#include "ProgramCall.h"

namespace moe::runner {

/// One call on all ranks of a layer's program.
class LayerCall {
public:
  LayerCall(const LoadedProgram &loaded, const LayerInput &input);

  /// One entry a rank; valid as long as this object.
  llvm::ArrayRef<RankCall> calls() const { return call->calls(); }
  /// After the call.
  llvm::Expected<LayerResult> assembleResult() const;

private:
  const ProgramLayout &layout;
  std::optional<ProgramCall> call;
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_LAYERCALL_H
