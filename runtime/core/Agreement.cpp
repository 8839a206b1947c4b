// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Agreement.cpp ------------------------------------------------------===//

#include "core/Agreement.h"

namespace moert {

static const char *dtypeName(moert_dtype dtype) {
  static const char *const names[] = {"f32",    "bf16",   "f16",
                                      "f8e4m3", "f8e5m2", "int8",
                                      "int16",  "int32",  "int64"};
  return names[dtype];
}

static const char *reductionName(moert_reduction reduction) {
  static const char *const names[] = {"sum", "max", "min"};
  return names[reduction];
}

std::string explainDifference(int32_t rank, const Signature &ours, int32_t peer,
                              const Signature &theirs) {
  std::string prefix = messagePrefix(rank, ours);
  std::string other = "rank " + std::to_string(peer);
  if (ours.kind != theirs.kind || ours.id != theirs.id ||
      ours.layer != theirs.layer) {
    return prefix + other + " calls " + describe(theirs) + " instead";
  }
  std::string expects = ", but rank " + std::to_string(rank) + " expects ";
  if (ours.rowBytes != theirs.rowBytes) {
    return prefix + other + " sends rows of " +
           std::to_string(theirs.rowBytes) + " bytes" + expects + "rows of " +
           std::to_string(ours.rowBytes);
  }
  if (ours.count != theirs.count) {
    return prefix + other + " sends " + std::to_string(theirs.count) +
           (ours.reduces() ? " elements" : " bytes") + expects +
           std::to_string(ours.count);
  }
  if (ours.dtype != theirs.dtype) {
    return prefix + other + " sends " + dtypeName(theirs.dtype) + expects +
           dtypeName(ours.dtype);
  }
  return prefix + other + " reduces by " + reductionName(theirs.reduction) +
         ", but rank " + std::to_string(rank) + " by " +
         reductionName(ours.reduction);
}

std::string explainRows(int32_t receiver, const Signature &theirs,
                        int32_t sender, int64_t rows, int64_t expected) {
  return messagePrefix(receiver, theirs) + "rank " + std::to_string(sender) +
         " sends " + std::to_string(rows) + (rows == 1 ? " row" : " rows") +
         ", but rank " + std::to_string(receiver) + " expects " +
         std::to_string(expected);
}

} // namespace moert
