// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Guarded.h - No exception crosses the C ABI ---------------*- C++ -*-===//

#ifndef MOERT_CORE_GUARDED_H
#define MOERT_CORE_GUARDED_H

#include "core/Context.h"

#include <new>

namespace moert {

/// What `body` returns; what the standard library throws ends the job.
template <typename Body>
moert_status guarded(moert_context &context, Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return context.fail(MOERT_OUT_OF_MEMORY, "out of memory in the runtime");
  } catch (...) {
    return context.fail(MOERT_INTERNAL, "internal error in the runtime");
  }
}

} // namespace moert

#endif // MOERT_CORE_GUARDED_H
