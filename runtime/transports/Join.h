// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Join.h - How a rank comes to its transport ---------------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_JOIN_H
#define MOERT_TRANSPORTS_JOIN_H

#include "core/Transport.h"

namespace moert {

/// What a rank brings along.
struct Joining {
  /// May be null; checked, if `status` is MOERT_OK.
  const moert_options *options;
  /// Complete; of one rank where the host has none.
  const moert_bootstrap &table;
  /// What is wrong with this rank's own arguments. Such a rank still meets the
  /// others, so that they do not wait for it.
  moert_status status;
};

/// Collective calls of all ranks. On failure return a status; `error`, if it is
/// not set yet, says why.
moert_status joinThreads(const Joining &joining,
                         std::unique_ptr<Transport> &transport,
                         std::string &error);
moert_status joinNccl(const Joining &joining,
                      std::unique_ptr<Transport> &transport,
                      std::string &error);

/// How long a job may stand still, in nanoseconds; negative: for ever.
int64_t deadlineOf(const moert_options *options);

/// Whether the ranks of such a job are devices.
bool runsOnDevices(const moert_options *options);

} // namespace moert

#endif // MOERT_TRANSPORTS_JOIN_H
