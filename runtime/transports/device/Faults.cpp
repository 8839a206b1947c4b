// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Faults.cpp - What kernels report -----------------------------------===//

#include "core/Operation.h"
#include "transports/device/DeviceWork.h"

#include <algorithm>

namespace moert {

/// A program of more layers than this has its last ones share their words.
static constexpr size_t mostLayers = 1024;

uint64_t *DeviceWork::faultWords(int32_t layer, moert_stream stream) {
  FaultArea &area = faults[cuda::Stream(stream)];
  if (!area.words) {
    constexpr size_t bytes = mostLayers * MOERT_FAULT_WORDS * sizeof(uint64_t);
    void *words = allocate(int64_t(bytes), stream);
    if (!words) {
      fail(MOERT_OUT_OF_MEMORY, "no memory for fault words");
      return nullptr;
    }
    CurrentContext current = device.makeCurrent();
    area.words = devicePointer(words);
    check("fault words",
          driver.fillBytes(area.words, 0, bytes, cuda::Stream(stream)));
  }
  auto place = std::find(area.layers.begin(), area.layers.end(), layer);
  if (place == area.layers.end() && area.layers.size() == mostLayers) {
    --place;
  } else if (place == area.layers.end()) {
    place = area.layers.insert(place, layer);
  }
  size_t word = size_t(place - area.layers.begin()) * MOERT_FAULT_WORDS;
  return static_cast<uint64_t *>(asPointer(area.words)) + word;
}

bool DeviceWork::fetchFaults(moert_stream stream) {
  auto found = faults.find(cuda::Stream(stream));
  if (found == faults.end() || found->second.layers.empty()) {
    return false;
  }
  FaultArea &area = found->second;
  area.onHost.assign(area.layers.size() * MOERT_FAULT_WORDS, 0);
  download(area.onHost.data(), asPointer(area.words),
           int64_t(area.onHost.size() * sizeof(uint64_t)), stream);
  return true;
}

void DeviceWork::checkFaults(moert_stream stream) {
  const FaultArea &area = faults.at(cuda::Stream(stream));
  for (size_t place = 0; place < area.layers.size(); ++place) {
    const uint64_t *words = &area.onHost[place * MOERT_FAULT_WORDS];
    if (words[0] != 0) {
      fail(MOERT_BOUND_EXCEEDED,
           explainBound(int32_t(words[0] - 1), area.layers[place],
                        int64_t(words[2]), int64_t(words[1])));
      return;
    }
  }
}

} // namespace moert
