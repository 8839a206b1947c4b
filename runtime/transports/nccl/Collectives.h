// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Collectives.h - A collective as calls of NCCL ------------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_NCCL_COLLECTIVES_H
#define MOERT_TRANSPORTS_NCCL_COLLECTIVES_H

#include "core/Operation.h"
#include "transports/nccl/DeviceRank.h"

namespace moert {

/// The first call that failed.
struct NcclError {
  nccl::Result result = nccl::Success;
  /// For example "ncclSend"; null while all is well.
  const char *call = nullptr;
};

/// Puts a collective on the device's communication stream. Blocks of equal size
/// go by ncclAlltoAll where the library has it, others by one group of sends
/// and receives; a rank's block to itself is copied on the device.
NcclError enqueue(const DeviceRank &device, nccl::Comm comm,
                  const Operation &operation);

} // namespace moert

#endif // MOERT_TRANSPORTS_NCCL_COLLECTIVES_H
