// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_DIALECT
#define COMM_DIALECT

include "mlir/IR/OpBase.td"

def Comm_Dialect : Dialect {
  let name = "comm";
  let cppNamespace = "::mlir::comm";
  let summary = "Device meshes, shardings and how data moves between ranks";
  let description = [{
    The dialect names the devices of a cluster (`comm.topology`, `comm.mesh`),
    says how the value of a global tensor is spread over them
    (`#comm.sharding`, `comm.reshard`), and moves data (`comm.all_to_all_v` and
    the other collectives, each also split into `comm.start` and `comm.wait`).
    It knows nothing of experts.

    Ragged data is an ordinary tensor plus `offsets`: a `tensor<?xi32>` of
    length n + 1 that holds exclusive prefix sums in rows. Part i occupies rows
    `offsets[i] .. offsets[i + 1]`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["tensor::TensorDialect", "arith::ArithDialect"];
  // Shardings that are written on functions and operations.
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

#endif // COMM_DIALECT
