// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors as objects of the C interface, and what every entry point checks.
#ifndef MOE_LIB_CAPI_DIAGNOSTIC_H
#define MOE_LIB_CAPI_DIAGNOSTIC_H

#include "moe-c/moe.h"
#include "moe/Runner/SourceDiagnostic.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

struct moe_diagnostic {
  moe_status status = MOE_WRONG_INPUT;
  moe::runner::SourceDiagnostic reported;
  std::string text;
  std::vector<moe_diagnostic> notes;

  moe_diagnostic(moe_status status, moe::runner::SourceDiagnostic reported);
};

struct moe_text {
  std::string bytes;
};

namespace moe::capi {

/// Null for success.
moe_diagnostic *toDiagnostic(llvm::Error error);
moe_diagnostic *makeDiagnostic(moe_status status, const llvm::Twine &message);

/// Bytes of the first version of a struct: a caller has at least these. Structs
/// to which fields were appended have an entry of their own.
template <typename T> inline constexpr size_t firstSize = sizeof(T);
template <>
inline constexpr size_t firstSize<moe_compile_options> =
    offsetof(moe_compile_options, plan_options);
template <>
inline constexpr size_t firstSize<moe_program_facts> =
    offsetof(moe_program_facts, layers);

/// Why a struct that has `size` bytes cannot be read by a library that knows
/// `known` of them; null where it can.
moe_diagnostic *checkSize(const void *given, size_t size, size_t first,
                          size_t known);

/// Copies the caller's options over `options`, whose fields are the defaults of
/// those that an older caller does not have. Fails where nothing of the
/// struct's first version is there, or a newer caller has set what is not known
/// here.
template <typename T> moe_diagnostic *readOptions(const T *given, T &options) {
  if (!given) {
    return nullptr;
  }
  if (moe_diagnostic *wrong =
          checkSize(given, given->struct_size, firstSize<T>, sizeof(T))) {
    return wrong;
  }
  std::memcpy(&options, given, std::min<size_t>(given->struct_size, sizeof(T)));
  return nullptr;
}

/// Fills in a struct of the caller's, as far as both sides know it.
template <typename T> moe_diagnostic *giveFacts(T known, T *facts) {
  T checked = {};
  if (moe_diagnostic *wrong = readOptions(facts, checked)) {
    return wrong;
  }
  known.struct_size = facts->struct_size;
  std::memcpy(facts, &known, std::min<size_t>(facts->struct_size, sizeof(T)));
  return nullptr;
}

/// "" for null.
inline std::string toString(const char *text) { return text ? text : ""; }

} // namespace moe::capi

#endif // MOE_LIB_CAPI_DIAGNOSTIC_H
