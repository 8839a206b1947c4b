// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_CAPI_PROGRAM_H
#define MOE_LIB_CAPI_PROGRAM_H

#include "Diagnostic.h"

#include "moe/Runner/Session.h"

struct moe_program {
  std::unique_ptr<moe::runner::Session> session;
  /// Of the module, as its owner named it.
  std::string name;
};

#endif // MOE_LIB_CAPI_PROGRAM_H
