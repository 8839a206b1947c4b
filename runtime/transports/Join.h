// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Join.h - How a rank comes to its transport ---------------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_JOIN_H
#define MOERT_TRANSPORTS_JOIN_H

#include "core/Transport.h"

namespace moert {

struct DeviceLibraries;

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
/// Through the given libraries; null: the machine's own.
moert_status joinNccl(const Joining &joining, const DeviceLibraries *given,
                      std::unique_ptr<Transport> &transport,
                      std::string &error);

/// moert_context_create; `libraries` are for the nccl transport, null is the
/// machine's own.
moert_status createContext(const moert_options *options,
                           const moert_bootstrap *bootstrap,
                           const DeviceLibraries *libraries,
                           moert_context **context, std::string &error);

} // namespace moert

#endif // MOERT_TRANSPORTS_JOIN_H
