// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- StackSwitchX86.cpp - x86-64, System V calling convention -----------===//

#include "emulator/StackSwitch.h"

#include <cstdint>

extern "C" void moert_emulator_switch_stack(void **from, void *to);

// Pushes what a callee must keep, so that the state is the stack pointer alone.
asm(R"(
  .text
  .p2align 4
  .hidden moert_emulator_switch_stack
  .globl moert_emulator_switch_stack
  .type moert_emulator_switch_stack, @function
moert_emulator_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  retq
  .size moert_emulator_switch_stack, . - moert_emulator_switch_stack
)");

namespace moert::emulator {

StackState prepareStack(char *bottom, size_t bytes, void (*entry)()) {
  constexpr size_t kept = 6;
  auto top = reinterpret_cast<uintptr_t>(bottom + bytes) & ~uintptr_t(15);
  // At its first instruction a function finds its return address (none here,
  // which ends back traces) at an address that is 8 modulo 16.
  auto *state = reinterpret_cast<void **>(bottom + bytes) -
                (uintptr_t(bottom + bytes) - top) / sizeof(void *) - 2 - kept;
  for (size_t i = 0; i < kept; ++i) {
    state[i] = nullptr;
  }
  state[kept] = reinterpret_cast<void *>(entry);
  state[kept + 1] = nullptr;
  return state;
}

void switchStack(StackState *from, StackState to) {
  moert_emulator_switch_stack(from, to);
}

} // namespace moert::emulator
