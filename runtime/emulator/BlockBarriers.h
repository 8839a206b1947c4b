// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- BlockBarriers.h - Where threads of a block meet ----------*- C++ -*-===//

#ifndef MOERT_EMULATOR_BLOCKBARRIERS_H
#define MOERT_EMULATOR_BLOCKBARRIERS_H

#include "emulator/KernelThread.h"

namespace moert::emulator {

/// barrier.sync.aligned: returns once `threads` threads of the block, or with 0
/// all that have not ended, have come.
void meetInBlock(KernelThread &thread, uint32_t barrier, uint32_t threads,
                 uint32_t site);

/// Lets those go that a thread which has ended kept waiting.
void endBarriers(KernelThread &thread);

/// Each of the threads, which are of one block, learns what the others have
/// done so far, and what they knew.
void shareKnowledge(const std::vector<KernelThread *> &threads);

} // namespace moert::emulator

#endif // MOERT_EMULATOR_BLOCKBARRIERS_H
