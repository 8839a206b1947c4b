// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- StackSwitchX86.cpp - x86-64, System V calling convention -----------===//

#include "emulator/StackSwitch.h"

#include <cstdint>
#include <cstring>

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
  // What is popped, then the addresses that are returned to: that of the entry,
  // and none, which ends back traces. At its first instruction a function finds
  // its return address at an address that is 8 modulo 16.
  constexpr size_t kept = 6;
  void *state[kept + 2] = {};
  state[kept] = reinterpret_cast<void *>(entry);
  auto end = reinterpret_cast<uintptr_t>(bottom + bytes);
  char *place = bottom + bytes - end % 16 - sizeof(state);
  std::memcpy(place, static_cast<void *>(state), sizeof(state));
  return place;
}

void switchStack(StackState *from, StackState to) {
  moert_emulator_switch_stack(from, to);
}

} // namespace moert::emulator
