// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running the public function of a module on N ranks of this process, whatever
// it computes: several layers of experts, dense parts between them, functions
// of the host. What a Session knows of a single layer (its routing, what
// travels, what it costs) is not asked for here.
#ifndef MOE_RUNNER_MODULESESSION_H
#define MOE_RUNNER_MODULESESSION_H

#include "moe/Runner/Session.h"

namespace moe::runner {

class ModuleSession {
public:
  /// Reads and plans the module and finds its weights; nothing is compiled yet.
  /// The module has one public function, from matrices to matrices, of which
  /// those whose number of rows is dynamic have one a token. Of the options
  /// `layer`, `takesRouting` and `repeat` mean nothing here. Errors as those of
  /// Session::create.
  static llvm::Expected<std::unique_ptr<ModuleSession>>
  create(const SessionOptions &options);
  ~ModuleSession();

  int64_t ranks() const;
  /// What goes in and out, in the order of the function's signature.
  llvm::ArrayRef<Port> arguments() const;
  llvm::ArrayRef<Port> results() const;

  /// Runs on all ranks, for `tokens` tokens of all together; compiles and loads
  /// weights if that has not been done. One array an argument, and one a
  /// result, each as a whole. A RankFailure says that ranks failed; other
  /// errors that the input is wrong.
  llvm::Expected<std::vector<TokenArray>>
  run(int64_t tokens, llvm::ArrayRef<TokenArray> arguments);

  /// Runs the program that was not partitioned, on one rank and on the same
  /// weights.
  llvm::Expected<std::vector<TokenArray>>
  runReference(int64_t tokens, llvm::ArrayRef<TokenArray> arguments);

private:
  struct State;
  explicit ModuleSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace moe::runner

#endif // MOE_RUNNER_MODULESESSION_H
