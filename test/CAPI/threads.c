// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- threads.c - A context a thread, at the same time -------------------===//

#define _POSIX_C_SOURCE 200809L

#include "host.h"

enum { threadCount = 4, turns = 2, tokenCount = 5 };

struct Worker {
  const char *path;
  moe_text *planned;
  float *output;
  int64_t values;
};

/// From a configuration to numbers, and an error on the way.
static void *work(void *argument) {
  struct Worker *worker = argument;
  for (int turn = 0; turn < turns; ++turn) {
    moe_text_destroy(worker->planned);
    free(worker->output);
    moe_context *context = NULL;
    succeed(moe_context_create(NULL, &context));
    moe_module *none = NULL;
    expectError(moe_module_parse(context, "moe.", 4, "none", &none),
                MOE_WRONG_INPUT, "");
    moe_module *module =
        makePlanned(context, worker->path,
                    "moe-extract-layer,moe-plan-pipeline{mesh=ep=2}");
    succeed(moe_module_write(module, MOE_TEXT, &worker->planned));
    moe_program *program = NULL;
    succeed(moe_program_compile(module, NULL, &program));
    moe_program_facts facts = {0};
    facts.struct_size = sizeof(facts);
    succeed(moe_program_get_facts(program, &facts));
    worker->values = tokenCount * facts.hidden;
    float *input = makeTokens(worker->values);
    worker->output = malloc((size_t)worker->values * sizeof(float));
    moe_buffers buffers = {sizeof(buffers), 0,    tokenCount, input,
                           worker->output,  NULL, NULL};
    succeed(moe_program_run(program, &buffers, NULL));
    free(input);
    moe_program_destroy(program);
    moe_module_destroy(module);
    moe_context_destroy(context);
  }
  return NULL;
}

int main(int argc, char **argv) {
  require(argc == 2, "expected a config.json");
  struct Worker workers[threadCount] = {{0}};
  pthread_t threads[threadCount];
  for (int i = 0; i < threadCount; ++i) {
    workers[i].path = argv[1];
    require(pthread_create(&threads[i], NULL, work, &workers[i]) == 0,
            "thread");
  }
  for (int i = 0; i < threadCount; ++i) {
    pthread_join(threads[i], NULL);
    require(strcmp(moe_text_data(workers[0].planned),
                   moe_text_data(workers[i].planned)) == 0,
            "the same plan");
    require(memcmp(workers[0].output, workers[i].output,
                   (size_t)workers[0].values * sizeof(float)) == 0,
            "the same output");
  }
  for (int i = 0; i < threadCount; ++i) {
    moe_text_destroy(workers[i].planned);
    free(workers[i].output);
  }
  puts("4 threads agree");
  return 0;
}
