// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running a program of a module on N ranks of this process: load, plan,
// compile, bring the weights, run, compare with the program of one rank. A
// program is one layer of experts that is taken out of a model, or a public
// function with any number of them, dense parts and functions of the host. The
// header needs no MLIR; moe-run and the embedding APIs are thin layers over it.
#ifndef MOE_RUNNER_SESSION_H
#define MOE_RUNNER_SESSION_H

#include "moe/Runner/CompareOutputs.h"
#include "moe/Runner/HostFunctions.h"
#include "moe/Runner/HostedRank.h"
#include "moe/Runner/PlanRequest.h"
#include "moe/Runner/PlannedProgram.h"

#include <memory>

namespace moe::runner {

struct SessionOptions {
  /// A module of any level up to planned; "-" reads the standard input.
  std::string modulePath;
  /// The module itself, text or bytecode; then `modulePath` only names it in
  /// messages.
  std::optional<std::string> moduleText;
  /// The model's number or name of the layer; "all": the model's function, with
  /// all of its layers; empty: its first MoE layer, or the public function of a
  /// module without a model.
  std::string layer;

  /// How a module that is not planned is planned, and what a plan that is there
  /// must agree with.
  PlanRequest plan;
  /// Forget the module's own plan first.
  bool replan = false;

  /// What ranks run on.
  PlatformOptions platform;
  /// The CPU that code is for, as CPUTarget::parse takes it; empty: this
  /// machine's, or a bundle's own.
  std::string cpu;
  /// LLVM's -O level, 0 to 3, of code that is compiled into this process. It
  /// changes how long code takes to compile and to run, and no result.
  unsigned optLevel = 3;
  /// Exchanges are started early and waited for late.
  bool overlaps = true;
  /// A safetensors file, index or directory; empty: random weights by `seed`.
  std::string weights;
  uint64_t seed = 0;
  /// Bytes of memory for weights, beyond which they lie in a file; none: most
  /// of what is available.
  std::optional<int64_t> weightMemory;
  /// The routing of the program's only layer is an input and not computed.
  bool takesRouting = false;
  /// What the module declares and the host brings.
  HostFunctions functions;

  /// Ranks that compute at a time; 0: as many as there are cores.
  int32_t cores = 0;
  /// Times that the program runs; the fastest counts.
  int64_t repeat = 1;
  /// A Chrome trace of the run; empty: none.
  std::string tracePath;
  /// The run ends when no rank gets further for so long; 0: 60 seconds.
  double deadlineSeconds = 0;
  /// A rank that does not return after the run has failed ends the process;
  /// else the run waits for it.
  bool exitsWhenStuck = true;
  /// When data moves: MOERT_MOVE_ANYTIME but in tests.
  moert_movement movement = MOERT_MOVE_ANYTIME;
  /// A rank that never runs its program, for tests; -1: none.
  int64_t stalledRank = -1;
};

struct ProgramInput {
  /// Of all ranks together.
  int64_t tokens = 0;
  /// Each as a whole, in the order of the function's signature.
  std::vector<TokenArray> arguments;
  /// Given exactly with SessionOptions::takesRouting.
  std::optional<RoutingArray> routing;
};

struct ProgramRun {
  ProgramResult result;
  RunMeasurement measurement;
};

class Session {
public:
  /// Reads and plans the module and finds its weights; nothing is compiled
  /// yet. Errors are one line; those about the module begin with file and
  /// position.
  static llvm::Expected<std::unique_ptr<Session>>
  create(const SessionOptions &options);
  /// The same for programs that are there; what the options say of a module
  /// and its plan is for who has made the source.
  static llvm::Expected<std::unique_ptr<Session>>
  create(std::unique_ptr<ProgramSource> source, const SessionOptions &options);
  ~Session();

  const PlannedProgram &planned() const;
  /// Of its ranks.
  llvm::StringRef transport() const;
  const ProgramFacts &facts() const;
  llvm::ArrayRef<PlannedLayer> layers() const;

  /// Fails unless the program takes one matrix of tokens and gives one, which
  /// is what the following two make and tools and the C interface pass on.
  llvm::Error checkSignature() const;
  /// The tokens of a float32 NPY file, or random ones by the seed, in the
  /// module's type. Fails, before anything is allocated, on a number of tokens
  /// that the module is not for or that memory does not hold.
  llvm::Expected<ProgramInput> readInput(llvm::StringRef path) const;
  llvm::Expected<ProgramInput> randomInput(int64_t tokens) const;

  /// Compiles and loads weights if that has not been done, then runs. A
  /// RankFailure says that ranks failed; other errors that the input is wrong.
  llvm::Expected<ProgramRun> run(const ProgramInput &input);

  /// Compiles and loads weights if that has not been done.
  llvm::Error prepare();

  /// Makes the calling thread a rank of the program: a collective call of all
  /// ranks, after `prepare`, each on a thread of its own. `bootstrap` must
  /// have as many ranks as facts() says. The session must outlive the rank.
  llvm::Expected<std::unique_ptr<HostedRank>>
  join(const moert_bootstrap &bootstrap) const;

  /// Runs the program that was not partitioned, on one rank and on the same
  /// packed weights.
  llvm::Expected<ProgramResult> runReference(const ProgramInput &input);

  /// Where the expert of a difference is: "slot 1 of rank 2"; in a program of
  /// several layers "slot 1 of rank 2 in layer 3".
  std::string slotOf(const Difference &difference, int64_t tokens) const;
  /// Bytes counted against those planned for the routings that occurred: "" or
  /// the first difference. Fails where a routing does not fit its placement.
  /// Nothing is compared where devices pad what they send.
  llvm::Expected<std::string> checkTraffic(const ProgramRun &run) const;

  /// Bytes of the packed weights in this process.
  int64_t weightBytes() const;
  /// Whether they lie in a file, since memory did not hold them.
  bool weightsAreOnDisk() const;

  /// Makes the weights of one expert of each layer wrong for the ranks, not for
  /// the reference: for tests of the comparison.
  void corruptExpert(int64_t expert);

private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace moe::runner

#endif // MOE_RUNNER_SESSION_H
