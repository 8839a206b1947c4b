// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Program.h"

using namespace moe::capi;
using namespace moe::runner;

int32_t moe_frame_rank(const moert_frame *frame) {
  return moert_context_rank(frame->context);
}

void moe_frame_fail(moert_frame *frame, const char *message) {
  moert_context_abort(frame->context, MOERT_ABORTED, message ? message : "");
}

struct moe_rank {
  std::unique_ptr<HostedRank> hosted;
};

moe_diagnostic *moe_rank_join(const moe_program *program,
                              const moert_bootstrap *bootstrap,
                              moe_rank **rank) {
  if (!bootstrap) {
    return makeDiagnostic(MOE_WRONG_INPUT,
                          "expected a bootstrap table, but got null");
  }
  llvm::Expected<std::unique_ptr<HostedRank>> hosted =
      program->session->join(*bootstrap);
  if (!hosted) {
    return toDiagnostic(hosted.takeError());
  }
  *rank = new moe_rank{std::move(*hosted)};
  return nullptr;
}

static moe_part partOf(const HostedRank &rank, Port::Role role,
                       int64_t tokens) {
  Rectangle part = rank.partOf(role, tokens);
  return {part.rows.begin, part.rows.size(), part.columns.begin,
          part.columns.size()};
}

moe_part moe_rank_input_part(const moe_rank *rank, int64_t tokens) {
  return partOf(*rank->hosted, Port::Role::Tokens, tokens);
}

moe_part moe_rank_output_part(const moe_rank *rank, int64_t tokens) {
  return partOf(*rank->hosted, Port::Role::Output, tokens);
}

moe_diagnostic *moe_rank_run(moe_rank *rank, const moe_buffers *buffers) {
  if (!buffers) {
    return makeDiagnostic(MOE_WRONG_INPUT, "expected buffers, but got null");
  }
  moe_buffers given = {};
  if (moe_diagnostic *wrong = readOptions(buffers, given)) {
    return wrong;
  }
  return toDiagnostic(
      rank->hosted->run({given.tokens, given.input, given.output, given.experts,
                         given.expert_weights}));
}

void moe_rank_destroy(moe_rank *rank) { delete rank; }
