// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WarpMeetings.h - Where lanes of a warp meet --------------*- C++ -*-===//

#ifndef MOERT_EMULATOR_WARPMEETINGS_H
#define MOERT_EMULATOR_WARPMEETINGS_H

#include "emulator/KernelThread.h"

namespace moert::emulator {

/// Returns once all lanes of the call's mask that have not ended have made the
/// same call, and it was done. `operands` are those that the kind of call has
/// in WarpOperations.h.
void meetInWarp(KernelThread &thread, const WarpCall &call, void *operands,
                uint32_t site);

/// Lets those go that a thread which has ended kept waiting.
void endMeetings(KernelThread &thread);

} // namespace moert::emulator

#endif // MOERT_EMULATOR_WARPMEETINGS_H
