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

/// What the caller asks of planning, by name.
static moe_diagnostic *
readPlanOptions(const moe_compile_options &options,
                std::map<std::string, std::string> &asked) {
  if (options.plan_option_count < 0 ||
      (options.plan_option_count > 0 && !options.plan_options)) {
    return makeDiagnostic(MOE_WRONG_INPUT,
                          "expected plan_option_count options, but got " +
                              llvm::Twine(options.plan_option_count));
  }
  for (int64_t i = 0; i < options.plan_option_count; ++i) {
    const moe_plan_option &option = options.plan_options[i];
    if (!option.name || !option.value) {
      return makeDiagnostic(MOE_WRONG_INPUT,
                            "expected a name and a value of plan option " +
                                llvm::Twine(i) + ", but got null");
    }
    if (!asked.emplace(option.name, option.value).second) {
      return makeDiagnostic(MOE_WRONG_INPUT,
                            llvm::Twine("expected one value of the plan option "
                                        "'") +
                                option.name + "', but got another");
    }
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
  if (options.ranks < 0 || options.cores < 0 || !(options.deadline >= 0) ||
      options.weight_memory < 0) {
    return makeDiagnostic(
        MOE_WRONG_INPUT, "expected ranks, cores, deadline and weight_memory to "
                         "be at least 0");
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
  session.cpu = toString(options.cpu);
  session.weights = toString(options.weights);
  session.seed = options.seed;
  session.deadlineSeconds = options.deadline;
  session.cores = options.cores;
  session.exitsWhenStuck = false;
  session.replan = options.replan;
  session.overlaps = !options.no_overlap;
  if (options.weight_memory > 0) {
    session.weightMemory = options.weight_memory;
  }
  if (moe_diagnostic *wrong = readPlanOptions(options, session.plan.options)) {
    return wrong;
  }
  return readFunctions(options, session.functions);
}

/// Gives a session that is ready to run to the caller.
static moe_diagnostic *give(llvm::Expected<std::unique_ptr<Session>> session,
                            std::string name, moe_program **program) {
  if (!session) {
    return toDiagnostic(session.takeError());
  }
  if (llvm::Error error = (*session)->checkSignature()) {
    return toDiagnostic(std::move(error));
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

static moert_dtype toType(ElementType type) {
  return type == ElementType::F32 ? MOERT_F32 : MOERT_BF16;
}

moe_diagnostic *moe_program_get_facts(const moe_program *program,
                                      moe_program_facts *facts) {
  const Session &session = *program->session;
  const ProgramLayout &layout = session.planned().layout;
  const Port &input = *layout.findArgument(Port::Role::Tokens);
  const Port &output = *layout.findResult(Port::Role::Output);
  moe_program_facts known = {};
  known.dtype = toType(input.type);
  known.ranks = session.facts().ranks;
  known.hidden = input.columns;
  known.max_tokens = session.facts().maxTokens;
  known.static_tokens = session.facts().staticTokens.value_or(0);
  known.layers = static_cast<int64_t>(session.layers().size());
  if (known.layers > 0) {
    known.experts = session.layers().front().experts;
    known.choices = session.layers().front().traffic.choices;
  }
  known.output_columns = output.columns;
  known.output_dtype = toType(output.type);
  return giveFacts(known, facts);
}

moe_diagnostic *moe_program_get_layer(const moe_program *program, int64_t index,
                                      moe_layer_facts *facts) {
  llvm::ArrayRef<PlannedLayer> layers = program->session->layers();
  if (index < 0 || index >= static_cast<int64_t>(layers.size())) {
    return makeDiagnostic(MOE_WRONG_INPUT,
                          "expected a layer from 0 to " +
                              llvm::Twine(int64_t(layers.size()) - 1) +
                              ", but got " + llvm::Twine(index));
  }
  moe_layer_facts known = {};
  known.name = layers[index].name.c_str();
  known.experts = layers[index].experts;
  known.choices = layers[index].traffic.choices;
  return giveFacts(known, facts);
}

/// Rows of the caller as an input of the session.
static ProgramInput makeInput(const Session &session,
                              const moe_buffers &buffers) {
  const Port &port = *session.planned().layout.findArgument(Port::Role::Tokens);
  TokenArray tokens(port.type, buffers.tokens, port.columns);
  if (!tokens.bytes.empty()) {
    std::memcpy(tokens.bytes.data(), buffers.input, tokens.bytes.size());
  }
  return {buffers.tokens, {std::move(tokens)}, std::nullopt};
}

/// Copies to memory of the caller, if there is any, which moves on.
template <typename T> static void copyTo(const std::vector<T> &from, T *&to) {
  if (to) {
    to = std::copy(from.begin(), from.end(), to);
  }
}

static void giveResult(const ProgramResult &result,
                       const moe_buffers &buffers) {
  char *output = static_cast<char *>(buffers.output);
  copyTo(result.outputs.front().bytes, output);
  int32_t *experts = buffers.experts;
  float *weights = buffers.expert_weights;
  for (const RoutingArray &routing : result.routings) {
    copyTo(routing.experts, experts);
    copyTo(routing.weights, weights);
  }
}

/// Checks the caller's buffers against the program.
static moe_diagnostic *readBuffers(const ProgramFacts &facts,
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
  llvm::Expected<ProgramRun> run = session.run(makeInput(session, checked));
  if (!run) {
    return toDiagnostic(run.takeError());
  }
  if (stats) {
    llvm::Expected<moe::report::Report> report =
        makeRunReport(session, *run, {program->name});
    if (!report) {
      return toDiagnostic(report.takeError());
    }
    *stats = new moe_text();
    llvm::raw_string_ostream stream((*stats)->bytes);
    moe::report::renderJson(*report, stream);
  }
  giveResult(run->result, checked);
  return nullptr;
}

void moe_program_destroy(moe_program *program) { delete program; }
