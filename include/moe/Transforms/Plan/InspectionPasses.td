// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that look at a plan, or at what became of it, and change nothing.

#ifndef MOE_TRANSFORMS_PLAN_INSPECTIONPASSES
#define MOE_TRANSFORMS_PLAN_INSPECTIONPASSES

include "mlir/Pass/PassBase.td"

def VerifyPlacedPass : Pass<"moe-verify-placed", "ModuleOp"> {
  let summary = "Check that a module is planned";
  let description = [{
    Purpose: what partitioning relies on and no operation can check by itself.

    Before and after: a planned module. The pass changes nothing.

    Constraints:
    - C1: the module has exactly one `comm.mesh`.
    - C2: every `moe.experts` has axes, of that mesh.
    - C3: every `moe.experts` has an exchange.
    - C4: every `moe.experts` of a layer is `placed by` a `moe.use_placement`
      that names a placement.
    - C5: the placement is over the axes of the `moe.experts`; so layers that
      share a block have placements over the same axes.
    - C6: the placement has as many experts as the weights have slots.
    - C7: the weights of a layer are placed by the placement of its experts.
    - C8: arguments and results of root functions that count tokens have a
      `comm.sharding` of that mesh.

    Example: `%p = moe.use_placement layer 3` is refused (C4),
    `%p = moe.use_placement @p3 layer 3` is not.

    Left to others: what operations verify about themselves.
  }];
}

def VerifyPartitionedPass : Pass<"moe-verify-partitioned", "ModuleOp"> {
  let summary = "Check that a module is the program of one rank";
  let description = [{
    Purpose: nothing of the global program is left after `moe-partition`.

    Before and after: a partitioned module. The pass changes nothing.

    Constraints:
    - C1: there is no `moe.experts`.
    - C2: there is no `comm.reshard`.
    - C3: there are no decisions of propagation: no `comm.result_shardings`, no
      `comm.argument_shardings`, no `comm.sharding`.
    - C4: functions end in the global token count, of type `index`, and one
      destination for each result, of its type.
    - C5: a `moe.dispatch_layout` has as many ranks as the group over its axes,
      and as many slots as any placement of as many experts gives a rank.

    Example: `%1 = comm.reshard %0 to <@mesh, [{"ep"}, {} ]> : tensor<?x8xf32>`
    is refused (C2).

    Left to others: what is communicated (`moe-verify-communication`).
  }];
}

class MoE_PrintPass<string flag, list<Option> more = []>
    : Pass<flag, "ModuleOp"> {
  let options = [
    Option<"format", "format", "std::string", /*default=*/"\"text\"",
           "text, json, html: a page that needs no network, dot or svg">,
    Option<"output", "output", "std::string", /*default=*/"\"-\"",
           "File to write, or - for standard output, where the module is then "
           "not printed">
  ] # more;
}

def PrintPlacementPass : MoE_PrintPass<"moe-print-placement", [
    Option<"memoryGib", "memory-gib", "double", /*default=*/"0",
           "Memory of a device that programs can use, in GiB; 0 is what is "
           "known of the topology's GPUs">,
    Option<"sequences", "sequences", "int64_t", /*default=*/"0",
           "Sequences whose keys and values are kept, over all devices">,
    Option<"context", "context", "int64_t", /*default=*/"0",
           "Tokens of each of these sequences">,
    Option<"all", "all", "bool", /*default=*/"false",
           "Whether text shows every layer, rank and replica; JSON does">]> {
  let summary = "Print which rank hosts which expert";
  let description = [{
    Purpose: the placement for people and scripts: for each layer its policy,
    and for each rank its experts, its load, and the load over the mean; for
    each replica how many of 64 tokens of which source ranks it serves (JSON
    says which); the largest load and the time of a step beside what no
    placement is below, and why; and what each rank's memory holds, and whether
    that fits. Layers that are equal in it share tables. Where layers differ, text
    begins with a line for each; of many layers, ranks and replicated experts it
    then shows those that have most to do, with `all` all of them. `html` is a page with
    figures (which device serves which expert, bytes by tier and from device to
    device, beside a contiguous placement) and a reason for the place of every
    expert. `dot` and `svg` draw the devices in their nodes with their experts.

    Before and after: a module with placements. The pass changes nothing.

    Example:
    ```
    layers 0-1: contiguous
      rank    load  load / mean  slots  experts
         0  33.3 %        1.333      2  0-1
    ```

    Left to others: what the placement costs (`moe-print-traffic`).
  }];
}

def PrintTopologyPass : Pass<"moe-print-topology", "ModuleOp"> {
  let summary = "Print the devices, and what connects them";
  let description = [{
    Purpose: the cluster for people and scripts: its tiers, and of the inside of
    a node its GPUs with bus ids, NUMA domains and NICs, and the class and
    bandwidth of every path, by NCCL's rules. Of more than 16 GPUs, text shows
    only which paths there are. `json` has every pair and link; `dot` and `svg`
    are drawings.

    Before and after: a module with a `comm.topology`. The pass changes nothing.

    Example:
    ```
    between GPUs: path class and GB/s
      from  gpu0     gpu1     gpu2
      gpu0  -        PHB 24.0  SYS 16.0
    ```

    Left to others: what travels (`moe-print-traffic`).
  }];
  let options = [
    Option<"format", "format", "std::string", /*default=*/"\"text\"",
           "text, json, dot or svg">,
    Option<"output", "output", "std::string", /*default=*/"\"-\"",
           "File to write, or - for standard output, where the module is then "
           "not printed">
  ];
}

def PrintTrafficPass : MoE_PrintPass<"moe-print-traffic"> {
  let summary = "Print what travels on which link, and how long it takes";
  let description = [{
    Purpose: bytes and messages by tier, predicted times, and every constant
    that they rest on, those that nobody has set marked as defaults. `html` is a
    page with figures of bytes by tier and from device to device, and of the
    time along each axis; `dot` and `svg` draw what crosses the parts of each
    tier, the more the wider.

    Before and after: a planned module. The pass changes nothing.

    Example:
    ```
    layers 0-1: flat exact, at most 96 rows a rank, all ranks together
      exchange  basis     link     payload  metadata  padding  messages
      dispatch  expected  ib           0 B       0 B      0 B         0
    ```

    Left to others: the bytes of a routing that occurred (`moe-run --stats`).
  }];
}

#endif // MOE_TRANSFORMS_PLAN_INSPECTIONPASSES
