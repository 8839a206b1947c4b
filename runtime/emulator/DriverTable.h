// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DriverTable.h - The stand-ins, by part of the driver -----*- C++ -*-===//

#ifndef MOERT_EMULATOR_DRIVERTABLE_H
#define MOERT_EMULATOR_DRIVERTABLE_H

#include "transports/nccl/NcclLibrary.h"

namespace moert::emulator {

/// Each sets its members of the table.
void setContextCalls(cuda::Driver &driver);
void setMemoryCalls(cuda::Driver &driver);
void setStreamCalls(cuda::Driver &driver);
void setCaptureCalls(cuda::Driver &driver);
void setModuleCalls(cuda::Driver &driver);
void setCommCalls(nccl::Library &library);

} // namespace moert::emulator

#endif // MOERT_EMULATOR_DRIVERTABLE_H
