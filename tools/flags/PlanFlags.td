// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What moe-run and moe-compile can ask of a plan: the options of
// moe-plan-pipeline, by the same names. A module that is planned, or a bundle,
// must agree with them.

include "Flags.td"

def plan_group : OptionGroup<"plan">, HelpText<"PLAN">;

multiclass PlanValue<string name, string metaVar, string help> {
  def NAME # _eq : Joined<["--", "-"], name # "=">, HelpText<help>, MetaVarName<metaVar>, Group<plan_group>;
  def : Separate<["--", "-"], name>, Alias<!cast<Joined>(NAME # _eq)>;
}

defm mesh : PlanValue<"mesh", "AXES", "Mesh axes, such as dp=2,ep=4">;
defm token_axes : PlanValue<"token-axes", "AXES", "Axes that tokens are sharded over; default: all but etp, tp and pp">;
defm expert_axes : PlanValue<"expert-axes", "AXES", "Axes whose ranks share out the experts; default: ep">;
defm expert_tensor_axes : PlanValue<"expert-tensor-axes", "AXES", "Axes that split the columns of each expert's matrices; default: etp">;
defm tensor_axes : PlanValue<"tensor-axes", "AXES", "Axes of the dense parts' tensor parallelism; default: tp">;
defm stage_axes : PlanValue<"stage-axes", "AXES", "Axes whose ranks run layers one after the other; default: pp">;
defm step : PlanValue<"step", "KIND", "What a step is, as traffic outside the layer is modelled: inference (default) or training">;
defm topology : PlanValue<"topology", "FILE", "The cluster: a comm.topology, NCCL's XML, nvidia-smi topo -m, ASTRA-sim's yml">;
defm gpu : PlanValue<"gpu", "NAME", "What its GPUs are, such as H100, where its file does not say">;
defm nodes : PlanValue<"nodes", "N", "Copies of the node that its file describes; default 1">;
defm nic_gbps : PlanValue<"nic-gbps", "X", "Speed of each NIC in Gb/s, where its file does not say">;
defm inter_node_gbps : PlanValue<"inter-node-gbps", "X", "The same, and without NICs what one GPU can send to other nodes">;
defm loads : PlanValue<"loads", "FILE", "Loads of experts: JSON, CSV or NPY; default: all alike">;
defm loads_model : PlanValue<"loads-model", "NAME", "Of a CSV file of loads: only this model">;
defm loads_domain : PlanValue<"loads-domain", "NAME", "Of a CSV file of loads: only this domain">;
defm loads_content : PlanValue<"loads-content", "KIND", "What an array of three dimensions is: loads (default) or trace">;
defm trace_ranks : PlanValue<"trace-ranks", "N", "Ranks that hold the tokens of a trace; default 1">;
defm placement : PlanValue<"placement", "POLICY", "contiguous (default), round_robin, eplb, joint or exhaustive">;
defm objective : PlanValue<"objective", "NAME", "What a placement is for: load, time, or auto (default): time where there is a topology">;
defm replicas : PlanValue<"replicas", "N", "Slots beyond one an expert, over all ranks of a group; default 0">;
defm expert_groups : PlanValue<"expert-groups", "N", "Groups of experts that eplb keeps on a node; default 1">;
defm memory_gib : PlanValue<"memory-gib", "X", "Memory of a device that programs can use; default: no limit">;
defm exchange : PlanValue<"exchange", "FORM", "flat_exact (default), flat_bounded or auto">;
defm bound : PlanValue<"bound", "N", "Most rows that a rank may receive; default 0: the worst case">;
