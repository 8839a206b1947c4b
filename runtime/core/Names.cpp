// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Names.cpp - Names and sizes of the ABI's enumerations --------------===//

#include "core/Failure.h"

#include <algorithm>
#include <cstring>

uint32_t moert_abi_version(void) { return MOERT_ABI_VERSION; }

const char *moert_status_name(moert_status status) {
  switch (status) {
  case MOERT_OK:
    return "ok";
  case MOERT_INVALID_ARGUMENT:
    return "invalid argument";
  case MOERT_UNSUPPORTED:
    return "unsupported";
  case MOERT_VERSION_MISMATCH:
    return "version mismatch";
  case MOERT_OUT_OF_MEMORY:
    return "out of memory";
  case MOERT_DIVERGED:
    return "diverged";
  case MOERT_RANK_EXITED:
    return "rank exited";
  case MOERT_RANK_FAILED:
    return "rank failed";
  case MOERT_TIMED_OUT:
    return "timed out";
  case MOERT_BOUND_EXCEEDED:
    return "bound exceeded";
  case MOERT_ABORTED:
    return "aborted";
  case MOERT_BOOTSTRAP_FAILED:
    return "bootstrap failed";
  case MOERT_INTERNAL:
    return "internal error";
  default:
    return "unknown";
  }
}

const char *moert_kind_name(moert_kind kind) {
  static const char *const names[MOERT_KIND_COUNT] = {
      "all_to_all_v",   "all_to_all", "all_gather", "all_gather_v",
      "reduce_scatter", "all_reduce", "barrier"};
  return kind >= 0 && kind < MOERT_KIND_COUNT ? names[kind] : "unknown";
}

const char *moert_phase_name(moert_phase phase) {
  static const char *const names[MOERT_PHASE_COUNT] = {
      "router", "layout",  "permute", "exchange", "experts",
      "shared", "combine", "other",   "wait"};
  return phase >= 0 && phase < MOERT_PHASE_COUNT ? names[phase] : "unknown";
}

int64_t moert_dtype_bytes(moert_dtype dtype) {
  switch (dtype) {
  case MOERT_F8E4M3:
  case MOERT_F8E5M2:
  case MOERT_INT8:
    return 1;
  case MOERT_BF16:
  case MOERT_F16:
  case MOERT_INT16:
    return 2;
  case MOERT_F32:
  case MOERT_INT32:
    return 4;
  case MOERT_INT64:
    return 8;
  default:
    return 0;
  }
}

moert_status moert::report(moert_message *message, moert_status status,
                           const std::string &text) {
  if (message && message->struct_size >= sizeof(moert_message)) {
    message->status = status;
    size_t length = std::min<size_t>(text.size(), MOERT_MESSAGE_BYTES - 1);
    std::memcpy(message->text, text.data(), length);
    message->text[length] = 0;
  }
  return status;
}
