//===- MessageRamp.h - Time of an exchange by its bytes ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Links reach their bandwidth only with large messages. Between a latency and
// a bandwidth lies a ramp; measured all-to-alls follow
//
//   time(x) = latency + ramp · √x + x / bandwidth
//
// for x bytes that leave each device. All three are at least 0, so time never
// falls as bytes grow. `fitRamp` finds them from measured rows.
//
// Example: 8 H100, 32 MiB a rank, of which 7/8 leave the device. With latency
// 8 us, ramp 0.005 us/√B and 346 GB/s: 8 + 0.005 · 5418 + 29.4 MB / 346 GB/s =
// 8 + 27 + 85 = 120 us (measured: 125 us).
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_MESSAGERAMP_H
#define MOE_PLANNING_MESSAGERAMP_H

#include "moe/Planning/Quantity.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace moe::planning {

struct MessageRamp {
  Microseconds latency;
  /// Microseconds for each root of a byte.
  double ramp = 0;
  GigabytesPerSecond bandwidth;

  /// The time of an exchange in which the given bytes leave a device.
  Microseconds timeOf(Bytes leaving) const;
};

/// One measured row of a table of all-to-alls.
struct AllToAllSample {
  /// As the table calls it: `h100_sxm`.
  std::string platform;
  /// Version of the library that was measured.
  std::string library;
  int64_t devices = 2;
  /// What each rank sends, its own part included.
  Bytes sendBuffer;
  Microseconds time;

  /// What leaves each device.
  Bytes leaving() const { return sendBuffer * (double(devices - 1) / devices); }
};

/// Reads comma-separated values under a header that names at least `platform`,
/// `nccl`, `gpus`, `bytes_per_rank_sendbuf` and `mean_us`. Errors name the
/// line.
llvm::Expected<std::vector<AllToAllSample>>
readAllToAllTable(llvm::StringRef text);

/// The ramp with the least sum of relative errors, by reweighted least squares
/// in which no term may fall below 0. Fails on fewer than three rows.
llvm::Expected<MessageRamp> fitRamp(llvm::ArrayRef<AllToAllSample> samples);

/// How far predictions are from measured rows, as parts of the measured time.
struct FitError {
  int64_t rows = 0;
  double median = 0;
  double percentile90 = 0;
};

FitError summarizeErrors(std::vector<double> relativeErrors);

/// |predicted − measured| / measured, a row each.
std::vector<double> relativeErrors(const MessageRamp &ramp,
                                   llvm::ArrayRef<AllToAllSample> samples);

} // namespace moe::planning

#endif // MOE_PLANNING_MESSAGERAMP_H
