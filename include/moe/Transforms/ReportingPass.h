// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MOE_TRANSFORMS_REPORTINGPASS_H
#define MOE_TRANSFORMS_REPORTINGPASS_H

#include "mlir/Support/LLVM.h"

namespace mlir::moe {

/// A pass that writes a report. Where that goes to standard output, moe-opt
/// prints no module.
class ReportingPass {
public:
  virtual ~ReportingPass() = default;
  /// A file, or `-`.
  virtual StringRef getOutput() const = 0;
};

} // namespace mlir::moe

#endif // MOE_TRANSFORMS_REPORTINGPASS_H
