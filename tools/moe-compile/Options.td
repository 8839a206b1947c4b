// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The flags of moe-compile.

include "PlanFlags.td"

def help : Flag_<"help", "Print this">;
def output : Separate<["-"], "o">, HelpText<"Where the bundle goes">, MetaVarName<"model.moe">;
defm ranks : Value<"ranks", "N", "Number of ranks; alone it means the mesh ep=N">;
defm layer : Value<"layer", "NAME", "Layer of the model (3, encoder.1), or all; default: its first MoE layer, or all that a module without a model has">;
def replan : Flag_<"replan", "Forget the plan that the module came with">;
def no_overlap : Flag_<"no-overlap", "Let nothing else happen while rows travel">;
defm target : Value<"target", "NAME", "cpu (default) or gpu">;
defm chips : Value<"chips", "NAMES", "Chips of --target=gpu, such as sm_80,sm_90a; not built yet">;
defm kernel_report : Value<"kernel-report", "FILE", "What became of each kernel of --target=gpu; not built yet">;
defm cpu : Value<"cpu", "NAME", "CPU to compile for: native (default), x86-64-v3, x86-64-v4,+avx512bf16">;
defm replace_placement : Value<"replace-placement", "FILE",
  "Put experts where this file of moe-place, or of a serving engine, has them; takes a bundle too, which is not compiled again">;
