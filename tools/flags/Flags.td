// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the flags of all our tools are spelled. LLVM's cl::opt is no way here:
// libLLVM has global flags of its own, such as --stats.

include "llvm/Option/OptParser.td"

// --name
class Flag_<string name, string help> : Flag<["--", "-"], name>, HelpText<help>;

// --name=value and --name value.
multiclass Value<string name, string metaVar, string help> {
  def NAME # _eq : Joined<["--", "-"], name # "=">, HelpText<help>, MetaVarName<metaVar>;
  def : Separate<["--", "-"], name>, Alias<!cast<Joined>(NAME # _eq)>;
}
