// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- StackSwitchContext.cpp - By the C library's contexts ---------------===//
//
// Ten times as slow as a switch by hand: each saves the mask of signals.
//
//===----------------------------------------------------------------------===//

#include "emulator/StackSwitch.h"

#include <new>
#include <ucontext.h>

namespace moert::emulator {

StackState prepareStack(char *bottom, size_t bytes, void (*entry)()) {
  size_t room = (sizeof(ucontext_t) + 63) & ~size_t(63);
  auto *context = new (bottom) ucontext_t;
  getcontext(context);
  context->uc_stack.ss_sp = bottom + room;
  context->uc_stack.ss_size = bytes - room;
  context->uc_link = nullptr;
  makecontext(context, entry, 0);
  return context;
}

void switchStack(StackState *from, StackState to) {
  ucontext_t here;
  *from = &here;
  swapcontext(&here, static_cast<ucontext_t *>(to));
}

} // namespace moert::emulator
