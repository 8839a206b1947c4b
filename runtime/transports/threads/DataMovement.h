// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DataMovement.h - From source to destination --------------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_THREADS_DATAMOVEMENT_H
#define MOERT_TRANSPORTS_THREADS_DATAMOVEMENT_H

#include "transports/threads/EagerMail.h"
#include "transports/threads/Exchange.h"

namespace moert {

/// Moves everything that rank `receiver` of the group receives, straight from
/// the senders' sources into its destination; for an all_reduce, reduces its
/// shard into all destinations. Returns an error where a sender's count is not
/// what the receiver expects, and then leaves that block alone.
std::string moveToReceiver(const std::vector<Part> &parts, int32_t receiver,
                           const std::vector<int32_t> &ranks);

/// The same for a receiver whose peers' blocks have all come as messages, and
/// whose part is `to`. Also returns an error where the signatures differ.
std::string takeMail(const EagerMail &mail, const Operation &to, int64_t stamp,
                     const std::vector<int32_t> &ranks);

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_DATAMOVEMENT_H
