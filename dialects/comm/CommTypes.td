// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_TYPES
#define COMM_TYPES

include "mlir/IR/AttrTypeBase.td"
include "comm/CommDialect.td"

def Comm_PendingType : TypeDef<Comm_Dialect, "Pending"> {
  let mnemonic = "pending";
  let summary = "a collective that was started and not yet waited for";
  let description = [{
    A plain ticket. It carries no data: the tensors in flight are operands of
    both `comm.start` and `comm.wait`, so that bufferization sees that they are
    read until the wait.
  }];
}

#endif // COMM_TYPES
