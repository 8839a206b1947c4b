// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_TRANSFORMS_PLAN_PASSES
#define MOE_TRANSFORMS_PLAN_PASSES

include "mlir/Pass/PassBase.td"
include "InspectionPasses.td"

def AttachTopologyPass : Pass<"moe-attach-topology", "ModuleOp"> {
  let summary = "Read the cluster and the experts' loads from files";
  let description = [{
    Purpose: the only pass that opens files; all that planning reads lies in
    the module afterwards, so that a plan can be replayed from the module alone.

    Before: any module. After: with `topology` the module has the file's
    `comm.topology`; with `loads` the attribute `moe.loads` has the share of
    every expert of the layers that the file knows. Without options nothing
    happens: plans then rest on a uniform default, and reports say so.

    Example, with a file that holds `comm.topology @cluster tiers [ib: 2 x 50.0
    GB/s 5.0 us]`:
    ```mlir
    module {}
    // becomes
    module { comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us] }
    ```

    Loads are `[[…], …]` (layers x experts) or `{"loads": …}` in JSON, an NPY
    array of two dimensions, or comma-separated values under a header
    `layer,expert,count`, which may have the columns `model`, `domain` and
    `rank`. With one dimension more they are apart by source rank, and
    `moe.loads` has an array for each. A trace has the choices of each token;
    its tokens are split over `trace-ranks` ranks, in order. Lists are the
    model's layers by number; where there are exactly as many as the model has
    MoE layers, they are those, in order.

    The format of a topology is told by its content; what a file about one
    machine lacks is given by `gpu`, `nodes`, `nic-gbps` and `inter-node-gbps`,
    and what is assumed stands in the `comm.topology`.

    Left to later passes: whether the mesh fits the topology.
  }];
  let options = [
    Option<"topology", "topology", "std::string", /*default=*/"",
           "MLIR file with one comm.topology, NCCL's or RCCL's topology XML, "
           "the text of `nvidia-smi topo -m`, or ASTRA-sim's network yml">,
    Option<"gpu", "gpu", "std::string", /*default=*/"",
           "GPUs of the topology where its file does not say, such as H100">,
    Option<"nodes", "nodes", "int64_t", /*default=*/"1",
           "Copies of the node that the topology's file describes">,
    Option<"nicGbps", "nic-gbps", "double", /*default=*/"0",
           "Speed of each NIC, in Gb/s, where the file should not say">,
    Option<"interNodeGbps", "inter-node-gbps", "double", /*default=*/"0",
           "The same, and without NICs what a GPU can send to other nodes">,
    Option<"loads", "loads", "std::string", /*default=*/"",
           "JSON, CSV or NPY file with the experts' loads, or a trace of the "
           "choices of single tokens">,
    Option<"loadsModel", "loads-model", "std::string", /*default=*/"",
           "Lines of the CSV file to count, by their column 'model'">,
    Option<"loadsDomain", "loads-domain", "std::string", /*default=*/"",
           "Lines of the CSV file to count, by their column 'domain'">,
    Option<"loadsContent", "loads-content", "std::string", /*default=*/"\"loads\"",
           "What a three-dimensional array holds: loads ([source rank][layer]"
           "[expert]) or a trace ([token][layer][choice])">,
    Option<"traceRanks", "trace-ranks", "int64_t", /*default=*/"1",
           "Ranks that hold the tokens of a trace, one part each; 1 does not "
           "tell them apart">
  ];
  let dependentDialects = ["comm::CommDialect"];
}

def ChooseMeshMappingPass : Pass<"moe-choose-mesh-mapping", "ModuleOp"> {
  let summary = "Arrange the devices as a mesh, heavy axes on fast links";
  let description = [{
    Purpose: decides which mesh axis lies on which tier of the topology, by the
    cost of what travels along each axis, and what each axis is for.

    Before: a model-level module. After:
    - there is a `comm.mesh`, made from `mesh` where there was none; a mesh that
      was there is kept, as is an `order` that it had;
    - with a topology the mesh is `on` it and has an `order`;
    - tokens: arguments and results of root functions (those that nobody calls)
      whose dimension 0 counts tokens have a `comm.sharding` over the token
      axes; those that had one keep it;
    - experts: every `moe.experts` is `over` the expert axes `of` the mesh;
    - with expert tensor axes, the `moe.use_weight` of experts' matrices have
      `comm.result_shardings` that split their columns, and `moe.experts` one
      that splits the columns of its result (not where a dropped choice returns
      its input, which is whole).

    Roles are what the options say. Only for a role that no option gives, names
    decide: experts over `ep`, the columns of their matrices over `etp`, tensor
    parallelism of the dense parts over `tp`, tokens over every axis but `etp`,
    `tp` and `pp`; stages over `pp`. `moe.plan` records the roles.

    What the graph does not hold is costed too, as *modelled*, so that all axes
    compete for the fast tier: all-reduces of the dense parts' tensor
    parallelism, sends between stages and, with `step=training`, the way back
    and the all-reduces of gradients. On a topology with a link graph every link
    counts what all groups together bring to it.

    Example, `mesh=dp=2,ep=2`:
    ```mlir
    func.func @model(%x: tensor<?x16xf32>) -> tensor<?x16xf32>
    // becomes
    comm.mesh @mesh <["dp"=2, "ep"=2]>
    func.func @model(%x: tensor<?x16xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {} ]>})
        -> (tensor<?x16xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {} ]>})
    ```

    Left to later passes: shardings of all other values.
  }];
  let options = [
    Option<"mesh", "mesh", "std::string", /*default=*/"",
           "Axes and their sizes, such as dp=2,ep=4">,
    ListOption<"tokenAxes", "token-axes", "std::string",
               "Axes that tokens are sharded over, or none">,
    ListOption<"expertAxes", "expert-axes", "std::string",
               "Axes whose ranks share out the experts, or none">,
    ListOption<"expertTensorAxes", "expert-tensor-axes", "std::string",
               "Axes that split the columns of each expert's matrices, or "
               "none">,
    ListOption<"tensorAxes", "tensor-axes", "std::string",
               "Axes of the dense parts' tensor parallelism, or none">,
    ListOption<"stageAxes", "stage-axes", "std::string",
               "Axes whose ranks run layers one after the other, or none">,
    Option<"step", "step", "std::string", /*default=*/"\"inference\"",
           "inference or training: what a step is, as the traffic is modelled">
  ];
  let dependentDialects = ["comm::CommDialect"];
}

def ChoosePlacementPass : Pass<"moe-choose-placement", "ModuleOp"> {
  let summary = "Decide which rank hosts which expert";
  let description = [{
    Purpose: gives each MoE layer a placement, and says what it costs and how
    far from the best it can be.

    Before: a mesh, and `moe.experts` with axes. After: every
    `moe.use_placement` that reaches a `moe.experts` names a `moe.placement`,
    one a layer, and the `moe.use_weight` of the layer's experts are `placed by`
    it. A `moe.use_placement` that named one before keeps it: it is verified and
    costed, not replaced.

    Policies: `contiguous` (consecutive experts together, the first ranks one
    more), `round_robin` (expert e on the next rank with a free slot), `eplb`
    (EPLB's two policies, by `expert-groups` and the nodes of the topology),
    `joint` (replicas, places and shares together, never worse than the others
    in the objective), `exhaustive` (every placement of a tiny problem). There
    are as many slots as experts, and `replicas` more, spread evenly.

    Objectives: `load`, the largest load of a rank; `time`, the slowest link's
    exchange and the slowest rank's products at the module's most tokens, which
    `auto` is where there is a topology.

    With `memory-gib` a rank gets no more slots than its memory has room for
    beside dense weights and the exchange's buffers; the caches of attention are
    not counted. Where all layers together do not fit, in that memory or, without
    it, in what is known of the topology's GPUs, a warning says by how much and
    on how many ranks they would; moe-print-placement lists what takes it.

    Remarks (`--remarks-filter=moe-plan`) give for each layer the largest load,
    the predicted time, the slowest link, the bounds that no placement is below
    and the gaps to them, and the same of the policies that were not chosen.

    Example, 5 experts over `ep` of size 2:
    ```mlir
    %p = moe.use_placement layer 3 : !moe.placement_ref<5 experts>
    // becomes
    moe.placement @p3 experts 5 over {"ep"} of @mesh slots [[0, 1, 2], [3, 4]] policy "contiguous"
    %p = moe.use_placement @p3 layer 3 : !moe.placement_ref<5 experts>
    ```

    Left to later passes: the form of the exchange.
  }];
  let options = [
    Option<"policy", "policy", "std::string", /*default=*/"\"contiguous\"",
           "contiguous, round_robin, eplb, joint or exhaustive">,
    Option<"objective", "objective", "std::string", /*default=*/"\"auto\"",
           "load, time, or auto: time where there is a topology">,
    Option<"replicas", "replicas", "int64_t", /*default=*/"0",
           "Slots beyond one an expert, over all ranks of a group">,
    Option<"expertGroups", "expert-groups", "int64_t", /*default=*/"1",
           "Groups of consecutive experts that eplb keeps on a node">,
    Option<"memoryGib", "memory-gib", "double", /*default=*/"0",
           "Memory of a device that programs can use, in GiB; 0 sets no limit">
  ];
  let dependentDialects = ["moe::MoEDialect"];
}

def ChooseExchangePass : Pass<"moe-choose-exchange", "ModuleOp"> {
  let summary = "Decide how rows travel to their experts and back";
  let description = [{
    Purpose: gives each `moe.experts` the form of its dispatch and combine.

    Before: axes and placements are chosen. After: every `moe.experts` that a
    root function reaches has an `exchange`. One that had one keeps it. A call
    with the attribute `moe.exchange = @x` sets it for the layers below; a block
    that layers with different exchanges share is cloned, once for each.

    Forms: `flat_exact` (the host learns how many rows arrive), `flat_bounded`
    (buffers of the bound, no synchronisation), `auto` (the cheaper by the cost
    model; on equal cost the exact one). The bound is the worst case of the
    module's most tokens unless `bound` says otherwise; more rows than it are an
    error at run time.

    Example:
    ```mlir
    %y = moe.experts %x … over {"ep"} of @mesh
    // becomes
    moe.exchange @x0 flat_exact bound 4096
    %y = moe.experts %x … over {"ep"} of @mesh exchange @x0
    ```

    Left to later passes: emitting the exchange.
  }];
  let options = [
    Option<"form", "form", "std::string", /*default=*/"\"flat_exact\"",
           "flat_exact, flat_bounded or auto">,
    Option<"bound", "bound", "int64_t", /*default=*/"0",
           "Most rows that a rank may receive; 0 is the worst case">
  ];
  let dependentDialects = ["moe::MoEDialect"];
}

#endif // MOE_TRANSFORMS_PLAN_PASSES
