//===- FitAllToAll.cpp - Ramps of the cost model from measured rows -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   fit-all-to-all TABLE.csv           fits, checks on rows held out
//   fit-all-to-all TABLE.csv --emit    prints ramps for lib/Planning
//
// Every third size is held out of the fit and predicted. Exits with 2 when the
// median error on those rows is above 10 % or the 90th percentile above 25 %.
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/MessageRamp.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <map>

using namespace moe::planning;

namespace {
constexpr double medianGoal = 0.10;
constexpr double percentile90Goal = 0.25;

/// What is fitted together: a product and a number of devices.
struct FitKey {
  std::string platform;
  int64_t devices;
  bool operator<(const FitKey &other) const {
    return std::tie(platform, devices) <
           std::tie(other.platform, other.devices);
  }
};
using Groups = std::map<FitKey, std::vector<AllToAllSample>>;
} // namespace

static bool isHeldOut(const AllToAllSample &sample) {
  return std::lround(std::log2(sample.sendBuffer.value())) % 3 == 0;
}

static llvm::Expected<bool> checkHeldOut(const Groups &groups) {
  std::vector<double> all;
  llvm::outs() << "platform  GPUs  fitted  held out  median   90th\n";
  for (const auto &[key, samples] : groups) {
    std::vector<AllToAllSample> fitted, heldOut;
    for (const AllToAllSample &sample : samples) {
      (isHeldOut(sample) ? heldOut : fitted).push_back(sample);
    }
    llvm::Expected<MessageRamp> ramp = fitRamp(fitted);
    if (!ramp) {
      return ramp.takeError();
    }
    std::vector<double> errors = relativeErrors(*ramp, heldOut);
    llvm::append_range(all, errors);
    FitError error = summarizeErrors(std::move(errors));
    llvm::outs() << llvm::format("%-9s %4d  %6d  %8d  %5.1f%%  %4.1f%%\n",
                                 key.platform.c_str(), int(key.devices),
                                 int(fitted.size()), int(error.rows),
                                 100 * error.median, 100 * error.percentile90);
  }
  FitError error = summarizeErrors(std::move(all));
  bool isGood =
      error.median <= medianGoal && error.percentile90 <= percentile90Goal;
  llvm::outs() << llvm::format(
      "rows held out: %d, median error %.1f%% (goal %.0f%%), 90th percentile "
      "%.1f%% (goal %.0f%%): %s\n",
      int(error.rows), 100 * error.median, 100 * medianGoal,
      100 * error.percentile90, 100 * percentile90Goal,
      isGood ? "good" : "missed");
  return isGood;
}

static llvm::Error emitRamps(const Groups &groups) {
  for (const auto &[key, samples] : groups) {
    llvm::Expected<MessageRamp> ramp = fitRamp(samples);
    if (!ramp) {
      return ramp.takeError();
    }
    llvm::outs() << llvm::format("%s %d: ramp(%.2f, %.6f, %.1f)\n",
                                 key.platform.c_str(), int(key.devices),
                                 ramp->latency.value(), ramp->ramp,
                                 ramp->bandwidth.value());
  }
  return llvm::Error::success();
}

static int fail(llvm::StringRef file, const llvm::Twine &message) {
  llvm::errs() << file << ": error: " << message << '\n';
  return 1;
}

int main(int argc, char **argv) {
  bool emits = argc == 3 && llvm::StringRef(argv[2]) == "--emit";
  if (argc != 2 && !emits) {
    llvm::errs() << "usage: fit-all-to-all TABLE.csv [--emit]\n";
    return 1;
  }
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFile(argv[1]);
  if (!file) {
    return fail(argv[1], file.getError().message());
  }
  llvm::Expected<std::vector<AllToAllSample>> samples =
      readAllToAllTable((*file)->getBuffer());
  if (!samples) {
    return fail(argv[1], llvm::toString(samples.takeError()));
  }
  Groups groups;
  for (AllToAllSample &sample : *samples) {
    groups[{sample.platform, sample.devices}].push_back(sample);
  }
  if (emits) {
    llvm::Error error = emitRamps(groups);
    return error ? fail(argv[1], llvm::toString(std::move(error))) : 0;
  }
  llvm::Expected<bool> isGood = checkHeldOut(groups);
  if (!isGood) {
    return fail(argv[1], llvm::toString(isGood.takeError()));
  }
  return *isGood ? 0 : 2;
}
