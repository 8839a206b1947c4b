// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- layers.c - A module of several layers, and as a bundle -------------===//
//
// Three layers of experts with dense parts and the caller's functions between
// them: compiled from the module, opened from a bundle, and on ranks of the
// caller's. All have the same bits, and the routing of each layer.
//
//===----------------------------------------------------------------------===//

#define _POSIX_C_SOURCE 200809L

#include "../Unit/Runtime/meeting.h"
#include "host.h"

#include <math.h>

enum { tokenCount = 13, hidden = 24, rankCount = 4, choiceCount = 5 };

static float *at(const moert_matrix *matrix, int64_t row, int64_t column) {
  return (float *)matrix->data + matrix->offset + row * matrix->strides[0] +
         column * matrix->strides[1];
}

/// y = x + tanh(z), token by token.
static void blend(moert_frame *frame, const moert_matrix *x,
                  const moert_matrix *z, int64_t tokens, moert_matrix *y) {
  (void)frame;
  (void)tokens;
  for (int64_t row = 0; row < x->sizes[0]; ++row) {
    for (int64_t column = 0; column < x->sizes[1]; ++column) {
      *at(y, row, column) = *at(x, row, column) + tanhf(*at(z, row, column));
    }
  }
}

/// y[t] = the mean of x[0 ... t], of all tokens.
static void runningMean(moert_frame *frame, const moert_matrix *x,
                        int64_t tokens, moert_matrix *y) {
  if (x->sizes[0] != tokens) {
    moe_frame_fail(frame, "expected all tokens");
    return;
  }
  for (int64_t column = 0; column < x->sizes[1]; ++column) {
    double sum = 0;
    for (int64_t row = 0; row < tokens; ++row) {
      sum += *at(x, row, column);
      *at(y, row, column) = (float)(sum / (double)(row + 1));
    }
  }
}

static const moe_function functions[] = {
    {"blend", (void (*)(void))blend},
    {"running_mean", (void (*)(void))runningMean}};

/// What a run gives: the output, and choices of 2, 1 and 2 experts a token.
struct Result {
  float output[tokenCount * hidden];
  int32_t experts[tokenCount * choiceCount];
  float weights[tokenCount * choiceCount];
};

static moe_buffers buffersOf(const float *input, struct Result *result) {
  moe_buffers buffers = {
      sizeof(buffers), 0, tokenCount, input, result->output, result->experts,
      result->weights};
  return buffers;
}

static moe_compile_options optionsOf(int64_t functionCount) {
  moe_compile_options options = {0};
  options.struct_size = sizeof(options);
  options.mesh = "dp=2,ep=2";
  options.seed = 5;
  options.functions = functions;
  options.function_count = functionCount;
  return options;
}

static moe_program *compile(const char *path) {
  moe_context *context = NULL;
  moe_module *module = NULL;
  moe_program *program = NULL;
  size_t size = 0;
  char *text = readFile(path, &size);
  succeed(moe_context_create(NULL, &context));
  succeed(moe_module_parse(context, text, size, path, &module));
  moe_compile_options options = optionsOf(2);
  options.layer = "1";
  expectError(
      moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
      "expected layer 1, but the module holds 3 layers in one function");
  options.layer = "all";
  succeed(moe_program_compile(module, &options, &program));
  moe_module_destroy(module);
  moe_context_destroy(context);
  free(text);
  return program;
}

static moe_program *open(const char *path) {
  moe_program *program = NULL;
  moe_compile_options options = optionsOf(1);
  moe_diagnostic *error = moe_program_open(path, &options, &program);
  require(error && strcmp(moe_diagnostic_file(error), path) == 0,
          "the bundle that needs a function");
  expectError(error, MOE_WRONG_INPUT,
              "expected the host to bring the function 'running_mean'");
  options.function_count = 2;
  options.layer = "0";
  expectError(
      moe_program_open(path, &options, &program), MOE_WRONG_INPUT,
      "expected layer 0, but the bundle holds 3 layers in one function");
  options.layer = NULL;
  succeed(moe_program_open(path, &options, &program));
  return program;
}

static void checkFacts(const moe_program *program) {
  moe_program_facts facts = {0};
  facts.struct_size = sizeof(facts);
  succeed(moe_program_get_facts(program, &facts));
  require(facts.layers == 3 && facts.ranks == rankCount && facts.experts == 8 &&
              facts.choices == 2 && facts.output_columns == hidden &&
              facts.max_tokens == 80,
          "what the program is");
  moe_layer_facts layer = {0};
  layer.struct_size = sizeof(layer);
  succeed(moe_program_get_layer(program, 1, &layer));
  require(strcmp(layer.name, "1") == 0 && layer.experts == 6 &&
              layer.choices == 1,
          "what its second layer is");
  expectError(moe_program_get_layer(program, 3, &layer), MOE_WRONG_INPUT,
              "expected a layer from 0 to 2, but got 3");
}

static void checkRouting(const struct Result *result) {
  static const int64_t choices[] = {2, 1, 2}, experts[] = {8, 6, 8};
  const int32_t *expert = result->experts;
  const float *weight = result->weights;
  for (int layer = 0; layer < 3; ++layer) {
    for (int64_t i = 0; i < tokenCount * choices[layer]; ++i) {
      require(*expert >= 0 && *expert < experts[layer] && *weight > 0 &&
                  *weight <= 1,
              "experts of a layer, and their weights");
      ++expert;
      ++weight;
    }
  }
}

struct Member {
  const moe_program *program;
  const float *input;
  struct Result result;
  moe_part part;
  struct Seat seat;
};

static void *runMember(void *argument) {
  struct Member *member = argument;
  moert_bootstrap bootstrap = bootstrapOf(&member->seat);
  moe_rank *rank = NULL;
  succeed(moe_rank_join(member->program, &bootstrap, &rank));
  member->part = moe_rank_input_part(rank, tokenCount);
  moe_buffers buffers = buffersOf(
      member->input + member->part.first_row * hidden, &member->result);
  succeed(moe_rank_run(rank, &buffers));
  moe_rank_destroy(rank);
  return NULL;
}

/// Each rank's rows, layer after layer, against those of all tokens.
static void checkMember(const struct Member *member,
                        const struct Result *expected) {
  static const int64_t choices[] = {2, 1, 2};
  int64_t first = member->part.first_row, rows = member->part.rows;
  require(memcmp(member->result.output, expected->output + first * hidden,
                 (size_t)(rows * hidden) * sizeof(float)) == 0,
          "a rank's rows");
  int64_t here = 0, all = 0;
  for (int layer = 0; layer < 3; ++layer) {
    int64_t from = all + first * choices[layer], count = rows * choices[layer];
    require(memcmp(member->result.experts + here, expected->experts + from,
                   (size_t)count * sizeof(int32_t)) == 0,
            "a rank's experts");
    require(memcmp(member->result.weights + here, expected->weights + from,
                   (size_t)count * sizeof(float)) == 0,
            "a rank's weights");
    here += count;
    all += tokenCount * choices[layer];
  }
}

static void runHosted(const moe_program *program, const float *input,
                      const struct Result *expected) {
  static struct Meeting meeting;
  static struct Member members[rankCount];
  pthread_t threads[rankCount];
  meeting.ranks = rankCount;
  require(pthread_barrier_init(&meeting.barrier, NULL, rankCount) == 0,
          "barrier");
  for (int32_t rank = 0; rank < rankCount; ++rank) {
    members[rank].program = program;
    members[rank].input = input;
    members[rank].seat.meeting = &meeting;
    members[rank].seat.rank = rank;
    require(pthread_create(&threads[rank], NULL, runMember, &members[rank]) ==
                0,
            "thread");
  }
  for (int32_t rank = 0; rank < rankCount; ++rank) {
    pthread_join(threads[rank], NULL);
    checkMember(&members[rank], expected);
  }
  pthread_barrier_destroy(&meeting.barrier);
}

/// The attention of a whole model: what it computes is the caller's business.
static void attention(moert_frame *frame, const moert_matrix *x,
                      const moert_matrix *q, const moert_matrix *k,
                      const moert_matrix *v, const moert_matrix *o,
                      const void *qNorm, const void *kNorm, int64_t tokens,
                      moert_matrix *y) {
  (void)qNorm;
  (void)kNorm;
  if (x->sizes[0] != tokens || q->sizes[0] != 64 || k->sizes[0] != 32 ||
      v->sizes[0] != 32 || o->sizes[1] != 64) {
    moe_frame_fail(frame, "expected all tokens and the weights of attention");
    return;
  }
  for (int64_t row = 0; row < tokens; ++row) {
    for (int64_t column = 0; column < x->sizes[1]; ++column) {
      *at(y, row, column) = 0.5f * *at(x, tokens - 1 - row, column);
    }
  }
}

/// All layers of a model, on so many ranks; the output is the caller's to free.
static float *runModel(const char *config, int32_t ranks) {
  moe_context *context = NULL;
  succeed(moe_context_create(NULL, &context));
  size_t size = 0;
  char *text = readFile(config, &size);
  moe_module *module = NULL;
  succeed(
      moe_module_import_hf_config(context, text, size, config, NULL, &module));
  free(text);
  moe_compile_options options = {0};
  options.struct_size = sizeof(options);
  options.ranks = ranks;
  options.layer = "all";
  moe_program *program = NULL;
  expectError(moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
              "expected the host to bring the function 'attention'");
  const moe_function brought = {"attention", (void (*)(void))attention};
  options.functions = &brought;
  options.function_count = 1;
  succeed(moe_program_compile(module, &options, &program));
  moe_program_facts facts = {0};
  facts.struct_size = sizeof(facts);
  succeed(moe_program_get_facts(program, &facts));
  require(facts.layers > 1 && facts.ranks == ranks, "several layers");
  float *input = makeTokens(tokenCount * facts.hidden);
  float *output = calloc((size_t)(tokenCount * facts.hidden), sizeof(float));
  moe_buffers buffers = {sizeof(buffers), 0,    tokenCount, input,
                         output,          NULL, NULL};
  succeed(moe_program_run(program, &buffers, NULL));
  free(input);
  moe_program_destroy(program);
  moe_module_destroy(module);
  moe_context_destroy(context);
  return output;
}

static void compareModels(const char *config) {
  float *alone = runModel(config, 1), *shared = runModel(config, 3);
  require(memcmp(alone, shared, (size_t)(tokenCount * 96) * sizeof(float)) ==
                  0 &&
              alone[0] != 0,
          "a whole model on 1 rank and on 3");
  free(shared);
  free(alone);
}

int main(int argc, char **argv) {
  require(argc == 4, "expected a config.json, a module and its bundle");
  moe_program *compiled = compile(argv[2]);
  moe_program *opened = open(argv[3]);
  checkFacts(compiled);
  checkFacts(opened);
  float *input = makeTokens(tokenCount * hidden);
  static struct Result results[2];
  moe_buffers buffers = buffersOf(input, &results[0]);
  moe_text *stats = NULL;
  succeed(moe_program_run(compiled, &buffers, &stats));
  require(strstr(moe_text_data(stats), "\"layers\"") != NULL, "stats");
  moe_text_destroy(stats);
  buffers = buffersOf(input, &results[1]);
  succeed(moe_program_run(opened, &buffers, NULL));
  require(memcmp(&results[0], &results[1], sizeof(results[0])) == 0,
          "the bundle's bits");
  checkRouting(&results[0]);
  runHosted(opened, input, &results[0]);
  compareModels(argv[1]);
  free(input);
  moe_program_destroy(opened);
  moe_program_destroy(compiled);
  puts("3 layers from a module, from a bundle, and on 4 ranks of the host "
       "agree");
  return 0;
}
