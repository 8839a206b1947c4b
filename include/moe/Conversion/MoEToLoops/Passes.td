// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MOE_CONVERSION_MOETOLOOPS_PASSES
#define MOE_CONVERSION_MOETOLOOPS_PASSES

include "mlir/Pass/PassBase.td"

def ConvertMoEToLoopsPass : Pass<"convert-moe-to-loops"> {
  let summary = "Lower routing, layout and row movement on buffers to loops";
  let description = [{
    Purpose: after bufferization every `moe` op that writes its `into` buffers,
    except `moe.grouped_matmul`, becomes `scf`, `memref`, `arith`, `math` and
    `vector`. Each lowering is linear in what it reads; `moe.select` keeps a
    sorted list of k per token.

    Before: buffers have the identity layout, their columns static sizes; T is
    any number, 0 too. Choices are -1 or an expert.
    After: no such op is left; ops on tensors are as they were.
    `moe.assign_slots` leaves a `moe.placement_table`.

    Sums run left to right, in f32, multiplied and added apart. In a selection
    a NaN counts as -inf, so that k different experts are chosen even then.
    Row movement stays inside its buffers whatever the counts say: after a
    failed exchange they mean nothing.

    Refused, with the reason: `moe.select_tokens`, `moe.select_masked_pair`,
    `moe.select_balanced`; `moe.limit_capacity` with the order `best_score` or
    `random`; `moe.select` that both samples its second choice and limits
    groups.

    Example:
    ```mlir
    moe.spread_rows %x to %p into %rows : (memref<?x64xbf16>, memref<?x2xi32>, memref<?x64xbf16>) -> ()
    ```
    becomes
    ```mlir
    scf.for %t = %c0 to %tokens step %c1 {
      scf.for %j = %c0 to %c2 step %c1 {
        %place = memref.load %p[%t, %j] : memref<?x2xi32>
        %taken = arith.cmpi sge, %place, %c0_i32 : i32
        scf.if %taken {
          %to = arith.index_cast %place : i32 to index
          scf.for %h = %c0 to %c64 step %c32 {
            %part = vector.load %x[%t, %h] : memref<?x64xbf16>, vector<32xbf16>
            vector.store %part, %rows[%to, %h] : memref<?x64xbf16>, vector<32xbf16>
          }
        }
      }
    }
    ```

    Left to later passes: `moe.placement_table`, `moe.grouped_matmul`, and
    writing `math` functions out.
  }];
  let dependentDialects = [
    "arith::ArithDialect", "math::MathDialect", "memref::MemRefDialect",
    "scf::SCFDialect", "vector::VectorDialect"];
}

#endif // MOE_CONVERSION_MOETOLOOPS_PASSES
