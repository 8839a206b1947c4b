// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors as objects of the C interface, and what every entry point checks.
#ifndef MOE_LIB_CAPI_DIAGNOSTIC_H
#define MOE_LIB_CAPI_DIAGNOSTIC_H

#include "moe-c/moe.h"
#include "moe/Runner/SourceDiagnostic.h"

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

/// Copies the caller's options over `options`, whose fields are the defaults.
/// Fails where the struct is longer than this library knows, or has no size.
template <typename T> moe_diagnostic *readOptions(const T *given, T &options) {
  if (!given) {
    return nullptr;
  }
  if (given->struct_size < sizeof(given->struct_size) ||
      given->struct_size > sizeof(T)) {
    return makeDiagnostic(MOE_VERSION_MISMATCH,
                          "expected struct_size " + llvm::Twine(sizeof(T)) +
                              ", but got " + llvm::Twine(given->struct_size));
  }
  std::memcpy(&options, given, given->struct_size);
  return nullptr;
}

/// "" for null.
inline std::string toString(const char *text) { return text ? text : ""; }

} // namespace moe::capi

#endif // MOE_LIB_CAPI_DIAGNOSTIC_H
