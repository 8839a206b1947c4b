// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/RunLimits.h"

#include "moe/Report/Table.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <algorithm>
#include <sys/resource.h>
#include <unistd.h>

using namespace moe::runner;
using llvm::formatv;

/// Bytes that each pair of ranks takes at least: the tier between them, in the
/// caller's table and in the runtime's, and what one announces to the other,
/// where it is sent and where it arrives.
static constexpr int64_t bytesOfRankPair = 4 * sizeof(int32_t);

/// Threads of the process that are not ranks.
static constexpr int64_t otherThreads = 16;

/// The number in a file of the kernel's; no limit where there is none.
static int64_t readLimit(const llvm::Twine &path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  int64_t value = 0;
  if (!file || (*file)->getBuffer().trim().getAsInteger(10, value)) {
    return RunLimits::none;
  }
  return value;
}

/// The least of a control group's limit and its parents'. `version2` and
/// `version1` are the names that the two kinds of groups give it.
static int64_t readGroupLimit(llvm::StringRef controller,
                              llvm::StringRef version2,
                              llvm::StringRef version1) {
  const std::string root = "/sys/fs/cgroup";
  int64_t least = readLimit(root + "/" + controller + "/" + version1);
  auto file = llvm::MemoryBuffer::getFile("/proc/self/cgroup", /*IsText=*/true);
  if (!file) {
    return least;
  }
  llvm::SmallVector<llvm::StringRef> lines;
  (*file)->getBuffer().split(lines, '\n');
  for (llvm::StringRef line : lines) {
    // number:controllers:path, of version 2 without controllers
    auto [names, path] = line.split(':').second.split(':');
    bool isVersion2 = names.empty();
    if (!isVersion2 && names != controller) {
      continue;
    }
    std::string base = isVersion2 ? root : root + "/" + controller.str();
    for (; path.size() > 1; path = llvm::sys::path::parent_path(path)) {
      least = std::min(least, readLimit(base + path + "/" +
                                        (isVersion2 ? version2 : version1)));
    }
  }
  return std::min(least, readLimit(root + "/" + version2));
}

static int64_t readResourceLimit(int resource) {
  rlimit limit = {};
  return getrlimit(resource, &limit) || limit.rlim_cur == RLIM_INFINITY
             ? RunLimits::none
             : static_cast<int64_t>(limit.rlim_cur);
}

RunLimits RunLimits::query() {
  RunLimits limits;
  limits.memory = std::min(
      {static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE),
       readGroupLimit("memory", "memory.max", "memory.limit_in_bytes"),
       readResourceLimit(RLIMIT_AS), readResourceLimit(RLIMIT_DATA)});
  limits.threads = std::min({readLimit("/proc/sys/kernel/threads-max"),
                             readLimit("/proc/sys/kernel/pid_max"),
                             readGroupLimit("pids", "pids.max", "pids.max"),
                             readResourceLimit(RLIMIT_NPROC)});
  return limits;
}

static std::string bytesText(int64_t bytes) {
  return moe::report::formatBytes(static_cast<double>(bytes));
}

llvm::Error RunLimits::checkRanks(int64_t ranks) const {
  if (ranks > std::numeric_limits<int32_t>::max() ||
      ranks > threads - otherThreads) {
    return llvm::createStringError(formatv(
        "expected ranks that can be threads of one process, of which this "
        "system allows {0}, but got {1} ranks",
        threads, ranks));
  }
  // At most 2^31 ranks: below 2^66 bytes, as a double.
  double bytes = static_cast<double>(ranks) * ranks * bytesOfRankPair;
  if (bytes > memory) {
    return llvm::createStringError(
        formatv("expected ranks whose pairs fit into memory, but {0} ranks "
                "need {1} of {2}",
                ranks, moe::report::formatBytes(bytes), bytesText(memory)));
  }
  return llvm::Error::success();
}

llvm::Error RunLimits::checkRows(llvm::StringRef what, int64_t count,
                                 int64_t bytes) const {
  if (bytes <= 0 || count <= memory / bytes) {
    return llvm::Error::success();
  }
  return llvm::createStringError(formatv(
      "{0}, but {1} rows of {2} need {3} of {4}", what, count, bytesText(bytes),
      moe::report::formatBytes(static_cast<double>(count) * bytes),
      bytesText(memory)));
}
