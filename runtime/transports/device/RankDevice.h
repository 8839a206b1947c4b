// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RankDevice.h - The device behind a context ---------------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_DEVICE_RANKDEVICE_H
#define MOERT_TRANSPORTS_DEVICE_RANKDEVICE_H

#include "core/Context.h"
#include "transports/device/DeviceWork.h"

namespace moert {

/// The rank's device. Where it has none, null: the job ends, and the text says
/// that the transport has no `what`, for example "kernels".
inline DeviceWork *deviceOf(moert_context &context, const char *what) {
  DeviceWork *work = context.transport->device();
  if (!work) {
    context.fail(MOERT_UNSUPPORTED, std::string("transport ") +
                                        context.transport->name() + " has no " +
                                        what);
  }
  return work;
}

} // namespace moert

#endif // MOERT_TRANSPORTS_DEVICE_RANKDEVICE_H
