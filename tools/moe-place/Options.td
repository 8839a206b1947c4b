// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The flags of moe-place.

include "Flags.td"

def help : Flag_<"help", "Print this">;

// What is placed.
defm loads : Value<"loads", "FILE", "Loads of experts: JSON, CSV or NPY; without it every expert gets as much">;
defm model : Value<"model", "NAME", "Of a CSV file: only this model">;
defm domain : Value<"domain", "NAME", "Of a CSV file: only this domain">;
def trace : Flag_<"trace", "An array of three dimensions is [token][layer][choice], not [source rank][layer][expert]">;
defm layers : Value<"layers", "LIST", "Numbers of the layers to place, such as 3-60 or 0,4; default: those of the loads">;
defm experts : Value<"experts", "E", "Experts of a layer, where no file says">;
defm groups : Value<"groups", "G", "Groups of consecutive experts, for EPLB's hierarchical policy; default 1">;
defm config : Value<"config", "FILE", "The model's config.json: sizes, and whether the placement fits into memory">;
defm tokens : Value<"tokens", "T", "Tokens of a step over all GPUs">;
defm choices : Value<"choices", "K", "Experts that a token takes">;
defm hidden : Value<"hidden", "H", "Hidden size: elements of a row on the wire">;
defm width : Value<"width", "I", "Intermediate size of an expert">;
defm dtype : Value<"dtype", "TYPE", "Of a row on the wire: bf16 (default), f16, f32 or fp8">;
defm sequences : Value<"sequences", "N", "Sequences in the cache over all GPUs, for memory">;
defm context : Value<"context", "N", "Tokens of each sequence in the cache">;

// Where it is placed.
defm replicas : Value<"replicas", "R", "Slots over all GPUs, replicas included; default: one for each expert">;
defm gpus : Value<"gpus", "P", "GPUs of all nodes together; default: the topology's">;
defm nodes : Value<"nodes", "N", "Nodes; a file about one machine is repeated so often">;
defm topology : Value<"topology", "FILE", "NCCL's or RCCL's XML, nvidia-smi topo -m, ASTRA-sim's yml, or a module with a comm.topology">;
defm gpu : Value<"gpu", "NAME", "What the GPUs are, such as H100">;
defm nic_gbps : Value<"nic-gbps", "X", "Speed of each NIC in Gb/s, where the file does not say">;
defm inter_node_gbps : Value<"inter-node-gbps", "X", "The same, and without NICs what one GPU can send to other nodes">;

// How.
defm policy : Value<"policy", "NAME", "contiguous, round_robin, eplb, joint (default) or exhaustive; several with commas, or all">;
def compare : Flag_<"compare", "The same as --policy contiguous,round_robin,eplb,joint">;
defm objective : Value<"objective", "NAME", "time (default where bytes and links are known) or load">;

// From placements that there are.
defm verify : Value<"verify", "FILE", "Check a placement from anywhere, and count its figures anew">;
def diff : Flag_<"diff", "What moved from the first of two placements to the second, and what it bought">;
defm previous : Value<"previous", "FILE", "The placement at hand: the best one within a budget of moves from it">;
defm max_moves : Value<"max-moves", "N", "Experts that may move, all layers together">;
defm max_bytes : Value<"max-bytes", "N", "Bytes of weights that may move, all layers together">;

// Before there are any.
def report : Flag_<"report", "A planner's report about a config.json, or about plain numbers">;
defm matrices : Value<"matrices", "N", "Of plain numbers: matrices of an expert, 2 or 3 (default)">;
defm weight_bits : Value<"weight-bits", "N", "Of plain numbers: bits of a weight; default 16">;

// What comes out.
defm format : Value<"format", "FORMAT", "text (default), json or html">;
defm output : Value<"output", "FILE", "Where it goes; - is the standard output (default)">;
def : JoinedOrSeparate<["-"], "o">, Alias<output_eq>, HelpText<"The same as --output">, MetaVarName<"FILE">;
