// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a layer of a model, the function of a module, or a bundle on N ranks of
// this process.

#include "CommandLine.h"

#include "moe/Bundle/BundleSource.h"
#include "moe/Formats/FileError.h"
#include "moe/Formats/OutputFile.h"
#include "moe/Runner/DeviceCheck.h"
#include "moe/Runner/RunReport.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::formats;
using namespace moe::runner;

namespace {
enum ExitStatus {
  AllIsWell = 0,
  WrongInput = 1,
  Different = 2,
  RankFailed = 3
};
} // namespace

static int fail(llvm::Error error) {
  int status = error.isA<RankFailure>() ? RankFailed : WrongInput;
  llvm::errs() << "error: " << llvm::toString(std::move(error)) << '\n';
  return status;
}

/// The only layer of a program, whose routing `flag` is about.
static llvm::Expected<const PlannedLayer *>
findOnlyLayer(const Session &session, const char *flag) {
  if (session.layers().size() == 1) {
    return &session.layers().front();
  }
  return llvm::createStringError(
      llvm::formatv("expected a program of one layer with {0}, but got {1}",
                    flag, session.layers().size()));
}

static llvm::Expected<ProgramInput> makeInput(const Session &session,
                                              const CommandLine &line) {
  int64_t usual = session.facts().staticTokens.value_or(
      std::min<int64_t>(64, session.facts().maxTokens));
  llvm::Expected<ProgramInput> input =
      line.input.empty() ? session.randomInput(line.tokens.value_or(usual))
                         : session.readInput(line.input);
  if (!input || line.routingIn.empty()) {
    return input;
  }
  llvm::Expected<const PlannedLayer *> layer =
      findOnlyLayer(session, "--routing-in");
  if (!layer) {
    return layer.takeError();
  }
  llvm::Expected<RoutingArray> routing = RoutingArray::read(
      line.routingIn, (*layer)->traffic.choices, (*layer)->experts);
  if (!routing) {
    return routing.takeError();
  }
  if (routing->tokens != input->tokens) {
    return fileError({line.routingIn},
                     "expected a routing of " + llvm::Twine(input->tokens) +
                         " tokens, but got " + llvm::Twine(routing->tokens));
  }
  input->routing = std::move(*routing);
  return input;
}

/// What the run will write must have a place before there is anything to lose.
static llvm::Error checkOutputs(const CommandLine &line) {
  for (const std::string &path :
       {line.output, line.routingOut, line.stats, line.session.tracePath}) {
    if (path.empty()) {
      continue;
    }
    if (llvm::Error error = expectWritable(path)) {
      return error;
    }
  }
  return llvm::Error::success();
}

static llvm::Error writeArrays(const CommandLine &line,
                               const ProgramResult &result) {
  if (!line.output.empty()) {
    const TokenArray &output = result.outputs.front();
    NumpyArray array(NumpyType::Float32, {output.rows, output.columns});
    llvm::copy(output.toFloats(), array.values<float>().begin());
    if (llvm::Error error = array.write(line.output)) {
      return error;
    }
  }
  return line.routingOut.empty()
             ? llvm::Error::success()
             : result.routings.front().write(line.routingOut);
}

static llvm::Error writeReport(const CommandLine &line, const Session &session,
                               const ProgramRun &run, llvm::StringRef check) {
  llvm::Expected<moe::report::Report> report =
      makeRunReport(session, run, {line.session.modulePath, check.str()});
  if (!report) {
    return report.takeError();
  }
  if (!line.stats.empty()) {
    llvm::Error error = writeFile(line.stats, [&](llvm::raw_ostream &os) {
      moe::report::renderJson(*report, os);
    });
    if (error) {
      return error;
    }
  }
  if (line.stats == "-") {
    return llvm::Error::success();
  }
  return writeFile("-", [&](llvm::raw_ostream &os) {
    moe::report::renderText(*report, os);
  });
}

/// How the results differ from those of one rank; empty if they do not.
static llvm::Expected<std::string> checkResults(Session &session,
                                                const CommandLine &line,
                                                const ProgramInput &input,
                                                const ProgramRun &run) {
  if (line.session.platform.target() == ProgramTarget::GPU) {
    return checkOnDevices(line.session, input, run);
  }
  llvm::Expected<ProgramResult> expected = session.runReference(input);
  if (!expected) {
    return expected.takeError();
  }
  std::optional<Difference> difference = compareResults(*expected, run.result);
  return difference
             ? toString(*difference, session.slotOf(*difference, input.tokens))
             : std::string();
}

/// What --check found: the exit status and a line for the report.
static llvm::Expected<int> check(Session &session, const CommandLine &line,
                                 const ProgramInput &input,
                                 const ProgramRun &run, std::string &text) {
  llvm::Expected<std::string> found = checkResults(session, line, input, run);
  if (found && found->empty()) {
    found = session.checkTraffic(run);
  }
  if (!found) {
    return found.takeError();
  }
  text = std::move(*found);
  if (!text.empty()) {
    llvm::errs() << "error: " << text << '\n';
    return Different;
  }
  text = line.session.platform.target() == ProgramTarget::GPU
             ? "bit-identical to one device, within tolerance of the CPU"
             : "bit-identical to one rank without partitioning";
  return AllIsWell;
}

/// On a bundle, without the compiler, or on a module.
static llvm::Expected<std::unique_ptr<Session>>
openSession(const SessionOptions &options) {
  if (!moe::bundle::isBundle(options.modulePath)) {
    return Session::create(options);
  }
  llvm::Expected<std::unique_ptr<moe::bundle::BundleSource>> source =
      moe::bundle::BundleSource::open(options);
  if (!source) {
    return source.takeError();
  }
  return Session::create(std::move(*source), options);
}

/// A program that takes and gives what this tool can.
static llvm::Expected<std::unique_ptr<Session>>
createSession(const CommandLine &line) {
  llvm::Expected<std::unique_ptr<Session>> session = openSession(line.session);
  if (!session) {
    return session;
  }
  if (llvm::Error error = (*session)->checkSignature()) {
    return error;
  }
  if (!line.routingOut.empty()) {
    if (llvm::Error error =
            findOnlyLayer(**session, "--routing-out").takeError()) {
      return error;
    }
  }
  return session;
}

static llvm::Expected<int> run(const CommandLine &line) {
  if (llvm::Error error = checkOutputs(line)) {
    return error;
  }
  llvm::Expected<std::unique_ptr<Session>> session = createSession(line);
  if (!session) {
    return session.takeError();
  }
  llvm::Expected<ProgramInput> input = makeInput(**session, line);
  if (!input) {
    return input.takeError();
  }
  (*session)->corruptExpert(line.corruptedExpert);
  llvm::Expected<ProgramRun> result = (*session)->run(*input);
  if (!result) {
    return result.takeError();
  }
  if (llvm::Error error = writeArrays(line, result->result)) {
    return error;
  }
  llvm::Expected<int> status = AllIsWell;
  std::string text;
  if (line.check) {
    status = check(**session, line, *input, *result, text);
    if (!status) {
      return status.takeError();
    }
  }
  if (llvm::Error error = writeReport(line, **session, *result, text)) {
    return error;
  }
  return status;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::Expected<CommandLine> line =
      CommandLine::parse(llvm::ArrayRef(argv, argc).drop_front());
  if (!line) {
    return fail(line.takeError());
  }
  if (line->help) {
    llvm::Error error = writeFile("-", CommandLine::printHelp);
    return error ? fail(std::move(error)) : AllIsWell;
  }
  llvm::Expected<int> status = run(*line);
  return status ? *status : fail(status.takeError());
}
