// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DataMovement.h - From source to destination --------------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_THREADS_DATAMOVEMENT_H
#define MOERT_TRANSPORTS_THREADS_DATAMOVEMENT_H

#include "transports/threads/Exchange.h"

namespace moert {

/// Whether two ranks' parts fit together, as far as compareParts looks.
bool sameShape(const Operation &ours, const Operation &theirs);

/// Why two ranks' parts do not fit together; empty if they do. Compares what
/// does not depend on offsets, which may only be read while data moves.
/// `ranks` are the group's ranks in the job.
std::string compareParts(const Operation &ours, const Operation &theirs,
                         const std::vector<int32_t> &ranks);

/// Moves everything that rank `receiver` of the group receives, straight from
/// the senders' sources into its destination; for an all_reduce, reduces its
/// shard into all destinations. Returns an error where a sender's count is not
/// what the receiver expects, and then leaves that block alone.
std::string moveToReceiver(const std::vector<Part> &parts, int32_t receiver,
                           const std::vector<int32_t> &ranks);

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_DATAMOVEMENT_H
