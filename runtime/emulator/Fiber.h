// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Fiber.h - A run of code with a stack of its own ----------*- C++ -*-===//

#ifndef MOERT_EMULATOR_FIBER_H
#define MOERT_EMULATOR_FIBER_H

#include "emulator/StackSwitch.h"

namespace moert::emulator {

/// Fibers take turns on one thread: one runs until it switches to another.
class Fiber {
public:
  /// What runs now, on the thread's own stack.
  Fiber();
  /// A fiber with a stack of that many bytes, below which nothing is mapped;
  /// `number` staggers the stacks of fibers that run alike, which would share
  /// the same lines of a cache.
  Fiber(size_t stackBytes, size_t number);
  ~Fiber();
  Fiber(const Fiber &) = delete;

  /// When it is switched to next it calls `entry`, which must not return. What
  /// it was at is dropped.
  void start(void (*entry)(void *), void *argument);
  /// Called on the fiber that runs.
  void switchTo(Fiber &next);
  /// The same for the last time: it does not run again before it is started.
  void endWith(Fiber &next);
  /// Whether the address is of this fiber's stack.
  bool owns(const void *address) const {
    return address >= bottom && address < bottom + bytes;
  }

private:
  static void enter();
  void leaveFor(Fiber &next, void **keptShadow);
  /// For sanitizers: called on arrival from another stack.
  void arrived();

  StackState state = nullptr;
  char *mapping = nullptr;
  size_t mapped = 0;
  char *bottom = nullptr;
  size_t bytes = 0;
  void (*entry)(void *) = nullptr;
  void *argument = nullptr;
  /// What a sanitizer knows the stack by.
  [[maybe_unused]] void *shadow = nullptr;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_FIBER_H
