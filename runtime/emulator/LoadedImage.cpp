// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LoadedImage.cpp ----------------------------------------------------===//

#include "emulator/LoadedImage.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace moert::emulator {

/// The bytes of an ELF file, which cuModuleLoadData is not told, from its
/// headers: everything lies before the last section's or segment's end, or
/// before that of the table of sections. 0 if it is no 64-bit shared object.
static size_t sizeOfObject(const void *bytes) {
  Elf64_Ehdr header;
  // Another file may be shorter than the header.
  if (std::memcmp(bytes, ELFMAG, SELFMAG) != 0) {
    return 0;
  }
  std::memcpy(&header, bytes, sizeof(header));
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN) {
    return 0;
  }
  const char *begin = static_cast<const char *>(bytes);
  size_t end = header.e_shoff + size_t(header.e_shnum) * header.e_shentsize;
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, begin + header.e_phoff + i * header.e_phentsize,
                sizeof(segment));
    end = std::max<size_t>(end, segment.p_offset + segment.p_filesz);
  }
  return end;
}

/// Writes the bytes to a file in memory. Returns -1 where that fails.
static int makeFile(const char *bytes, size_t size) {
  int file = memfd_create("moert-kernel-image", MFD_CLOEXEC);
  while (file >= 0 && size > 0) {
    ssize_t written = write(file, bytes, size);
    if (written <= 0) {
      close(file);
      return -1;
    }
    bytes += written;
    size -= size_t(written);
  }
  return file;
}

std::string LoadedImage::check(const moert_kernel_image &image) {
  if (image.abi != MOERT_KERNEL_ABI) {
    return "a kernel image of version " + std::to_string(image.abi) +
           ", but expected version " + std::to_string(MOERT_KERNEL_ABI);
  }
  for (uint32_t i = 0; i < image.kernel_count; ++i) {
    const moert_kernel_entry &kernel = image.kernels[i];
    if (!kernel.name || !kernel.body || kernel.threads > 1024) {
      return "a kernel image with a kernel that has no name or body, or blocks "
             "of more than 1024 threads";
    }
  }
  return {};
}

std::shared_ptr<const LoadedImage>
LoadedImage::adopt(const moert_kernel_image &image, std::string &error) {
  error = check(image);
  if (!error.empty()) {
    return nullptr;
  }
  std::shared_ptr<LoadedImage> loaded(new LoadedImage());
  loaded->image = image;
  return loaded;
}

std::shared_ptr<const LoadedImage> LoadedImage::load(const void *bytes,
                                                     std::string &error) {
  size_t size = sizeOfObject(bytes);
  if (size == 0) {
    error = "no ELF shared object for a 64-bit machine";
    return nullptr;
  }
  std::shared_ptr<LoadedImage> loaded(new LoadedImage());
  loaded->file = makeFile(static_cast<const char *>(bytes), size);
  std::string name = "/proc/self/fd/" + std::to_string(loaded->file);
  loaded->handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!loaded->handle) {
    const char *reason = dlerror();
    error = reason ? reason : "cannot be loaded";
    return nullptr;
  }
  const void *image = dlsym(loaded->handle, MOERT_KERNEL_IMAGE_SYMBOL);
  if (!image) {
    error = "a shared object without " MOERT_KERNEL_IMAGE_SYMBOL;
    return nullptr;
  }
  loaded->image = *static_cast<const moert_kernel_image *>(image);
  error = check(loaded->image);
  return error.empty() ? loaded : nullptr;
}

LoadedImage::~LoadedImage() {
  if (handle) {
    dlclose(handle);
  }
  if (file >= 0) {
    close(file);
  }
}

const moert_kernel_entry *LoadedImage::find(const std::string &kernel) const {
  for (uint32_t i = 0; i < image.kernel_count; ++i) {
    if (kernel == image.kernels[i].name) {
      return &image.kernels[i];
    }
  }
  return nullptr;
}

std::string LoadedImage::site(uint32_t index) const {
  return index < image.site_count ? image.sites[index] : std::string();
}

} // namespace moert::emulator
