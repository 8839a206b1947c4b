// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Api.cpp - The C ABI over contexts and communicators ----------------===//
//
// Each function catches what the standard library may throw: no exception
// crosses the C ABI. Creating a context is in CreateContext.cpp.
//
//===----------------------------------------------------------------------===//

#include "core/Guarded.h"

using namespace moert;

void moert_context_destroy(moert_context *context) { delete context; }

int32_t moert_context_rank(const moert_context *context) {
  return context->rank;
}

int32_t moert_context_size(const moert_context *context) {
  return context->size;
}

moert_status moert_context_status(const moert_context *context,
                                  const char **text) {
  const Failure *failure = context->transport->failure();
  if (text) {
    *text = failure ? failure->text.c_str() : "";
  }
  return failure ? failure->status : MOERT_OK;
}

void moert_context_abort(moert_context *context, moert_status status,
                         const char *reason) {
  guarded(*context, [&] {
    context->abort(status == MOERT_OK ? MOERT_ABORTED : status,
                   reason ? reason : "aborted");
    return MOERT_OK;
  });
}

moert_status moert_context_query(const moert_context *context,
                                 moert_capability capability, int64_t *value) {
  return context->transport->query(capability, *value);
}

moert_status moert_context_acquire_core(moert_context *context) {
  return guarded(*context, [&] { return context->acquireCore(); });
}

void moert_context_release_core(moert_context *context) {
  context->transport->releaseCore();
}

moert_status moert_context_allocate(moert_context *context, int64_t bytes,
                                    void **pointer) {
  if (bytes < 0 || !pointer) {
    return MOERT_INVALID_ARGUMENT;
  }
  const moert_allocator &allocator = context->allocator;
  void *memory = allocator.allocate(allocator.state, bytes, 64);
  if (!memory && bytes > 0) {
    return MOERT_OUT_OF_MEMORY;
  }
  *pointer = memory;
  return MOERT_OK;
}

void moert_context_deallocate(moert_context *context, void *pointer,
                              int64_t bytes) {
  context->allocator.deallocate(context->allocator.state, pointer, bytes);
}

moert_status moert_context_bind_groups(moert_context *context,
                                       const moert_group_set *sets,
                                       int32_t count, int32_t *first) {
  return guarded(*context, [&]() -> moert_status {
    std::vector<GroupSet> checked(size_t(count < 0 ? 0 : count));
    for (size_t s = 0; s < checked.size(); ++s) {
      std::string error;
      moert_status status = readGroupSet(elementOf(sets, int32_t(s)),
                                         context->size, checked[s], error);
      if (status != MOERT_OK) {
        return context->fail(status, error);
      }
    }
    int32_t index = context->setCount();
    for (const GroupSet &set : checked) {
      context->bind(set);
    }
    if (context->status() == MOERT_OK && first) {
      *first = index;
    }
    return context->status();
  });
}

moert_status moert_context_comm(moert_context *context, int32_t set,
                                moert_comm **comm) {
  moert_comm *found = context->comm(set);
  if (!found) {
    return MOERT_INVALID_ARGUMENT;
  }
  *comm = found;
  return MOERT_OK;
}

int32_t moert_comm_rank(const moert_comm *comm) { return comm->rank; }

int32_t moert_comm_size(const moert_comm *comm) { return comm->size(); }

moert_status moert_comm_start(moert_comm *comm,
                              const moert_collective *collective,
                              moert_pending *pending) {
  return guarded(*comm->context, [&] {
    return comm->context->start(*comm, *collective, *pending);
  });
}

moert_status moert_comm_wait(moert_comm *comm, moert_pending pending) {
  return guarded(*comm->context,
                 [&] { return comm->context->wait(*comm, pending); });
}

moert_status moert_comm_run(moert_comm *comm,
                            const moert_collective *collective) {
  return guarded(*comm->context,
                 [&] { return comm->context->run(*comm, *collective); });
}

moert_status moert_context_synchronize(moert_context *context,
                                       moert_stream stream) {
  return guarded(*context, [&] { return context->synchronize(stream); });
}

int64_t moert_context_counter_count(const moert_context *context) {
  return int64_t(context->counters.all().size());
}

moert_status moert_context_counter(const moert_context *context, int64_t index,
                                   moert_counter *counter) {
  if (!counter || counter->struct_size < sizeof(moert_counter)) {
    return MOERT_VERSION_MISMATCH;
  }
  if (index < 0 || index >= moert_context_counter_count(context)) {
    return MOERT_INVALID_ARGUMENT;
  }
  const Counter &from = context->counters.all()[size_t(index)];
  counter->kind = from.kind;
  counter->id = from.id;
  counter->layer = from.layer;
  counter->set = from.set;
  counter->tier_count = int32_t(from.tiers.size());
  counter->calls = from.calls;
  double nsPerTick = context->timer.clock.nsPerTick();
  counter->wait_ns = int64_t(double(from.waitTicks) * nsPerTick);
  counter->move_ns = int64_t(double(from.moveTicks) * nsPerTick);
  counter->local = from.local;
  counter->tiers = from.tiers.data();
  return MOERT_OK;
}

moert_status moert_context_traffic(const moert_context *context,
                                   moert_kind kind, int32_t tier,
                                   moert_traffic *traffic) {
  if (tier < MOERT_TIER_LOCAL || tier >= moert_context_tier_count(context)) {
    return MOERT_INVALID_ARGUMENT;
  }
  *traffic = {0, 0};
  for (const Counter &counter : context->counters.all()) {
    if (kind < 0 || counter.kind == kind) {
      const moert_traffic &part = tier == MOERT_TIER_LOCAL
                                      ? counter.local
                                      : counter.tiers[size_t(tier)];
      traffic->bytes += part.bytes;
      traffic->messages += part.messages;
    }
  }
  return MOERT_OK;
}

int32_t moert_context_tier_count(const moert_context *context) {
  return int32_t(context->tiers.names.size());
}

const char *moert_context_tier_name(const moert_context *context,
                                    int32_t tier) {
  if (tier == MOERT_TIER_LOCAL) {
    return "local";
  }
  return tier >= 0 && tier < moert_context_tier_count(context)
             ? context->tiers.names[size_t(tier)].c_str()
             : nullptr;
}

moert_status moert_context_set_phase(moert_context *context,
                                     moert_phase phase) {
  if (phase < 0 || phase >= MOERT_PHASE_COUNT) {
    return MOERT_INVALID_ARGUMENT;
  }
  return guarded(*context, [&] {
    context->setPhase(phase);
    return MOERT_OK;
  });
}

moert_status moert_context_phase_ns(const moert_context *context,
                                    moert_phase phase, int64_t *ns) {
  if (phase < 0 || phase >= MOERT_PHASE_COUNT) {
    return MOERT_INVALID_ARGUMENT;
  }
  *ns = context->timer.ns(phase);
  return MOERT_OK;
}

void moert_context_reset_counters(moert_context *context) {
  context->resetCounters();
}

moert_status moert_context_write_trace(const moert_context *context,
                                       moert_write write, void *state) {
  try {
    std::string text =
        "[\n" + context->trace.json(context->rank, context->timer.clock) +
        "\n]\n";
    return write(state, text.data(), int64_t(text.size())) == 0
               ? MOERT_OK
               : MOERT_INTERNAL;
  } catch (...) {
    return MOERT_OUT_OF_MEMORY;
  }
}
