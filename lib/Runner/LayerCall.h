// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arguments of one call of a compiled layer, cut to each rank's part, and
// the results put together again.
#ifndef MOE_LIB_RUNNER_LAYERCALL_H
#define MOE_LIB_RUNNER_LAYERCALL_H

#include "AlignedBuffer.h"
#include "BuildFrames.h"
#include "MatrixDescriptor.h"

#include "moe/Runner/Session.h"

namespace moe::runner {

/// One call on all ranks of a program.
class LayerCall {
public:
  LayerCall(const CompiledProgram &program, const RankFrames &frames,
            const LayerInput &input);

  /// One entry a rank; valid as long as this object.
  llvm::ArrayRef<RankCall> calls() const { return rankCalls; }
  /// After the call.
  llvm::Expected<LayerResult> assembleResult() const;

private:
  /// A rank's part of an argument or a result.
  struct Part {
    AlignedBuffer buffer;
    MatrixDescriptor matrix;
  };
  Part *addPart(int64_t rank, const Port &port);
  llvm::Expected<TokenArray> assembleResult(size_t index) const;

  const ProgramLayout &layout;
  int64_t tokens;
  std::vector<RankCall> rankCalls;
  /// Never moved: calls point to the descriptors.
  std::vector<std::unique_ptr<Part>> parts;
  /// [result][rank].
  std::vector<std::vector<const void *>> results;
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_LAYERCALL_H
