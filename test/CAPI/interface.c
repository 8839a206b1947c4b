// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- interface.c - Modules, plans and programs through the C interface --===//

#include "host.h"

#include <math.h>

/// What the listener heard.
struct Heard {
  int remarks;
  int others;
};

static void listen(void *state, const moe_diagnostic *diagnostic) {
  struct Heard *heard = state;
  if (moe_diagnostic_severity(diagnostic) == MOE_REMARK ||
      moe_diagnostic_severity(diagnostic) == MOE_WARNING) {
    ++heard->remarks;
  } else {
    ++heard->others;
  }
}

static void testPositions(moe_context *context) {
  const char *text =
      "module {\n  func.func @f() {\n    return %0 : i32\n  }\n}";
  moe_module *module = NULL;
  moe_diagnostic *error =
      moe_module_parse(context, text, strlen(text), "broken.mlir", &module);
  require(error && !module, "broken text fails");
  require(moe_diagnostic_status(error) == MOE_WRONG_INPUT &&
              moe_diagnostic_severity(error) == MOE_ERROR,
          "status and severity");
  require(strcmp(moe_diagnostic_file(error), "broken.mlir") == 0, "file");
  require(moe_diagnostic_line(error) == 3 && moe_diagnostic_column(error) > 0,
          "line and column");
  require(strstr(moe_diagnostic_text(error), "broken.mlir:3:") != NULL, "text");
  moe_diagnostic_destroy(error);

  const char *twice = "func.func private @f()\nfunc.func private @f()\n";
  error =
      moe_module_parse(context, twice, strlen(twice), "twice.mlir", &module);
  require(error && moe_diagnostic_note_count(error) == 1, "one note");
  const moe_diagnostic *note = moe_diagnostic_note(error, 0);
  require(moe_diagnostic_severity(note) == MOE_NOTE &&
              moe_diagnostic_line(note) == 1,
          "the note has its own place");
  require(moe_diagnostic_note(error, 1) == NULL, "no second note");
  moe_diagnostic_destroy(error);

  const char *config = "{\n  \"model_type\": \"no_such\"\n}";
  error = moe_module_import_hf_config(context, config, strlen(config),
                                      "config.json", NULL, &module);
  require(error && moe_diagnostic_line(error) == 2, "a key's line");
  expectError(error, MOE_WRONG_INPUT, "no_such");
}

static void testPipelines(moe_context *context, const char *path) {
  moe_module *module = makePlanned(context, path, "moe-extract-layer");
  expectError(moe_module_run(module, "no-such-pass"), MOE_WRONG_INPUT,
              "pipeline: 'no-such-pass' does not refer to a registered pass");
  expectError(moe_module_run(module, "moe-plan-pipeline{"), MOE_WRONG_INPUT,
              "pipeline: ");
  moe_text *json = NULL;
  expectError(moe_module_report(module, MOE_REPORT_TRAFFIC, &json),
              MOE_WRONG_INPUT, "expected");
  expectError(moe_module_report(module, 7, &json), MOE_WRONG_INPUT, "got 7");
  expectError(moe_module_write(module, 2, &json), MOE_WRONG_INPUT, "got 2");
  succeed(moe_module_run(module, "moe-plan-pipeline{mesh=ep=4}"));
  succeed(moe_module_report(module, MOE_REPORT_PLACEMENT, &json));
  require(strstr(moe_text_data(json), "\"tables\"") != NULL &&
              strlen(moe_text_data(json)) == moe_text_size(json),
          "placement as JSON");
  moe_text_destroy(json);
  succeed(moe_module_report(module, MOE_REPORT_TRAFFIC, &json));
  require(strstr(moe_text_data(json), "dispatch") != NULL, "traffic as JSON");
  moe_text_destroy(json);
  moe_module_destroy(module);
}

/// Text and bytecode come back as the same module.
static void testRoundTrip(moe_context *context, const char *path) {
  moe_module *module = makePlanned(context, path, "moe-extract-layer");
  moe_text *text = NULL, *bytes = NULL;
  succeed(moe_module_write(module, MOE_TEXT, &text));
  succeed(moe_module_write(module, MOE_BYTECODE, &bytes));
  require(memcmp(moe_text_data(bytes), "ML\xEFR", 4) == 0, "bytecode");
  moe_module *again = NULL;
  succeed(moe_module_parse(context, moe_text_data(bytes), moe_text_size(bytes),
                           "bytes", &again));
  moe_text *printed = NULL;
  succeed(moe_module_write(again, MOE_TEXT, &printed));
  require(strcmp(moe_text_data(text), moe_text_data(printed)) == 0,
          "the same text");
  moe_text_destroy(printed);
  moe_text_destroy(bytes);
  moe_text_destroy(text);
  moe_module_destroy(again);
  moe_module_destroy(module);
}

/// What a newer caller hands over: fields that this library does not know.
struct NewerOptions {
  moe_compile_options known;
  int64_t appended;
};

/// The rule of struct_size, which moe.h states.
static void testSizes(moe_context *context, const char *path) {
  moe_context_options options = {0};
  moe_context *other = NULL;
  expectError(moe_context_create(&options, &other), MOE_VERSION_MISMATCH,
              "but got 0");
  options.struct_size = sizeof(options) - 8;
  expectError(moe_context_create(&options, &other), MOE_VERSION_MISMATCH,
              "expected struct_size");
  options.struct_size = UINT32_MAX;
  expectError(moe_context_create(&options, &other), MOE_VERSION_MISMATCH,
              "expected struct_size");
  require(other == NULL, "nothing is written after a failure");

  moe_module *module = makePlanned(context, path, "moe-extract-layer");
  moe_program *program = NULL;
  struct NewerOptions newer = {{0}, 0};
  newer.known.ranks = 2;
  newer.known.struct_size = sizeof(newer);
  newer.appended = 1;
  expectError(moe_program_compile(module, &newer.known, &program),
              MOE_VERSION_MISMATCH, "is set, but this library knows only");
  newer.appended = 0;
  succeed(moe_program_compile(module, &newer.known, &program));
  moe_program_destroy(program);

  // An older caller: what it lacks is nothing that it asks for.
  newer.known.struct_size = offsetof(moe_compile_options, plan_options);
  newer.known.plan_option_count = -1;
  succeed(moe_program_compile(module, &newer.known, &program));
  newer.known.struct_size -= 8;
  expectError(moe_program_compile(module, &newer.known, &program),
              MOE_VERSION_MISMATCH, "expected struct_size");
  moe_program_facts facts = {0};
  facts.struct_size = offsetof(moe_program_facts, layers);
  succeed(moe_program_get_facts(program, &facts));
  require(facts.ranks == 2 && facts.layers == 0,
          "no more than it has room for");
  facts.struct_size = sizeof(facts);
  succeed(moe_program_get_facts(program, &facts));
  require(facts.layers == 1 && facts.output_columns == facts.hidden,
          "all that there is");
  moe_program_destroy(program);
  moe_module_destroy(module);
}

/// What is asked of planning, by name.
static void testPlanOptions(moe_context *context, const char *path) {
  moe_module *module = makePlanned(
      context, path, "moe-extract-layer,moe-plan-pipeline{mesh=ep=4}");
  moe_compile_options options = {0};
  options.struct_size = sizeof(options);
  moe_plan_option asked[] = {{"placement", "round_robin"}, {"bound", "100"}};
  options.plan_option_count = 1;
  moe_program *program = NULL;
  expectError(moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
              "expected plan_option_count options, but got 1");
  options.plan_options = asked;
  expectError(
      moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
      "expected --placement=round_robin, but the module is planned with "
      "--placement=contiguous");
  options.replan = 1;
  options.ranks = 4;
  options.weight_memory = 1;
  succeed(moe_program_compile(module, &options, &program));
  static float input[7 * 96], output[7 * 96];
  moe_buffers buffers = {sizeof(buffers), 0, 7, input, output, NULL, NULL};
  moe_text *stats = NULL;
  succeed(moe_program_run(program, &buffers, &stats));
  require(strstr(moe_text_data(stats), "\"round_robin\"") != NULL,
          "the placement that was asked for");
  require(strstr(moe_text_data(stats), "\"file\"") != NULL,
          "weights in a file");
  moe_text_destroy(stats);
  moe_program_destroy(program);
  asked[1].name = "no-such-option";
  options.plan_option_count = 2;
  expectError(moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
              "expected an option of planning, but got 'no-such-option'");
  asked[1].name = "placement";
  expectError(moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
              "expected one value of the plan option 'placement'");
  asked[1].name = NULL;
  expectError(moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
              "of plan option 1, but got null");
  moe_module_destroy(module);
}

static void testProgram(moe_context *context, const char *path) {
  moe_module *module = makePlanned(context, path, "moe-extract-layer");
  moe_compile_options options = {0};
  options.struct_size = sizeof(options);
  options.ranks = 4;
  options.mesh = "ep=2";
  moe_program *program = NULL;
  expectError(moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
              "expected 4 ranks as asked for, but the mesh ep=2 has 2");
  options.mesh = NULL;
  options.cpu = "no-such-cpu";
  expectError(moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
              "no-such-cpu");
  options.cpu = NULL;
  options.seed = 3;
  succeed(moe_program_compile(module, &options, &program));
  // A program outlives its module.
  moe_module_destroy(module);

  moe_program_facts facts = {0};
  facts.struct_size = sizeof(facts);
  succeed(moe_program_get_facts(program, &facts));
  require(facts.ranks == 4 && facts.dtype == MOERT_F32, "ranks and type");
  const int64_t tokens = 13;
  size_t bytes = (size_t)(tokens * facts.hidden) * sizeof(float);
  float *input = makeTokens(tokens * facts.hidden);
  float *output = malloc(bytes);
  int32_t *experts = malloc((size_t)(tokens * facts.choices) * sizeof(int32_t));
  moe_buffers buffers = {sizeof(buffers), 0,       tokens, input,
                         output,          experts, NULL};
  moe_text *stats = NULL;
  succeed(moe_program_run(program, &buffers, &stats));
  require(strstr(moe_text_data(stats), "time by phase") != NULL, "stats");
  moe_text_destroy(stats);
  double sum = 0;
  for (int64_t i = 0; i < tokens * facts.hidden; ++i) {
    sum += fabs((double)output[i]);
  }
  require(sum > 0 && isfinite(sum), "numbers");
  for (int64_t i = 0; i < tokens * facts.choices; ++i) {
    require(experts[i] >= 0 && experts[i] < facts.experts, "experts");
  }
  buffers.tokens = facts.max_tokens + 1;
  expectError(moe_program_run(program, &buffers, NULL), MOE_WRONG_INPUT,
              "expected at most");
  buffers.tokens = -1;
  expectError(moe_program_run(program, &buffers, NULL), MOE_WRONG_INPUT,
              "expected a number of tokens of at least 0, but got -1");
  buffers.tokens = tokens;
  buffers.output = NULL;
  expectError(moe_program_run(program, &buffers, NULL), MOE_WRONG_INPUT,
              "but got null");
  free(experts);
  free(output);
  free(input);
  moe_program_destroy(program);
}

/// A bundle has no compiler behind it and gives the same bits.
static void testBundle(moe_context *context, const char *path,
                       const char *bundle) {
  enum { tokens = 7 };
  moe_program *none = NULL;
  moe_diagnostic *error = moe_program_open(path, NULL, &none);
  require(error && strcmp(moe_diagnostic_file(error), path) == 0,
          "the file that is no bundle");
  expectError(error, MOE_WRONG_INPUT, "expected a whole bundle");
  moe_compile_options options = {0};
  options.struct_size = sizeof(options);
  options.ranks = 3;
  expectError(moe_program_open(bundle, &options, &none), MOE_WRONG_INPUT,
              "expected --ranks=3");
  options.ranks = 4;
  moe_module *module = makePlanned(context, path, "moe-extract-layer");
  moe_program *programs[2] = {NULL, NULL};
  succeed(moe_program_compile(module, &options, &programs[0]));
  succeed(moe_program_open(bundle, &options, &programs[1]));
  moe_module_destroy(module);
  moe_program_facts facts = {0};
  facts.struct_size = sizeof(facts);
  succeed(moe_program_get_facts(programs[1], &facts));
  size_t values = (size_t)(tokens * facts.hidden);
  float *input = makeTokens((int64_t)values);
  float *outputs[2];
  for (int i = 0; i < 2; ++i) {
    outputs[i] = malloc(values * sizeof(float));
    moe_buffers buffers = {sizeof(buffers), 0,    tokens, input,
                           outputs[i],      NULL, NULL};
    succeed(moe_program_run(programs[i], &buffers, NULL));
    moe_program_destroy(programs[i]);
  }
  require(memcmp(outputs[0], outputs[1], values * sizeof(float)) == 0,
          "the bundle's bits");
  free(outputs[1]);
  free(outputs[0]);
  free(input);
}

int main(int argc, char **argv) {
  require(argc == 3, "expected a config.json and a bundle");
  require(moe_abi_version() == MOE_ABI_VERSION, "ABI version");
  require(strcmp(moe_version(), "0.1.0") >= 0, "version");
  require(moe_diagnostic_status(NULL) == MOE_OK, "no diagnostic is well");
  struct Heard heard = {0, 0};
  moe_context_options options = {sizeof(options), 1, listen, &heard};
  moe_context *context = NULL;
  succeed(moe_context_create(&options, &context));
  testSizes(context, argv[1]);
  testPlanOptions(context, argv[1]);
  testPositions(context);
  testPipelines(context, argv[1]);
  testRoundTrip(context, argv[1]);
  testProgram(context, argv[1]);
  testBundle(context, argv[1], argv[2]);
  require(heard.others == 0, "errors are returned and not told");
  moe_context_destroy(context);
  moe_context_destroy(NULL);
  puts("the interface holds");
  return 0;
}
