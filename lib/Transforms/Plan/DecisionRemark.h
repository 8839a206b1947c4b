// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the planning passes report what they decided.

#ifndef MOE_LIB_TRANSFORMS_PLAN_DECISIONREMARK_H
#define MOE_LIB_TRANSFORMS_PLAN_DECISIONREMARK_H

#include "mlir/IR/Remarks.h"

namespace mlir::moe {

/// A remark of the category `moe-plan`: what was decided, for which function or
/// layer, and why; alternatives follow with emitRefused. Both cost nothing
/// unless remarks are asked for (`--remarks-filter=moe-plan`). The names must
/// outlive the remark.
inline void emitDecision(Location loc, StringRef name, StringRef where,
                         function_ref<std::string()> text) {
  remark::detail::InFlightRemark remark = remark::passed(
      loc, remark::RemarkOpts::name(name).category("moe-plan").function(where));
  if (remark) {
    remark << StringRef(text());
  }
}

/// An alternative that was not taken.
inline void emitRefused(Location loc, StringRef name, StringRef where,
                        function_ref<std::string()> text) {
  remark::detail::InFlightRemark remark = remark::missed(
      loc, remark::RemarkOpts::name(name).category("moe-plan").function(where));
  if (remark) {
    remark << StringRef(text());
  }
}

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_PLAN_DECISIONREMARK_H
