// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_CALLFUNCTION_H
#define MOE_LIB_RUNNER_CALLFUNCTION_H

#include "llvm/ADT/ArrayRef.h"

#include <utility>

namespace moe::runner {

/// The most parameters of a compiled entry function.
inline constexpr size_t maxParameters = 10;

template <size_t... index>
void callWith(void *function, llvm::ArrayRef<uint64_t> arguments,
              std::index_sequence<index...>) {
  // Pointers and 64-bit integers are passed alike.
  using Function = void (*)(decltype((void)index, uint64_t())...);
  reinterpret_cast<Function>(function)(arguments[index]...);
}

/// Calls a C function whose parameters are pointers and 64-bit integers, as
/// many as there are arguments.
template <size_t count = 0>
void callFunction(void *function, llvm::ArrayRef<uint64_t> arguments) {
  if (arguments.size() == count) {
    callWith(function, arguments, std::make_index_sequence<count>());
  } else if constexpr (count < maxParameters) {
    callFunction<count + 1>(function, arguments);
  } else {
    assert(false && "too many parameters");
  }
}

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_CALLFUNCTION_H
