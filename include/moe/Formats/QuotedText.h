// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text from a file that cannot be trusted, for use in an error of one line.
#ifndef MOE_FORMATS_QUOTEDTEXT_H
#define MOE_FORMATS_QUOTEDTEXT_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace moe::formats {

/// The text in single quotes; control characters and what is no UTF-8 as
/// "\0A"; at most 200 bytes of it.
std::string quoted(llvm::StringRef text);

} // namespace moe::formats

#endif // MOE_FORMATS_QUOTEDTEXT_H
