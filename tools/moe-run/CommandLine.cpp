// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CommandLine.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::runner;
namespace cl = llvm::cl;

static constexpr llvm::StringLiteral overview =
    R"(runs one MoE layer of a module on N ranks

A module that is not planned is planned with defaults: --ranks=N means the mesh
ep=N. Without --weights and --input, weights and tokens are random and depend on
--seed alone (docs/RandomData.md). Arrays are NPY: tokens and outputs float32
[tokens, hidden] in global order; a routing float32 [2, tokens, choices], experts
(-1: none) and then their weights.

Exit status: 0 all is well, 1 the input is wrong, 2 --check found a difference,
3 a rank failed.
)";

namespace {
/// The flags, alive while they are parsed.
struct Flags {
  cl::OptionCategory category{"moe-run options"};
  cl::opt<std::string> module{cl::Positional, cl::Required,
                              cl::desc("<module.mlir>"), cl::cat(category)};
  cl::opt<int64_t> ranks{"ranks", cl::desc("Number of ranks"),
                         cl::cat(category)};
  cl::opt<std::string> mesh{"mesh", cl::desc("Mesh axes, such as dp=2,ep=4"),
                            cl::cat(category)};
  cl::opt<std::string> topology{
      "topology", cl::desc("MLIR file with the cluster's comm.topology"),
      cl::value_desc("file"), cl::cat(category)};
  cl::opt<std::string> layer{
      "layer",
      cl::desc("Layer of the model (3, encoder.1); default: its first "
               "MoE layer"),
      cl::cat(category)};
  cl::opt<std::string> exchange{
      "exchange", cl::init("flat_exact"),
      cl::desc("Form of the exchanges of a module that is not planned: "
               "flat_exact or flat_bounded"),
      cl::cat(category)};
  cl::opt<bool> replan{"replan", cl::desc("Forget the module's own plan"),
                       cl::cat(category)};
  cl::opt<std::string> transport{"transport", cl::init("threads"),
                                 cl::desc("threads, mpi or nccl"),
                                 cl::cat(category)};
  cl::opt<std::string> device{"device", cl::init("cpu"),
                              cl::desc("cpu, emulated or gpu"),
                              cl::cat(category)};
  cl::opt<std::string> cpu{
      "cpu", cl::init("native"),
      cl::desc(
          "CPU to compile for, such as x86-64-v3 or x86-64-v4,+avx512bf16"),
      cl::cat(category)};
  cl::opt<std::string> weights{"weights",
                               cl::desc("Safetensors file, index or directory"),
                               cl::value_desc("path"), cl::cat(category)};
  cl::opt<uint64_t> seed{"seed", cl::desc("Seed of random weights and tokens"),
                         cl::cat(category)};
  cl::opt<std::string> input{"input", cl::desc("Tokens to run"),
                             cl::value_desc("x.npy"), cl::cat(category)};
  cl::opt<std::string> output{"output", cl::desc("Where outputs go"),
                              cl::value_desc("y.npy"), cl::cat(category)};
  cl::opt<int64_t> tokens{"tokens",
                          cl::desc("Number of random tokens (64, or what the "
                                   "module is compiled for)"),
                          cl::cat(category)};
  cl::opt<std::string> routingIn{
      "routing-in", cl::desc("Use this routing instead of the router's"),
      cl::value_desc("r.npy"), cl::cat(category)};
  cl::opt<std::string> routingOut{"routing-out",
                                  cl::desc("Where the routing goes"),
                                  cl::value_desc("r.npy"), cl::cat(category)};
  cl::opt<bool> check{
      "check",
      cl::desc("Compare, bit for bit, with one rank and no partitioning"),
      cl::cat(category)};
  cl::opt<std::string> stats{"stats", cl::desc("Where the report goes as JSON"),
                             cl::value_desc("stats.json"), cl::cat(category)};
  cl::opt<std::string> trace{"trace",
                             cl::desc("Where a Chrome trace of the ranks goes"),
                             cl::value_desc("trace.json"), cl::cat(category)};
  cl::opt<int32_t> cores{
      "cores",
      cl::desc("Ranks that compute at a time; default: the cores there are"),
      cl::cat(category)};
  cl::opt<int64_t> repeat{"repeat", cl::init(1),
                          cl::desc("Run so often and report the fastest"),
                          cl::cat(category)};
  cl::opt<int64_t> corruptExpert{
      "corrupt-expert", cl::init(-1), cl::Hidden,
      cl::desc("Zero an expert's weights on the ranks, so that --check fails"),
      cl::cat(category)};
};
} // namespace

static llvm::Error expectOneOf(llvm::StringRef flag, llvm::StringRef value,
                               llvm::ArrayRef<llvm::StringRef> built,
                               llvm::ArrayRef<llvm::StringRef> planned) {
  if (llvm::is_contained(built, value)) {
    return llvm::Error::success();
  }
  if (llvm::is_contained(planned, value)) {
    return llvm::createStringError(
        llvm::formatv("--{0}={1} is not built yet; expected {2}", flag, value,
                      llvm::join(built, " or ")));
  }
  return llvm::createStringError(
      llvm::formatv("expected --{0} to be {1}, {2}, but got '{3}'", flag,
                    llvm::join(built, ", "), llvm::join(planned, ", "), value));
}

static llvm::Error expectAtLeast(llvm::StringRef flag, int64_t value,
                                 int64_t least) {
  return value >= least ? llvm::Error::success()
                        : llvm::createStringError(llvm::formatv(
                              "expected --{0} to be at least {1}, but got "
                              "{2}",
                              flag, least, value));
}

static llvm::Error verify(const Flags &flags) {
  if (llvm::Error error = expectOneOf("transport", flags.transport, {"threads"},
                                      {"mpi", "nccl"})) {
    return error;
  }
  if (llvm::Error error =
          expectOneOf("device", flags.device, {"cpu"}, {"emulated", "gpu"})) {
    return error;
  }
  if (llvm::Error error = expectOneOf("exchange", flags.exchange,
                                      {"flat_exact", "flat_bounded"}, {})) {
    return error;
  }
  if (llvm::Error error = expectAtLeast(
          "ranks", flags.ranks.getNumOccurrences() ? flags.ranks : 1, 1)) {
    return error;
  }
  if (llvm::Error error = expectAtLeast("tokens", flags.tokens, 0)) {
    return error;
  }
  if (llvm::Error error = expectAtLeast("repeat", flags.repeat, 1)) {
    return error;
  }
  if (llvm::Error error = expectAtLeast("cores", flags.cores, 0)) {
    return error;
  }
  if (flags.tokens.getNumOccurrences() && !flags.input.empty()) {
    return llvm::createStringError(
        "expected --input or --tokens, but got both");
  }
  return llvm::Error::success();
}

llvm::Expected<CommandLine> CommandLine::parse(int argc, char **argv) {
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  cl::ParseCommandLineOptions(argc, argv, overview);
  if (llvm::Error error = verify(flags)) {
    return error;
  }
  CommandLine line;
  SessionOptions &session = line.session;
  session.modulePath = flags.module;
  session.layer = flags.layer;
  session.ranks = flags.ranks;
  session.mesh = flags.mesh;
  session.topology = flags.topology;
  session.exchange = flags.exchange;
  session.replan = flags.replan;
  session.cpu = flags.cpu;
  session.weights = flags.weights;
  session.seed = flags.seed;
  session.takesRouting = !flags.routingIn.empty();
  session.cores = flags.cores;
  session.repeat = flags.repeat;
  session.tracePath = flags.trace;
  line.input = flags.input;
  line.output = flags.output;
  line.routingIn = flags.routingIn;
  line.routingOut = flags.routingOut;
  line.stats = flags.stats;
  if (flags.tokens.getNumOccurrences()) {
    line.tokens = flags.tokens;
  }
  line.check = flags.check;
  line.corruptedExpert = flags.corruptExpert;
  return line;
}
