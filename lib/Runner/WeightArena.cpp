// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "WeightArena.h"

#include "moe/Report/Report.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

#include <sys/mman.h>

using namespace moe::runner;
using llvm::formatv;
using moe::report::formatBytes;
namespace fs = llvm::sys::fs;

std::optional<int64_t> moe::runner::availableMemory() {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> text =
      llvm::MemoryBuffer::getFileAsStream("/proc/meminfo");
  if (!text) {
    return std::nullopt;
  }
  llvm::StringRef rest = (*text)->getBuffer().split("MemAvailable:").second;
  int64_t kibibytes = 0;
  if (rest.ltrim().consumeInteger(10, kibibytes)) {
    return std::nullopt;
  }
  return kibibytes * 1024;
}

/// The error number of the last call of the system.
static std::error_code lastError() {
  return std::error_code(errno, std::generic_category());
}

/// Maps memory that no file stands behind.
static llvm::ErrorOr<void *> mapMemory(int64_t bytes) {
  void *base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) {
    return lastError();
  }
#ifdef MADV_HUGEPAGE
  // Only advice: weights are read from one end to the other.
  madvise(base, bytes, MADV_HUGEPAGE);
#endif
  return base;
}

/// Where large files that nobody keeps may lie: not in /tmp, which is memory on
/// some systems.
static llvm::SmallString<128> scratchFolder() {
  if (std::optional<std::string> folder =
          llvm::sys::Process::GetEnv("TMPDIR")) {
    return llvm::StringRef(*folder);
  }
  llvm::SmallString<128> folder;
  llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/false, folder);
  return folder;
}

/// Maps a new file of `folder` that has no name any more. Its blocks are there
/// before the first of them is written, so that a full disk is an error now.
static llvm::ErrorOr<void *> mapFile(llvm::StringRef folder, int64_t bytes) {
  llvm::SmallString<128> path = folder;
  llvm::sys::path::append(path, "moe-weights-%%%%%%%%");
  int file = -1;
  if (std::error_code error = fs::createUniqueFile(path, file, path)) {
    return error;
  }
  (void)fs::remove(path);
  std::error_code error = fs::resize_file(file, bytes);
  void *base = MAP_FAILED;
  if (!error) {
    base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    error = base == MAP_FAILED ? lastError() : std::error_code();
  }
  (void)llvm::sys::Process::SafelyCloseFileDescriptor(file);
  if (error) {
    return error;
  }
  return base;
}

llvm::Expected<std::unique_ptr<WeightArena>>
WeightArena::create(int64_t bytes, int64_t memoryLimit) {
  bool onDisk = bytes > memoryLimit;
  if (!onDisk) {
    llvm::ErrorOr<void *> base = mapMemory(bytes);
    if (!base) {
      return llvm::createStringError(
          formatv("expected {0} of memory for weights, but got: {1}",
                  formatBytes(bytes), base.getError().message()));
    }
    return std::unique_ptr<WeightArena>(new WeightArena(*base, bytes, onDisk));
  }
  llvm::SmallString<128> folder = scratchFolder();
  llvm::ErrorOr<void *> base = mapFile(folder, bytes);
  if (!base) {
    return llvm::createStringError(
        formatv("expected room for {0} of weights, but memory has {1} for "
                "them, and a file in {2} got: {3}",
                formatBytes(bytes), formatBytes(memoryLimit), folder,
                base.getError().message()));
  }
  return std::unique_ptr<WeightArena>(new WeightArena(*base, bytes, onDisk));
}

WeightArena::~WeightArena() { munmap(base, size); }

char *WeightArena::take(int64_t bytes) {
  assert(bytes <= size - taken && "more than the arena has");
  char *result = base + taken;
  taken += bytes;
  return result;
}
