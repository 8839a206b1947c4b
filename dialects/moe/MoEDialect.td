// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_DIALECT
#define MOE_DIALECT

include "mlir/IR/OpBase.td"

def MoE_Dialect : Dialect {
  let name = "moe";
  let cppNamespace = "::mlir::moe";
  let summary = "Mixture-of-experts layers: routing, experts, where they live";
  let description = [{
    Routing is a chain of small ops (`moe.score`, `moe.select`, `moe.weigh`,
    `moe.limit_capacity`) that ends in an assignment: expert `[T, K]` (i32, -1 =
    none) and weight `[T, K]`. `moe.experts` holds what an expert computes as a
    region over ragged rows. Weights are handles, `!moe.weights`; placements are
    data, named by symbols.

    T is the number of tokens, H the hidden size, E the number of experts, K
    the experts of a token, S the expert slots of a rank, n the ranks of a group.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::mlir::comm::CommDialect"];
  // What the module says: its most tokens, the experts' loads.
  let hasOperationAttrVerify = 1;
}

#endif // MOE_DIALECT
