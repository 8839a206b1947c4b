// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Program.h"
#include "Module.h"

#include "moe/Bundle/BundleSource.h"
#include "moe/Runner/RunReport.h"

#include <cstring>

using namespace moe::capi;
using namespace moe::runner;

/// The caller's functions, by name.
static moe_diagnostic *readFunctions(const moe_compile_options &options,
                                     HostFunctions &functions) {
  if (options.function_count < 0 ||
      (options.function_count > 0 && !options.functions)) {
    return makeDiagnostic(MOE_WRONG_INPUT,
                          "expected function_count functions, but got " +
                              llvm::Twine(options.function_count));
  }
  for (int64_t i = 0; i < options.function_count; ++i) {
    const moe_function &function = options.functions[i];
    if (!function.name || !function.address) {
      return makeDiagnostic(MOE_WRONG_INPUT,
                            "expected a name and an address of function " +
                                llvm::Twine(i) + ", but got null");
    }
    functions[function.name] = reinterpret_cast<void *>(function.address);
  }
  return nullptr;
}

/// What the caller asks for, checked; the module is still to be named.
static moe_diagnostic *readCompileOptions(const moe_compile_options *given,
                                          SessionOptions &session) {
  moe_compile_options options = {};
  if (moe_diagnostic *wrong = readOptions(given, options)) {
    return wrong;
  }
  if (options.ranks < 0 || options.cores < 0 || !(options.deadline >= 0)) {
    return makeDiagnostic(
        MOE_WRONG_INPUT, "expected ranks, cores and deadline to be at least 0");
  }
  session.layer = toString(options.layer);
  session.plan.ranks = options.ranks;
  auto ask = [&](const char *option, const char *value) {
    if (value) {
      session.plan.options[option] = value;
    }
  };
  ask("mesh", options.mesh);
  ask("topology", options.topology);
  session.cpu = options.cpu ? options.cpu : "native";
  session.weights = toString(options.weights);
  session.seed = options.seed;
  session.deadlineSeconds = options.deadline;
  session.cores = options.cores;
  session.exitsWhenStuck = false;
  return readFunctions(options, session.functions);
}

/// Gives a session that is ready to run to the caller.
static moe_diagnostic *give(llvm::Expected<std::unique_ptr<Session>> session,
                            std::string name, moe_program **program) {
  if (!session) {
    return toDiagnostic(session.takeError());
  }
  if (llvm::Error error = (*session)->prepare()) {
    return toDiagnostic(std::move(error));
  }
  *program = new moe_program{std::move(*session), std::move(name)};
  return nullptr;
}

moe_diagnostic *moe_program_compile(const moe_module *module,
                                    const moe_compile_options *options,
                                    moe_program **program) {
  SessionOptions session;
  if (moe_diagnostic *wrong = readCompileOptions(options, session)) {
    return wrong;
  }
  session.modulePath = module->name;
  session.moduleText = serialize(module->module.get(), MOE_BYTECODE);
  return give(Session::create(session), module->name, program);
}

moe_diagnostic *moe_program_open(const char *path,
                                 const moe_compile_options *options,
                                 moe_program **program) {
  SessionOptions session;
  if (moe_diagnostic *wrong = readCompileOptions(options, session)) {
    return wrong;
  }
  session.modulePath = toString(path);
  llvm::Expected<std::unique_ptr<moe::bundle::BundleSource>> source =
      moe::bundle::BundleSource::open(session);
  if (!source) {
    return toDiagnostic(source.takeError());
  }
  return give(Session::create(std::move(*source), session), session.modulePath,
              program);
}

moe_diagnostic *moe_program_get_facts(const moe_program *program,
                                      moe_program_facts *facts) {
  moe_program_facts checked = {};
  if (moe_diagnostic *wrong = readOptions(facts, checked)) {
    return wrong;
  }
  const LayerFacts &layer = program->session->facts();
  moe_program_facts known = {};
  known.struct_size = facts->struct_size;
  known.dtype = layer.type == ElementType::F32 ? MOERT_F32 : MOERT_BF16;
  known.ranks = layer.ranks;
  known.hidden = layer.hidden;
  known.experts = layer.experts;
  known.choices = layer.choices;
  known.max_tokens = layer.maxTokens;
  known.static_tokens = layer.staticTokens.value_or(0);
  std::memcpy(facts, &known, known.struct_size);
  return nullptr;
}

/// Rows of the caller as an input of the session.
static LayerInput makeInput(const LayerFacts &facts,
                            const moe_buffers &buffers) {
  TokenArray tokens(facts.type, buffers.tokens, facts.hidden);
  if (!tokens.bytes.empty()) {
    std::memcpy(tokens.bytes.data(), buffers.input, tokens.bytes.size());
  }
  return {std::move(tokens), std::nullopt};
}

template <typename T> static void copyTo(const std::vector<T> &from, void *to) {
  if (to && !from.empty()) {
    std::memcpy(to, from.data(), from.size() * sizeof(T));
  }
}

/// Checks the caller's buffers against the program.
static moe_diagnostic *readBuffers(const LayerFacts &facts,
                                   const moe_buffers *given,
                                   moe_buffers &buffers) {
  if (!given) {
    return makeDiagnostic(MOE_WRONG_INPUT, "expected buffers, but got null");
  }
  if (moe_diagnostic *wrong = readOptions(given, buffers)) {
    return wrong;
  }
  if (llvm::Error error = facts.checkTokens(buffers.tokens)) {
    return toDiagnostic(std::move(error));
  }
  if (buffers.tokens > 0 && (!buffers.input || !buffers.output)) {
    return makeDiagnostic(
        MOE_WRONG_INPUT,
        "expected buffers for the input and the output, but got null");
  }
  return nullptr;
}

moe_diagnostic *moe_program_run(moe_program *program,
                                const moe_buffers *buffers, moe_text **stats) {
  Session &session = *program->session;
  moe_buffers checked = {};
  if (moe_diagnostic *wrong = readBuffers(session.facts(), buffers, checked)) {
    return wrong;
  }
  llvm::Expected<LayerRun> run =
      session.run(makeInput(session.facts(), checked));
  if (!run) {
    return toDiagnostic(run.takeError());
  }
  if (stats) {
    llvm::Expected<moe::report::Report> report =
        makeRunReport(session, *run, program->name, /*check=*/"");
    if (!report) {
      return toDiagnostic(report.takeError());
    }
    *stats = new moe_text();
    llvm::raw_string_ostream stream((*stats)->bytes);
    moe::report::renderJson(*report, stream);
  }
  copyTo(run->result.output.bytes, checked.output);
  copyTo(run->result.routing.experts, checked.experts);
  copyTo(run->result.routing.weights, checked.expert_weights);
  return nullptr;
}

void moe_program_destroy(moe_program *program) { delete program; }
