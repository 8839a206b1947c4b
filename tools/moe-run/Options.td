// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The flags of moe-run.

include "PlanFlags.td"

def help : Flag_<"help", "Print this">;
defm ranks : Value<"ranks", "N", "Number of ranks; alone it means the mesh ep=N">;
defm layer : Value<"layer", "NAME", "Layer of the model (3, encoder.1), or all; default: its first MoE layer, or all that a module without a model has">;
def replan : Flag_<"replan", "Forget the plan that the module came with">;
defm transport : Value<"transport", "NAME", "threads (default on the CPU) or nccl (default on devices)">;
defm device : Value<"device", "NAME", "cpu (default), emulated or gpu">;
defm schedule_seed : Value<"schedule-seed", "S", "Seed of the order in which emulated devices work; default 0">;
defm cpu : Value<"cpu", "NAME", "CPU to compile for: native (default), x86-64-v3, x86-64-v4,+avx512bf16; of a bundle, what it must be compiled for">;
defm weights : Value<"weights", "PATH", "Safetensors file, index or directory; default: random by --seed">;
defm weight_memory : Value<"weight-memory", "MIB", "MiB of memory for weights; what does not fit lies in a file under $TMPDIR or /var/tmp; default: most of what is free">;
defm seed : Value<"seed", "S", "Seed of random weights and tokens (docs/RandomData.md); default 0">;
defm input : Value<"input", "x.npy", "Tokens, float32 [tokens, hidden]; default: random by --seed">;
defm output : Value<"output", "y.npy", "Where the outputs go, float32 [tokens, hidden]">;
defm tokens : Value<"tokens", "T", "Number of random tokens; default: what the module is compiled for, or 64">;
defm routing_in : Value<"routing-in", "r.npy", "Use this routing, float32 [2, tokens, choices]: experts (-1: none), weights">;
defm routing_out : Value<"routing-out", "r.npy", "Where the routing goes, in the same form">;
def check : Flag_<"check", "Compare, bit for bit, with one rank and no partitioning">;
defm stats : Value<"stats", "FILE", "Where the report goes as JSON; - prints it instead of the tables">;
defm trace : Value<"trace", "FILE", "Where a Chrome trace of the ranks goes">;
defm cores : Value<"cores", "N", "Ranks that compute at a time; default: the cores that there are">;
def : Separate<["--", "-"], "threads">, Alias<cores_eq>;
def : Joined<["--", "-"], "threads=">, Alias<cores_eq>;
defm deadline : Value<"deadline", "SECONDS", "End the run when no rank gets further for so long; default 60">;
def no_overlap : Flag_<"no-overlap", "Let nothing else happen while rows travel">;
defm repeat : Value<"repeat", "N", "Run so often and report the fastest; default 1">;
def corrupt_expert_eq : Joined<["--"], "corrupt-expert=">, Flags<[HelpHidden]>,
  HelpText<"Zero an expert's weights in every layer on the ranks, so that --check fails">;
def movement_eq : Joined<["--"], "movement=">, Flags<[HelpHidden]>,
  HelpText<"When rows travel: anytime, late (in wait) or early (in start)">;
def stall_rank_eq : Joined<["--"], "stall-rank=">, Flags<[HelpHidden]>,
  HelpText<"A rank that never runs its program, so that the others wait in vain">;
