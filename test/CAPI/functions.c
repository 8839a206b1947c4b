// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- functions.c - Functions that the caller brings ---------------------===//
//
// A module declares `@scale` and says by its rule that it works token by token.
// The program calls the caller's, on each rank's own tokens.
//
//===----------------------------------------------------------------------===//

#include "host.h"

enum { tokenCount = 9, hidden = 16 };

static float factor = 1;

static void scale(moert_frame *frame, const moert_matrix *x, int64_t tokens,
                  moert_matrix *y) {
  int32_t rank = moe_frame_rank(frame);
  if (factor == 0) {
    moe_frame_fail(frame, "no factor");
    return;
  }
  require(tokens == tokenCount && x->sizes[0] == (rank < 1 ? 5 : 4) &&
              x->sizes[1] == hidden && y->strides[0] == hidden,
          "a rank's own tokens");
  const float *from = (const float *)x->data + x->offset;
  float *to = (float *)y->data + y->offset;
  for (int64_t i = 0; i < x->sizes[0] * x->sizes[1]; ++i) {
    to[i] = factor * from[i];
  }
}

static moe_module *readModule(moe_context *context, const char *path) {
  size_t size = 0;
  char *text = readFile(path, &size);
  moe_module *module = NULL;
  succeed(moe_module_parse(context, text, size, "scaled.mlir", &module));
  free(text);
  return module;
}

static void run(moe_program *program, const float *input, float *output) {
  moe_buffers buffers = {sizeof(buffers), 0,    tokenCount, input,
                         output,          NULL, NULL};
  succeed(moe_program_run(program, &buffers, NULL));
}

int main(int argc, char **argv) {
  require(argc == 3, "expected a config.json and a module");
  moe_context *context = NULL;
  succeed(moe_context_create(NULL, &context));
  moe_module *module = readModule(context, argv[2]);
  const moe_function functions[] = {{"scale", (void (*)(void))scale}};
  moe_compile_options options = {0};
  options.struct_size = sizeof(options);
  options.ranks = 2;

  moe_program *program = NULL;
  moe_diagnostic *error = moe_program_compile(module, &options, &program);
  require(error && moe_diagnostic_line(error) == 7 &&
              strcmp(moe_diagnostic_file(error), "scaled.mlir") == 0,
          "the place of the declaration");
  expectError(error, MOE_WRONG_INPUT,
              "expected the host to bring the function 'scale', which the "
              "module declares and does not define");
  options.function_count = 1;
  expectError(moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
              "expected function_count functions, but got 1");
  const moe_function nameless = {NULL, functions[0].address};
  options.functions = &nameless;
  expectError(moe_program_compile(module, &options, &program), MOE_WRONG_INPUT,
              "expected a name and an address of function 0, but got null");
  options.functions = functions;
  succeed(moe_program_compile(module, &options, &program));

  float *input = makeTokens(tokenCount * hidden);
  static float same[tokenCount * hidden], doubled[tokenCount * hidden];
  run(program, input, same);
  factor = -2;
  run(program, input, doubled);
  int64_t zeros = 0;
  for (int i = 0; i < tokenCount * hidden; ++i) {
    require(doubled[i] == -2 * same[i], "what the function makes of the sums");
    zeros += same[i] == 0;
  }
  require(zeros < tokenCount * hidden, "a layer that computes something");

  factor = 0;
  moe_buffers buffers = {sizeof(buffers), 0,    tokenCount, input,
                         doubled,         NULL, NULL};
  expectError(moe_program_run(program, &buffers, NULL), MOE_RANK_FAILED,
              "no factor");

  free(input);
  moe_program_destroy(program);
  moe_module_destroy(module);
  moe_context_destroy(context);
  puts("a function of the caller's ran on 2 ranks");
  return 0;
}
