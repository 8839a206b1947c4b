// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arguments of one call of a compiled program, cut to each rank's part, and
// the results put together again.
#ifndef MOE_LIB_RUNNER_PROGRAMCALL_H
#define MOE_LIB_RUNNER_PROGRAMCALL_H

#include "AlignedBuffer.h"
#include "LoadedProgram.h"
#include "MatrixDescriptor.h"

#include "moe/Runner/TokenArray.h"

namespace moe::runner {

/// One call on all ranks of a program.
class ProgramCall {
public:
  ProgramCall(const LoadedProgram &loaded, const ProgramInput &input);

  /// One entry a rank; valid as long as this object.
  llvm::ArrayRef<RankCall> calls() const { return rankCalls; }
  /// After the call: results as a whole. Ranks that hold the same elements must
  /// agree in every bit; that they do not is a RankFailure.
  llvm::Expected<ProgramResult> assembleResult() const;

private:
  /// A rank's part of an argument or a result.
  struct Part {
    AlignedBuffer buffer;
    moert_matrix matrix;
  };
  Part *addPart(int64_t rank, const Port &port);
  llvm::Expected<TokenArray> assembleArray(size_t index) const;
  static void addMatrix(Part &part, bool isResult, RankCall &call);

  const ProgramLayout &layout;
  int64_t tokens;
  std::vector<RankCall> rankCalls;
  /// Never moved: calls point to the descriptors.
  std::vector<std::unique_ptr<Part>> parts;
  /// [result][rank].
  std::vector<std::vector<const void *>> results;
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_PROGRAMCALL_H
