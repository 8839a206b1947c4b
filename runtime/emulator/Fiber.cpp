// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Fiber.cpp ----------------------------------------------------------===//

#include "emulator/Fiber.h"

#include <new>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MOERT_ADDRESS_SANITIZER
#endif
#if __has_feature(thread_sanitizer)
#define MOERT_THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define MOERT_ADDRESS_SANITIZER
#elif defined(__SANITIZE_THREAD__)
#define MOERT_THREAD_SANITIZER
#endif

#ifdef MOERT_ADDRESS_SANITIZER
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef MOERT_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace moert::emulator {

static constexpr size_t pageBytes = 4096;
static constexpr size_t lineBytes = 64;

/// The fiber that is being switched to.
static thread_local Fiber *entering = nullptr;

Fiber::Fiber() {
#ifdef MOERT_ADDRESS_SANITIZER
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  void *lowest = nullptr;
  pthread_attr_getstack(&attributes, &lowest, &bytes);
  pthread_attr_destroy(&attributes);
  bottom = static_cast<char *>(lowest);
#endif
#ifdef MOERT_THREAD_SANITIZER
  shadow = __tsan_get_current_fiber();
#endif
}

Fiber::Fiber(size_t stackBytes, size_t number) {
  mapped = (stackBytes / pageBytes + 3) * pageBytes;
  void *pages = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) {
    throw std::bad_alloc();
  }
  mapping = static_cast<char *>(pages);
  mprotect(mapping, pageBytes, PROT_NONE);
  bottom = mapping + pageBytes;
  size_t stagger = number * 5 % (pageBytes / lineBytes) * lineBytes;
  bytes = mapped - pageBytes - stagger;
#ifdef MOERT_THREAD_SANITIZER
  shadow = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
  if (mapping) {
#ifdef MOERT_THREAD_SANITIZER
    __tsan_destroy_fiber(shadow);
#endif
    munmap(mapping, mapped);
  }
}

void Fiber::start(void (*entryOfFiber)(void *), void *argumentOfEntry) {
  entry = entryOfFiber;
  argument = argumentOfEntry;
  state = prepareStack(bottom, bytes, enter);
#ifdef MOERT_ADDRESS_SANITIZER
  shadow = nullptr;
#endif
}

void Fiber::enter() {
  Fiber &self = *entering;
  self.arrived();
  self.entry(self.argument);
}

void Fiber::arrived() {
#ifdef MOERT_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(shadow, nullptr, nullptr);
#endif
}

void Fiber::switchTo(Fiber &next) { leaveFor(next, &shadow); }

void Fiber::endWith(Fiber &next) { leaveFor(next, nullptr); }

void Fiber::leaveFor(Fiber &next, [[maybe_unused]] void **keptShadow) {
  entering = &next;
#ifdef MOERT_ADDRESS_SANITIZER
  // Where nothing is kept, what the sanitizer had for the stack goes.
  __sanitizer_start_switch_fiber(keptShadow, next.bottom, next.bytes);
#endif
#ifdef MOERT_THREAD_SANITIZER
  __tsan_switch_to_fiber(next.shadow, 0);
#endif
  switchStack(&state, next.state);
  arrived();
}

} // namespace moert::emulator
