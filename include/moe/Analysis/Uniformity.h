// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Over which mesh axes values differ between ranks.
//
// A local program is one for all ranks, so a value differs only where
// something of the rank has gone into it: `comm.rank` and its like, a part of a
// sharded argument, what an exchange brings. For each value the analysis finds
// the axes on whose coordinates it *depends at most*; ranks that differ in no
// other coordinate than those of the remaining axes hold the same value, are
// *uniform* over them. See docs/Rationale/Uniformity.md.

#ifndef MOE_ANALYSIS_UNIFORMITY_H
#define MOE_ANALYSIS_UNIFORMITY_H

#include "moe/Analysis/AxisParts.h"

#include <memory>

namespace mlir::moe {

using comm::Aspect;

class UniformityGraph;

class Uniformity {
public:
  /// Analyzes all functions of a module together: what goes into a function is
  /// what any of its calls gives it. Fails, with a diagnostic, when there is
  /// more than one mesh.
  static FailureOr<Uniformity> analyze(ModuleOp module);

  Uniformity(Uniformity &&);
  Uniformity &operator=(Uniformity &&);
  ~Uniformity();

  const AxisParts &getParts() const { return parts; }

  /// The parts of axes that the value depends on at most.
  AxisSet getVarying(Value value, Aspect aspect = Aspect::Contents) const;

  /// The axes of `group` over which the value may differ; empty: it is uniform
  /// over the group.
  comm::AxisListAttr getVaryingWithin(Value value, comm::AxisListAttr group,
                                      Aspect aspect = Aspect::Contents) const;

  /// The operation whose result is read although nothing has written it, and
  /// goes into the contents of the value; null where there is none.
  Operation *findUnwritten(Value value) const;

  /// Adds a note for each of the axes in `among`, at the nearest operation or
  /// argument that brings it into the value.
  void explain(InFlightDiagnostic &diagnostic, Value value,
               comm::AxisListAttr among,
               Aspect aspect = Aspect::Contents) const;

private:
  Uniformity(AxisParts parts, std::unique_ptr<UniformityGraph> graph);

  AxisParts parts;
  std::unique_ptr<UniformityGraph> graph;
};

} // namespace mlir::moe

#endif // MOE_ANALYSIS_UNIFORMITY_H
