//===- KnownKeys.h - What keys of a config.json hold ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_MODEL_KNOWNKEYS_H
#define MOE_MODEL_KNOWNKEYS_H

#include "moe/Model/ConfigObject.h"

namespace moe::model {

/// Fails on a key that models of the known families have and that holds a value
/// of another type, or out of its range, naming the key. Most of these keys are
/// read by nobody here, such as `sliding_window`: a wrong one says that the
/// file is not what it seems. Keys that no list knows may hold anything.
llvm::Error checkKnownKeys(const ConfigObject &config);

} // namespace moe::model

#endif // MOE_MODEL_KNOWNKEYS_H
