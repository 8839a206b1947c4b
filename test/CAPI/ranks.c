// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ranks.c - Threads, bootstrap and buffers of the host ---------------===//
//
// The ranks of a program are the host's own threads, meet through its own
// table and compute where its buffers are; the result has the bits of a run
// that the library does alone.
//
//===----------------------------------------------------------------------===//

#define _POSIX_C_SOURCE 200809L

#include "../Unit/Runtime/meeting.h"
#include "host.h"

enum { rankCount = 3, tokenCount = 17 };

struct Job {
  moe_program *program;
  moe_program_facts facts;
  const float *input;
  float *output;
  int32_t *experts;
  float *weights;
  struct Meeting meeting;
};

struct Member {
  struct Job *job;
  struct Seat seat;
};

/// Runs twice: a rank keeps its place in the job.
static void *runMember(void *argument) {
  struct Member *member = argument;
  struct Job *job = member->job;
  moert_bootstrap bootstrap = bootstrapOf(&member->seat);
  moe_rank *rank = NULL;
  succeed(moe_rank_join(job->program, &bootstrap, &rank));
  moe_part part = moe_rank_input_part(rank, tokenCount);
  moe_part output = moe_rank_output_part(rank, tokenCount);
  require(part.columns == job->facts.hidden && part.first_column == 0 &&
              output.first_row == part.first_row && output.rows == part.rows,
          "a rank holds whole rows");
  int64_t first = part.first_row;
  moe_buffers buffers = {sizeof(buffers),
                         0,
                         tokenCount,
                         job->input + first * part.columns,
                         job->output + first * part.columns,
                         job->experts + first * job->facts.choices,
                         job->weights + first * job->facts.choices};
  for (int turn = 0; turn < 2; ++turn) {
    succeed(moe_rank_run(rank, &buffers));
  }
  buffers.tokens = job->facts.max_tokens + 1;
  expectError(moe_rank_run(rank, &buffers), MOE_WRONG_INPUT,
              "expected at most");
  moe_rank_destroy(rank);
  return NULL;
}

static void *runAlone(void *argument) {
  struct Member *member = argument;
  moert_bootstrap bootstrap = {0};
  bootstrap.struct_size = sizeof(bootstrap);
  bootstrap.size = 1;
  moe_rank *rank = NULL;
  expectError(moe_rank_join(member->job->program, &bootstrap, &rank),
              MOE_WRONG_INPUT, "expected a bootstrap table of 3 ranks");
  expectError(moe_rank_join(member->job->program, NULL, &rank), MOE_WRONG_INPUT,
              "but got null");
  return NULL;
}

static moe_program *compile(const char *path) {
  moe_context *context = NULL;
  succeed(moe_context_create(NULL, &context));
  moe_module *module = makePlanned(
      context, path, "moe-extract-layer,moe-plan-pipeline{mesh=ep=3}");
  moe_program *program = NULL;
  succeed(moe_program_compile(module, NULL, &program));
  moe_module_destroy(module);
  moe_context_destroy(context);
  return program;
}

int main(int argc, char **argv) {
  require(argc == 2, "expected a config.json");
  static struct Job job;
  job.program = compile(argv[1]);
  job.facts.struct_size = sizeof(job.facts);
  succeed(moe_program_get_facts(job.program, &job.facts));
  size_t values = (size_t)(tokenCount * job.facts.hidden);
  size_t choices = (size_t)(tokenCount * job.facts.choices);
  // Aligned to an element and to nothing more.
  float *input = makeTokens((int64_t)values + 1) + 1;
  float *expected = malloc(values * sizeof(float));
  int32_t *experts = malloc(choices * sizeof(int32_t));
  float *weights = malloc(choices * sizeof(float));
  job.input = input;
  float *room = malloc((values + 1) * sizeof(float));
  job.output = room + 1;
  job.experts = malloc(choices * sizeof(int32_t));
  job.weights = malloc(choices * sizeof(float));
  moe_buffers buffers = {sizeof(buffers), 0,       tokenCount, input,
                         expected,        experts, weights};
  succeed(moe_program_run(job.program, &buffers, NULL));

  job.meeting.ranks = rankCount;
  require(pthread_barrier_init(&job.meeting.barrier, NULL, rankCount) == 0,
          "barrier");
  struct Member members[rankCount];
  pthread_t threads[rankCount];
  for (int32_t rank = 0; rank < rankCount; ++rank) {
    members[rank].job = &job;
    members[rank].seat.meeting = &job.meeting;
    members[rank].seat.rank = rank;
    require(pthread_create(&threads[rank], NULL, runMember, &members[rank]) ==
                0,
            "thread");
  }
  for (int32_t rank = 0; rank < rankCount; ++rank) {
    pthread_join(threads[rank], NULL);
  }
  require(memcmp(expected, job.output, values * sizeof(float)) == 0,
          "the same output");
  require(memcmp(experts, job.experts, choices * sizeof(int32_t)) == 0,
          "the same experts");
  require(memcmp(weights, job.weights, choices * sizeof(float)) == 0,
          "the same weights");
  runAlone(&members[0]);

  pthread_barrier_destroy(&job.meeting.barrier);
  free(job.weights);
  free(job.experts);
  free(job.output - 1);
  free(weights);
  free(experts);
  free(expected);
  free(input - 1);
  moe_program_destroy(job.program);
  puts("3 ranks of the host agree with the library's");
  return 0;
}
