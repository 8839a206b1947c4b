// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/Uniformity.h"

#include "UniformityGraph.h"
#include "moe/Analysis/PlanFacts.h"

#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace mlir::moe;

Uniformity::Uniformity(AxisParts parts, std::unique_ptr<UniformityGraph> graph)
    : parts(std::move(parts)), graph(std::move(graph)) {}
Uniformity::Uniformity(Uniformity &&) = default;
Uniformity &Uniformity::operator=(Uniformity &&) = default;
Uniformity::~Uniformity() = default;

FailureOr<Uniformity> Uniformity::analyze(ModuleOp module) {
  FailureOr<comm::MeshOp> mesh = findMesh(module);
  if (failed(mesh)) {
    return failure();
  }
  AxisParts parts(*mesh, module);
  auto graph =
      std::make_unique<UniformityGraph>(UniformityGraph::build(module, parts));
  graph->solve();
  return Uniformity(std::move(parts), std::move(graph));
}

AxisSet Uniformity::getVarying(Value value, Aspect aspect) const {
  const UniformityGraph::Node *node = graph->find(value, aspect);
  return node ? node->varies : parts.getNone();
}

comm::AxisListAttr Uniformity::getVaryingWithin(Value value,
                                                comm::AxisListAttr group,
                                                Aspect aspect) const {
  return parts.toAttribute(getVarying(value, aspect) &=
                           parts.getTouched(group));
}

Operation *Uniformity::findUnwritten(Value value) const {
  unsigned bit = parts.getUnwritten().find_first();
  const UniformityGraph::Node *origin =
      graph->findOrigin(value, Aspect::Contents, bit);
  return origin ? origin->value.getDefiningOp() : nullptr;
}

void Uniformity::explain(InFlightDiagnostic &diagnostic, Value value,
                         comm::AxisListAttr among, Aspect aspect) const {
  llvm::SmallPtrSet<const UniformityGraph::Node *, 4> told;
  AxisSet asked = getVarying(value, aspect) &= parts.getTouched(among);
  for (unsigned axis : asked.set_bits()) {
    const UniformityGraph::Node *origin =
        graph->findOrigin(value, aspect, axis);
    if (!origin || !told.insert(origin).second) {
      continue;
    }
    AxisSet brought = origin->own;
    brought &= asked;
    Diagnostic &note = diagnostic.attachNote(origin->value.getLoc());
    if (auto argument = dyn_cast<BlockArgument>(origin->value)) {
      note << "argument " << argument.getArgNumber();
    } else {
      note << "'" << origin->value.getDefiningOp()->getName() << "'";
    }
    note << " varies over " << toString(parts.toAttribute(brought));
  }
}
