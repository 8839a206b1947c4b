// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- StackSwitch.h - Leaving one stack for another ------------*- C++ -*-===//
//
// One file for each architecture; StackSwitchContext.cpp for those that have
// none.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_EMULATOR_STACKSWITCH_H
#define MOERT_EMULATOR_STACKSWITCH_H

#include <cstddef>

namespace moert::emulator {

/// Where a stack stopped: lies on that stack.
using StackState = void *;

/// Makes a stack call `entry` when it is switched to first. `entry` must not
/// return.
StackState prepareStack(char *bottom, size_t bytes, void (*entry)());

/// Stores where the running stack stops and goes on where `to` stopped.
/// Registers that a call keeps are kept; the floating-point environment is that
/// of the thread, and the same on all stacks.
void switchStack(StackState *from, StackState to);

} // namespace moert::emulator

#endif // MOERT_EMULATOR_STACKSWITCH_H
