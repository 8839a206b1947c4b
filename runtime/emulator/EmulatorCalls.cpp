// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EmulatorCalls.cpp - The C ABI of the emulated devices --------------===//

#include "core/Descriptor.h"
#include "core/Failure.h"
#include "emulator/Machine.h"
#include "moert/emulator.h"

using namespace moert;

struct moert_emulator {
  explicit moert_emulator(const emulator::MachineOptions &options)
      : machine(options), devices{emulator::Machine::libraries()} {}

  emulator::Machine machine;
  const moert_devices devices;
  /// As of the last count.
  std::vector<emulator::Finding> findings;
};

static moert_status create(const moert_emulator_options *options,
                           moert_emulator **emulator, std::string &error) {
  error = options ? checkSize("moert_emulator_options", options)
                  : "expected options";
  if (!error.empty()) {
    return options ? MOERT_VERSION_MISMATCH : MOERT_INVALID_ARGUMENT;
  }
  if (options->devices < 1 || options->memory_bytes < 0 || !emulator) {
    error = "emulated devices: expected at least one, but got " +
            std::to_string(options->devices);
    return MOERT_INVALID_ARGUMENT;
  }
  if (options->multiprocessors < 0) {
    error = "emulated devices: expected a number of multiprocessors, but got " +
            std::to_string(options->multiprocessors);
    return MOERT_INVALID_ARGUMENT;
  }
  if (emulator::Machine::current()) {
    error = "emulated devices: this process has some already";
    return MOERT_INVALID_ARGUMENT;
  }
  emulator::MachineOptions machine;
  machine.devices = options->devices;
  machine.seed = options->seed;
  if (options->memory_bytes > 0) {
    machine.memoryBytes = size_t(options->memory_bytes);
  }
  if (options->multiprocessors > 0) {
    machine.multiprocessors = options->multiprocessors;
  }
  machine.checksKernels = options->unchecked_kernels == 0;
  *emulator = new moert_emulator(machine);
  return MOERT_OK;
}

moert_status moert_emulator_create(const moert_emulator_options *options,
                                   moert_emulator **emulator,
                                   moert_message *message) {
  try {
    std::string error;
    moert_status status = create(options, emulator, error);
    return report(message, status, error);
  } catch (...) {
    return report(message, MOERT_OUT_OF_MEMORY, "out of memory");
  }
}

void moert_emulator_destroy(moert_emulator *emulator) { delete emulator; }

const moert_devices *moert_emulator_devices(const moert_emulator *emulator) {
  return &emulator->devices;
}

int64_t moert_emulator_finding_count(moert_emulator *emulator) {
  try {
    emulator->findings = emulator->machine.findings();
  } catch (...) {
    return int64_t(emulator->findings.size()); // As many as were known.
  }
  return int64_t(emulator->findings.size());
}

const char *moert_emulator_finding(const moert_emulator *emulator,
                                   int64_t index) {
  return index >= 0 && index < int64_t(emulator->findings.size())
             ? emulator->findings[size_t(index)].text.c_str()
             : nullptr;
}
