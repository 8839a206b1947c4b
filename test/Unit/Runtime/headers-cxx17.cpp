// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The headers of the runtime, as C++17. Each stands alone and may come twice;
// counters.h comes with moert.h, kernels.h with compiled.h.
#include "moert/compiled.h"
#include "moert/emulator.h"
#include "moert/kernels.h"
#include "moert/moert.h"
#include "moert/threads.h"

static_assert(sizeof(moert_frame) == 40, "compiled code relies on it");
