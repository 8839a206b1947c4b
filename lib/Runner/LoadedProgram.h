// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What stands between a compiled program and its runs: weights, frames, groups.
#ifndef MOE_LIB_RUNNER_LOADEDPROGRAM_H
#define MOE_LIB_RUNNER_LOADEDPROGRAM_H

#include "BuildFrames.h"

#include "moe/Runner/RankRun.h"
#include "moe/Runner/Session.h"

namespace moe::runner {

/// A program that can be called.
struct LoadedProgram {
  CompiledProgram program;
  std::unique_ptr<RankFrames> frames;
};

/// Finds where the weights of a program come from, as the options say; nothing
/// is read yet.
llvm::Expected<std::unique_ptr<WeightStore>>
declareWeights(const ProgramLayout &layout, const SessionOptions &options);

/// Reads and packs what the program needs of the weights.
llvm::Expected<LoadedProgram> loadProgram(CompiledProgram program,
                                          WeightStore &weights);

/// Fills in the groups of ranks that the program's collectives are over.
void addGroups(const ProgramLayout &layout, RankSetup &setup);

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_LOADEDPROGRAM_H
