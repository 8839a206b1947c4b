// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CreateContext.cpp - Joining a job through a bootstrap table --------===//

#include "core/Context.h"
#include "transports/Join.h"

#include <cstring>
#include <new>

namespace moert {

int64_t deadlineOf(const moert_options *options) {
  constexpr int64_t defaultDeadlineNs = 60000000000;
  int64_t asked = options ? options->deadline_ns : 0;
  return asked == 0 ? defaultDeadlineNs : asked;
}

bool runsOnDevices(const moert_options *options) {
  return options && options->transport &&
         std::strcmp(options->transport, "threads") != 0;
}

namespace {
/// The first words of a rank to the others, before it is clear that they speak
/// one language.
struct Greeting {
  moert_status status;
  int32_t onDevices;
  /// Who the rank says it is.
  int32_t rank;
};
} // namespace

static std::string explainAbsence(size_t rank, moert_status status) {
  return "rank " + std::to_string(rank) +
         " could not join: " + moert_status_name(status);
}

/// Whether all ranks want the same transport. Returns the same on all of them.
static moert_status greet(const Joining &joining, std::string &error) {
  const moert_bootstrap &table = joining.table;
  Greeting self = {joining.status,
                   joining.status == MOERT_OK && runsOnDevices(joining.options),
                   table.rank};
  std::vector<Greeting> greetings(size_t(table.size), self);
  if (table.size > 1 && table.all_gather(table.state, &self, sizeof(self),
                                         greetings.data()) != 0) {
    error = "the bootstrap table's all_gather failed";
    return MOERT_BOOTSTRAP_FAILED;
  }
  for (size_t r = 0; r < greetings.size(); ++r) {
    if (greetings[r].status != MOERT_OK) {
      error = error.empty() ? explainAbsence(r, greetings[r].status) : error;
      return joining.status != MOERT_OK ? joining.status : greetings[r].status;
    }
    if (greetings[r].rank != int32_t(r)) {
      error = "bootstrap: rank " + std::to_string(r) +
              " says that it is rank " + std::to_string(greetings[r].rank);
      return MOERT_INVALID_ARGUMENT;
    }
    if (greetings[r].onDevices != greetings[0].onDevices) {
      error =
          "rank " + std::to_string(r) + " passes another transport than rank 0";
      return MOERT_DIVERGED;
    }
  }
  return MOERT_OK;
}

static moert_status checkTable(const moert_bootstrap &table,
                               std::string &error) {
  error = checkSize("moert_bootstrap", &table);
  if (!error.empty()) {
    return MOERT_VERSION_MISMATCH;
  }
  if (table.size < 1 || table.rank < 0 || table.rank >= table.size ||
      (table.size > 1 && (!table.all_gather || !table.barrier))) {
    error = "bootstrap: rank " + std::to_string(table.rank) + " of " +
            std::to_string(table.size) + " is not a rank of a job";
    return MOERT_INVALID_ARGUMENT;
  }
  if (table.reserved != 0) {
    error = "bootstrap: expected 0 in reserved, but got " +
            std::to_string(table.reserved);
    return MOERT_INVALID_ARGUMENT;
  }
  return MOERT_OK;
}

static moert_status createContext(const moert_options *options,
                                  const moert_bootstrap *bootstrap,
                                  moert_context **context, std::string &error) {
  moert_bootstrap alone = {};
  alone.struct_size = sizeof(alone);
  alone.size = 1;
  const moert_bootstrap &table = bootstrap ? *bootstrap : alone;
  moert_status status = checkTable(table, error);
  if (status == MOERT_OK && !context) {
    error = "expected a place for the context";
    status = MOERT_INVALID_ARGUMENT;
  }
  if (status != MOERT_OK) {
    return status;
  }
  moert_options defaults = {};
  defaults.struct_size = sizeof(defaults);
  defaults.abi_version = MOERT_ABI_VERSION;
  ContextOptions kept;
  Joining joining = {options, table,
                     readOptions(options ? *options : defaults, table.size,
                                 table.rank, kept, error)};
  status = greet(joining, error);
  if (status != MOERT_OK) {
    return status;
  }
  if (runsOnDevices(options) && !options->tiers) {
    kept.tierNames = {"nccl"};
  }
  std::unique_ptr<Transport> transport;
  status = runsOnDevices(options) ? joinNccl(joining, transport, error)
                                  : joinThreads(joining, transport, error);
  if (status != MOERT_OK) {
    return status;
  }
  auto made = std::make_unique<moert_context>(
      table.rank, table.size, std::move(kept), std::move(transport));
  // Devices meet when the set of all ranks is bound.
  if (const Failure *failure = made->transport->failure()) {
    error = failure->text;
    return failure->status;
  }
  *context = made.release();
  return MOERT_OK;
}

} // namespace moert

moert_status moert_context_create(const moert_options *options,
                                  const moert_bootstrap *bootstrap,
                                  moert_context **context,
                                  moert_message *message) {
  try {
    std::string error;
    moert_status status =
        moert::createContext(options, bootstrap, context, error);
    return moert::report(message, status, error);
  } catch (const std::bad_alloc &) {
    return moert::report(message, MOERT_OUT_OF_MEMORY, "out of memory");
  } catch (...) {
    return moert::report(message, MOERT_INTERNAL, "internal error");
  }
}
