// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LoadedImage.h - A kernel image in this process -----------*- C++ -*-===//

#ifndef MOERT_EMULATOR_LOADEDIMAGE_H
#define MOERT_EMULATOR_LOADEDIMAGE_H

#include "emulator/KernelImage.h"

#include <memory>
#include <string>

namespace moert::emulator {

/// An image that kernels are run from; loaded as long as the object lives.
class LoadedImage {
public:
  /// Maps the bytes of an ELF shared object, which may go afterwards. Returns
  /// null with the reason in `error` if they are no image of this version.
  static std::shared_ptr<const LoadedImage> load(const void *bytes,
                                                 std::string &error);
  /// An image that is part of this process.
  static std::shared_ptr<const LoadedImage>
  adopt(const moert_kernel_image &image, std::string &error);
  ~LoadedImage();
  LoadedImage(const LoadedImage &) = delete;

  /// Null if there is no kernel of that name.
  const moert_kernel_entry *find(const std::string &kernel) const;
  /// What an instruction's site stands for; empty if it stands for nothing.
  std::string site(uint32_t index) const;

private:
  LoadedImage() = default;
  /// Says why `image` cannot be used; empty if it can.
  static std::string check(const moert_kernel_image &image);

  moert_kernel_image image = {};
  /// Of an object that was mapped: the dynamic linker's handle, and the file in
  /// memory, which stays open since its number is part of the name that the
  /// linker knows the object by.
  void *handle = nullptr;
  int file = -1;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_LOADEDIMAGE_H
