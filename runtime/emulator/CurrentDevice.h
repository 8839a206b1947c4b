// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CurrentDevice.h - The calling thread's contexts ----------*- C++ -*-===//

#ifndef MOERT_EMULATOR_CURRENTDEVICE_H
#define MOERT_EMULATOR_CURRENTDEVICE_H

#include "emulator/Objects.h"

namespace moert::emulator {

/// The thread's stack of contexts.
std::vector<cuda::Context> &contextStack();
/// Its top; null where it is empty.
cuda::ContextObject *currentDevice();

} // namespace moert::emulator

#endif // MOERT_EMULATOR_CURRENTDEVICE_H
