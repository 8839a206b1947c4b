// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- emulator.h - Emulated devices for a host that has none -----*- C -*-===//
//
// N devices in this process, for moert_options.devices. They run what the
// transports and their kernels ask of the CUDA driver and of NCCL, in an order
// that a seed chooses, and find what is wrong with it (docs/Rationale/gpu.md).
// In the library moert-emulator.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_EMULATOR_H
#define MOERT_EMULATOR_H

#include "moert/moert.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moert_emulator moert_emulator;

typedef struct moert_emulator_options {
  uint32_t struct_size;
  /// Number of devices, at least 1.
  int32_t devices;
  /// Of the order in which work runs that may run in any order, and of what
  /// fresh memory holds.
  uint64_t seed;
  /// Of each device; 0: 1 GiB.
  int64_t memory_bytes;
  /// Of each device, which has two blocks of a kernel on each at a time; 0: 4.
  int32_t multiprocessors;
  /// Not 0: the accesses of kernels are not checked for races and for bytes
  /// that nothing was written to. Results are the same, in half the time.
  int32_t unchecked_kernels;
} moert_emulator_options;

/// Sets the devices up. There is one set of them at a time in a process, as
/// there is one driver: a second one is MOERT_INVALID_ARGUMENT. On failure
/// `message`, if not null, says why.
moert_status moert_emulator_create(const moert_emulator_options *options,
                                   moert_emulator **emulator,
                                   moert_message *message);
/// No context is left on the devices. Null is allowed.
void moert_emulator_destroy(moert_emulator *emulator);
/// Lives as long as the emulator.
const moert_devices *moert_emulator_devices(const moert_emulator *emulator);
/// How many errors of the program were found so far; each is one line, that
/// lives until the next call of this function.
int64_t moert_emulator_finding_count(moert_emulator *emulator);
const char *moert_emulator_finding(const moert_emulator *emulator,
                                   int64_t index);

#ifdef __cplusplus
}
#endif

#endif // MOERT_EMULATOR_H
