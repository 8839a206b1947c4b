// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the runtime's clocks, counters and messages are told: nothing of it
// touches a value.

#ifndef MOE_COUNTER_OPS
#define MOE_COUNTER_OPS

include "moe/MoEExchangeOps.td"

def MoE_PhaseOp : MoE_Op<"phase", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "what the rank's time counts to from here on";
  let description = [{
    Semantics: none for the values; the runtime's clock switches to `kind`.

    Lifespan: created by `moe-insert-all-to-all`; lowered to the runtime.

    Constraints: none.

    Example:
    ```mlir
    moe.phase experts
    ```
  }];
  let arguments = (ins MoE_PhaseKindAttr:$kind);
  let assemblyFormat = "`` $kind attr-dict";
}

def MoE_EnterLayerOp : MoE_Op<"enter_layer", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "which of the model's layers the rank works on from here on";
  let description = [{
    Semantics: none for the values; counters and messages of the runtime name
    the layer.

    Lifespan: created by `moe-insert-all-to-all`; lowered to the runtime.

    Constraints: none.

    Example:
    ```mlir
    moe.enter_layer 3
    ```
  }];
  let arguments = (ins ConfinedAttr<I32Attr, [IntNonNegative]>:$layer);
  let assemblyFormat = "$layer attr-dict";
}

#endif // MOE_COUNTER_OPS
