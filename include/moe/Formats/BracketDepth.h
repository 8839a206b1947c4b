// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- BracketDepth.h - How deep a text of MLIR nests -----------*- C++ -*-===//
//
// MLIR's parser calls itself once a bracket, so that a text which nests deep
// enough ends it by an overflow of the stack. What is to be parsed is counted
// first.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_FORMATS_BRACKETDEPTH_H
#define MOE_FORMATS_BRACKETDEPTH_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace moe::formats {

/// Deeper than any program, and far from the end of a thread's stack.
constexpr unsigned kMaxBracketDepth = 512;

/// Fails with a `FileError` at the first of `([{<` in `text` that is inside
/// `kMaxBracketDepth` others. Strings and comments do not count; bytecode is
/// not looked at.
llvm::Error checkBracketDepth(llvm::StringRef text, llvm::StringRef file);

} // namespace moe::formats

#endif // MOE_FORMATS_BRACKETDEPTH_H
