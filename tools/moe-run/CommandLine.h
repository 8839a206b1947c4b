// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_TOOLS_MOE_RUN_COMMANDLINE_H
#define MOE_TOOLS_MOE_RUN_COMMANDLINE_H

#include "moe/Runner/Session.h"

namespace moe::runner {

/// What the user asks of moe-run.
struct CommandLine {
  SessionOptions session;
  std::string input;
  std::string output;
  std::string routingIn;
  std::string routingOut;
  /// "-" is the standard output; empty: none.
  std::string stats;
  /// Tokens to make up without an input; none given: the module's own number,
  /// or 64.
  std::optional<int64_t> tokens;
  bool check = false;
  /// Print the flags and nothing else.
  bool help = false;
  int64_t corruptedExpert = -1;

  /// Fails on unknown flags, on flags that contradict each other, and on what
  /// is not built.
  static llvm::Expected<CommandLine> parse(llvm::ArrayRef<const char *> words);
  static void printHelp(llvm::raw_ostream &os);
};

} // namespace moe::runner

#endif // MOE_TOOLS_MOE_RUN_COMMANDLINE_H
