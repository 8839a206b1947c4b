// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Descriptor.h - Structs that begin with their size --------*- C++ -*-===//

#ifndef MOERT_CORE_DESCRIPTOR_H
#define MOERT_CORE_DESCRIPTOR_H

#include "moert/compiled.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

namespace moert {

/// The size of a descriptor's first version: a shorter one is none.
template <typename Descriptor>
inline constexpr size_t firstVersionBytes = sizeof(Descriptor);
template <>
inline constexpr size_t firstVersionBytes<moert_frame> =
    offsetof(moert_frame, kernels);
template <>
inline constexpr size_t firstVersionBytes<moert_options> =
    offsetof(moert_options, devices);

/// Whether a descriptor is long enough to have the member.
#define MOERT_HAS_FIELD(descriptor, member)                                    \
  ((descriptor).struct_size >=                                                 \
   offsetof(std::decay_t<decltype(descriptor)>, member) +                      \
       sizeof(decltype((descriptor).member)))

/// Whether nothing is set in a newer host's descriptor beyond the `known` bytes
/// that this library was built with.
bool isZeroBeyond(const void *descriptor, size_t known, size_t size);
/// Why a descriptor cannot be read; see isReadable.
std::string explainSize(const char *name, const void *descriptor, size_t known,
                        size_t size);

/// Whether this library can read a descriptor: it is not shorter than its first
/// version, and what a newer host has appended is zero, so that nothing which
/// was asked for is ignored.
template <typename Descriptor> bool isReadable(const Descriptor &descriptor) {
  return (descriptor.struct_size >= firstVersionBytes<Descriptor> &&
          descriptor.struct_size <= sizeof(Descriptor)) ||
         (descriptor.struct_size > sizeof(Descriptor) &&
          isZeroBeyond(&descriptor, sizeof(Descriptor),
                       descriptor.struct_size));
}

/// Checks a descriptor of type `name`; null is fine. Returns what is wrong.
template <typename Descriptor>
std::string checkSize(const char *name, const Descriptor *descriptor) {
  return !descriptor || isReadable(*descriptor)
             ? std::string()
             : explainSize(name, descriptor, sizeof(Descriptor),
                           descriptor->struct_size);
}

/// Element `index` of an array that the host has laid out with its own size.
template <typename Descriptor>
const Descriptor &elementOf(const Descriptor *array, int32_t index) {
  const char *bytes = reinterpret_cast<const char *>(array);
  return *reinterpret_cast<const Descriptor *>(bytes + size_t(index) *
                                                           array->struct_size);
}

} // namespace moert

#endif // MOERT_CORE_DESCRIPTOR_H
