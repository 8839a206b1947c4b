// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Agreement.h - Why ranks' parts do not fit together -------*- C++ -*-===//

#ifndef MOERT_CORE_AGREEMENT_H
#define MOERT_CORE_AGREEMENT_H

#include "core/Operation.h"

namespace moert {

/// Why two ranks' parts do not fit together: of each its rank in the job and
/// its signature, which differ.
std::string explainDifference(int32_t rank, const Signature &ours, int32_t peer,
                              const Signature &theirs);

/// That `sender` sends another number of rows than `receiver` expects.
std::string explainRows(int32_t receiver, const Signature &theirs,
                        int32_t sender, int64_t rows, int64_t expected);

} // namespace moert

#endif // MOERT_CORE_AGREEMENT_H
