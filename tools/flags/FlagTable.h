// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The flags of the tool that includes this, as its Options.td lists them:
// OPT_help and its like, and the table that parses them. For one source of each
// tool.
#ifndef MOE_TOOLS_FLAGS_FLAGTABLE_H
#define MOE_TOOLS_FLAGS_FLAGTABLE_H

#include "llvm/Option/OptTable.h"
#include "llvm/Option/Option.h"

namespace moe::tools {
// TableGen writes these names without their scope.
using llvm::opt::DefaultVis;
using llvm::opt::HelpHidden;

enum OptionId {
  OPT_INVALID = 0,
#define OPTION(...) LLVM_MAKE_OPT_ID(__VA_ARGS__),
#include "Options.inc"
#undef OPTION
};

#define OPTTABLE_STR_TABLE_CODE
#include "Options.inc"
#undef OPTTABLE_STR_TABLE_CODE
#define OPTTABLE_PREFIXES_TABLE_CODE
#include "Options.inc"
#undef OPTTABLE_PREFIXES_TABLE_CODE

constexpr llvm::opt::OptTable::Info infoTable[] = {
#define OPTION(...) LLVM_CONSTRUCT_OPT_INFO(__VA_ARGS__),
#include "Options.inc"
#undef OPTION
};

class FlagTable : public llvm::opt::GenericOptTable {
public:
  FlagTable()
      : GenericOptTable(OptionStrTable, OptionPrefixesTable, infoTable) {}
};
} // namespace moe::tools

#endif // MOE_TOOLS_FLAGS_FLAGTABLE_H
