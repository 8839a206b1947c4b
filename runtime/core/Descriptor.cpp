// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Descriptor.cpp -----------------------------------------------------===//

#include "core/Descriptor.h"

namespace moert {

/// A longer descriptor is no descriptor at all: its size was never set.
static constexpr size_t largestDescriptor = 4096;

/// The first byte from `known` on that is set; `size` if there is none.
static size_t firstSetBeyond(const void *descriptor, size_t known,
                             size_t size) {
  const char *bytes = static_cast<const char *>(descriptor);
  size_t place = known;
  while (place < size && bytes[place] == 0) {
    ++place;
  }
  return place;
}

bool isZeroBeyond(const void *descriptor, size_t known, size_t size) {
  return size <= largestDescriptor &&
         firstSetBeyond(descriptor, known, size) == size;
}

std::string explainSize(const char *name, const void *descriptor, size_t known,
                        size_t size) {
  std::string text = std::string(name) + ": ";
  if (size < known || size > largestDescriptor) {
    return text + "expected struct_size " + std::to_string(known) +
           ", but got " + std::to_string(size);
  }
  return text + "byte " +
         std::to_string(firstSetBeyond(descriptor, known, size)) +
         " is set, but this library knows only " + std::to_string(known);
}

} // namespace moert
