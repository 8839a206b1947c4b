// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Approximations.h - ex2.approx and the like ---------------*- C++ -*-===//

#ifndef MOERT_EMULATOR_APPROXIMATIONS_H
#define MOERT_EMULATOR_APPROXIMATIONS_H

#include <cstdint>

namespace moert::emulator {

/// One of MOERT_KERNEL_EX2 …: computed in double by additions, products,
/// quotients and square roots alone, then rounded once, so that the bits are
/// the same everywhere. Nearer to the exact value than the PTX ISA demands.
float approximate(uint32_t function, float value);

} // namespace moert::emulator

#endif // MOERT_EMULATOR_APPROXIMATIONS_H
