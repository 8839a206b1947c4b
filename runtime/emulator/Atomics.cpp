// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Atomics.cpp --------------------------------------------------------===//

#include "emulator/Atomics.h"
#include "emulator/KernelImage.h"

#include <algorithm>
#include <cstring>

namespace moert::emulator {

template <typename Integer>
static Integer updatedInteger(uint32_t op, Integer old, Integer value,
                              Integer compare) {
  switch (op) {
  case MOERT_KERNEL_ADD:
    return Integer(uint64_t(old) + uint64_t(value));
  case MOERT_KERNEL_MIN:
    return std::min(old, value);
  case MOERT_KERNEL_MAX:
    return std::max(old, value);
  case MOERT_KERNEL_AND:
    return old & value;
  case MOERT_KERNEL_OR:
    return old | value;
  case MOERT_KERNEL_XOR:
    return old ^ value;
  case MOERT_KERNEL_COMPARE_AND_SWAP:
    return old == compare ? value : old;
  case MOERT_KERNEL_INCREMENT:
    return old >= value ? 0 : Integer(old + 1);
  case MOERT_KERNEL_DECREMENT:
    return old == 0 || old > value ? value : Integer(old - 1);
  default:
    return value;
  }
}

static uint32_t updatedFloat(uint32_t op, uint32_t old, uint32_t value,
                             uint32_t compare) {
  if (op != MOERT_KERNEL_ADD) {
    return updatedInteger<uint32_t>(op, old, value, compare);
  }
  float a = 0, b = 0;
  std::memcpy(&a, &old, sizeof(a));
  std::memcpy(&b, &value, sizeof(b));
  a += b;
  uint32_t bits = 0;
  std::memcpy(&bits, &a, sizeof(bits));
  return bits;
}

uint64_t updated(uint32_t op, uint32_t type, uint64_t old, uint64_t value,
                 uint64_t compare) {
  switch (type) {
  case MOERT_KERNEL_S32:
    return uint32_t(updatedInteger<int32_t>(op, int32_t(old), int32_t(value),
                                            int32_t(compare)));
  case MOERT_KERNEL_U64:
    return updatedInteger<uint64_t>(op, old, value, compare);
  case MOERT_KERNEL_S64:
    return uint64_t(updatedInteger<int64_t>(op, int64_t(old), int64_t(value),
                                            int64_t(compare)));
  case MOERT_KERNEL_F32:
    return updatedFloat(op, uint32_t(old), uint32_t(value), uint32_t(compare));
  default:
    return updatedInteger<uint32_t>(op, uint32_t(old), uint32_t(value),
                                    uint32_t(compare));
  }
}

} // namespace moert::emulator
