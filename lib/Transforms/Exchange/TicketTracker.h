// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collectives that are split into comm.start and comm.wait, followed along all
// paths of a function.

#ifndef MOE_LIB_TRANSFORMS_EXCHANGE_TICKETTRACKER_H
#define MOE_LIB_TRANSFORMS_EXCHANGE_TICKETTRACKER_H

#include "BufferTouches.h"
#include "moe/Dialect/Comm/Comm.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::moe {

/// The starts, one a path, whose tickets a wait may hold.
using StartsOfWaits = llvm::MapVector<comm::WaitOp, SmallVector<comm::StartOp>>;

/// Checks C1 to C5 of comm-verify-in-flight in one function with a body.
FailureOr<StartsOfWaits> trackTickets(FunctionOpInterface function,
                                      BufferTouches &touches);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXCHANGE_TICKETTRACKER_H
