// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_TOOLS_FLAGS_FLAGVALUES_H
#define MOE_TOOLS_FLAGS_FLAGVALUES_H

#include "llvm/Option/ArgList.h"

#include <map>
#include <string>

namespace moe::tools {

/// The values of the flags of a group that are given, by the flags' names
/// without dashes; the last one counts.
inline std::map<std::string, std::string>
valuesOfGroup(const llvm::opt::InputArgList &flags,
              llvm::opt::OptSpecifier group) {
  std::map<std::string, std::string> values;
  for (const llvm::opt::Arg *flag : flags.filtered(group)) {
    llvm::StringRef name = flag->getOption().getName();
    values[name.rtrim('=').str()] = flag->getValue();
  }
  return values;
}

} // namespace moe::tools

#endif // MOE_TOOLS_FLAGS_FLAGVALUES_H
