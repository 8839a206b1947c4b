// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/ProgramFacts.h"

#include "llvm/Support/FormatVariadic.h"

using namespace moe::runner;
using llvm::formatv;

llvm::Error ProgramFacts::checkTokens(int64_t tokens) const {
  if (staticTokens && tokens != *staticTokens) {
    return llvm::createStringError(
        formatv("expected {0} tokens, which the module is compiled for, but "
                "got {1}",
                *staticTokens, tokens));
  }
  if (tokens < 0) {
    return llvm::createStringError(formatv(
        "expected a number of tokens of at least 0, but got {0}", tokens));
  }
  if (tokens > maxTokens) {
    return llvm::createStringError(
        formatv("expected at most {0} tokens (moe.max_tokens), but got {1}",
                maxTokens, tokens));
  }
  return llvm::Error::success();
}
