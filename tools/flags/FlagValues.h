// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all our tools do with the words of their command lines.
#ifndef MOE_TOOLS_FLAGS_FLAGVALUES_H
#define MOE_TOOLS_FLAGS_FLAGVALUES_H

#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"

#include <map>
#include <string>

namespace moe::tools {

/// Fails on words that are no flags of the table, and on flags without the
/// value that they take. The table must outlive the result.
inline llvm::Expected<llvm::opt::InputArgList>
parseFlags(const llvm::opt::OptTable &table,
           llvm::ArrayRef<const char *> words) {
  unsigned missingIndex = 0, missingCount = 0;
  llvm::opt::InputArgList flags =
      table.ParseArgs(words, missingIndex, missingCount);
  if (missingCount) {
    return llvm::createStringError(llvm::formatv(
        "expected a value after {0}", flags.getArgString(missingIndex)));
  }
  for (const llvm::opt::Arg *flag : flags) {
    if (flag->getOption().getKind() == llvm::opt::Option::UnknownClass) {
      return llvm::createStringError(
          llvm::formatv("unknown flag '{0}'; --help lists those that there are",
                        flag->getAsString(flags)));
    }
  }
  // A script's empty variable must not mean the default.
  for (const llvm::opt::Arg *flag : flags) {
    if (flag->getNumValues() == 1 &&
        llvm::StringRef(flag->getValue()).empty()) {
      return llvm::createStringError(llvm::formatv(
          "expected a value after {0}", flag->getSpelling().rtrim('=')));
    }
  }
  return flags;
}

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
