// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AsyncCopies.h - cp.async ---------------------------------*- C++ -*-===//

#ifndef MOERT_EMULATOR_ASYNCCOPIES_H
#define MOERT_EMULATOR_ASYNCCOPIES_H

#include "emulator/KernelThread.h"

namespace moert::emulator {

/// cp.async: checks where the copy goes and comes from, and leaves it under
/// way. Its group is that of the thread's next commit.
void beginCopy(KernelThread &thread, const AsyncCopy &copy);

/// cp.async.wait_group: makes the copies that it waits for, and no other. What
/// they read is what is there now.
void waitForCopies(KernelThread &thread, uint32_t pendingGroups);

} // namespace moert::emulator

#endif // MOERT_EMULATOR_ASYNCCOPIES_H
