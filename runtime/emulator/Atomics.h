// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Atomics.h - atom -----------------------------------------*- C++ -*-===//

#ifndef MOERT_EMULATOR_ATOMICS_H
#define MOERT_EMULATOR_ATOMICS_H

#include <cstdint>

namespace moert::emulator {

/// What atom leaves where `old` was; both in the bits of `type`. `compare` is
/// that of COMPARE_AND_SWAP.
uint64_t updated(uint32_t op, uint32_t type, uint64_t old, uint64_t value,
                 uint64_t compare);

} // namespace moert::emulator

#endif // MOERT_EMULATOR_ATOMICS_H
