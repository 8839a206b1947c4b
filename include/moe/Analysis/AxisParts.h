// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sets of mesh axes, sub-axes included, as sets of bits.

#ifndef MOE_ANALYSIS_AXISPARTS_H
#define MOE_ANALYSIS_AXISPARTS_H

#include "moe/Dialect/Comm/Comm.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallBitVector.h"

namespace mlir::moe {

/// Some parts of the axes of a mesh, as bits; what they mean, AxisParts knows.
using AxisSet = llvm::SmallBitVector;

/// `{"dp","ep":(2)4}`, as operations print them.
std::string toString(comm::AxisListAttr axes);

/// The axes of a mesh, cut wherever a sub-axis that a module names begins or
/// ends: of `"ep"=8` and `"ep":(2)2` come the parts `"ep":(1)2`, `"ep":(2)2`
/// and
/// `"ep":(4)2`. So every sub-axis is a set of parts, and parts are independent
/// of each other. An axis whose sub-axes do not nest is one part.
class AxisParts {
public:
  /// A null mesh has no parts.
  AxisParts(comm::MeshOp mesh, ModuleOp module);

  AxisSet getNone() const { return AxisSet(parts.size() + 1); }
  AxisSet getAll() const {
    return AxisSet(parts.size() + 1, true).reset(parts.size());
  }
  /// No axis, but a bit that travels with them: that nothing has written the
  /// value. What is read then differs even on one rank.
  AxisSet getUnwritten() const { return getNone().set(parts.size()); }
  /// The parts that overlap with `axes`.
  AxisSet getTouched(comm::AxisListAttr axes) const;
  /// The parts that lie within `axes`: fewer than the touched ones where
  /// sub-axes do not nest.
  AxisSet getCovered(comm::AxisListAttr axes) const;

  /// The parts as axes, in the order of the mesh, joined where they are
  /// neighbours.
  comm::AxisListAttr toAttribute(const AxisSet &set) const;

private:
  struct Part {
    comm::MeshAxisAttr axis;
    int64_t preSize;
    int64_t size;
  };

  /// Where the axis begins and ends and its sub-axes do, ascending, or only the
  /// former where they do not nest.
  static SmallVector<int64_t> getCuts(comm::MeshAxisAttr axis,
                                      ArrayRef<comm::AxisRefAttr> subAxes);
  static bool isWithin(const Part &part, comm::AxisRefAttr axis);

  MLIRContext *context;
  SmallVector<Part> parts;
};

} // namespace mlir::moe

#endif // MOE_ANALYSIS_AXISPARTS_H
