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
  /// "-" is the standard output.
  std::string stats;
  /// Tokens to make up without an input; none given: the module's own number,
  /// or 64.
  std::optional<int64_t> tokens;
  bool check = false;
  int64_t corruptedExpert = -1;

  /// Exits the process on what LLVM's parser refuses; fails on flags that
  /// contradict each other or ask for what is not built.
  static llvm::Expected<CommandLine> parse(int argc, char **argv);
};

} // namespace moe::runner

#endif // MOE_TOOLS_MOE_RUN_COMMANDLINE_H
