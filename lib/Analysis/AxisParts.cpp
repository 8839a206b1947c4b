// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/AxisParts.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::moe;
using comm::AxisListAttr;
using comm::AxisRefAttr;
using comm::MeshAxisAttr;

std::string mlir::moe::toString(AxisListAttr axes) {
  std::string text;
  llvm::raw_string_ostream os(text);
  Attribute(axes).print(os);
  // Between the brackets of the attribute.
  return StringRef(text).split('<').second.drop_back().str();
}

// The sub-axes that the operations of a module name.
static llvm::SetVector<AxisRefAttr> collectSubAxes(ModuleOp module) {
  llvm::SetVector<AxisRefAttr> subAxes;
  AttrTypeWalker walker;
  walker.addWalk([&](AxisRefAttr axis) {
    if (axis.isSubAxis()) {
      subAxes.insert(axis);
    }
  });
  module.walk([&](Operation *op) {
    // Of the module itself, only large tables would be searched.
    if (op != module) {
      walker.walk(op->getAttrDictionary());
    }
  });
  return subAxes;
}

SmallVector<int64_t> AxisParts::getCuts(MeshAxisAttr axis,
                                        ArrayRef<AxisRefAttr> subAxes) {
  SmallVector<int64_t> cuts{1, axis.getSize()};
  for (AxisRefAttr subAxis : subAxes) {
    if (subAxis.getName() == axis.getName()) {
      cuts.push_back(subAxis.getPreSize());
      cuts.push_back(subAxis.getPreSize() * subAxis.getSize());
    }
  }
  llvm::sort(cuts);
  cuts.erase(llvm::unique(cuts), cuts.end());
  for (auto [inner, outer] : llvm::zip(cuts, ArrayRef(cuts).drop_front())) {
    if (outer % inner != 0) {
      return {1, axis.getSize()};
    }
  }
  return cuts;
}

AxisParts::AxisParts(comm::MeshOp mesh, ModuleOp module)
    : context(module.getContext()) {
  if (!mesh) {
    return;
  }
  llvm::SetVector<AxisRefAttr> subAxes = collectSubAxes(module);
  for (MeshAxisAttr axis : mesh.getAxes().getAsRange<MeshAxisAttr>()) {
    SmallVector<int64_t> cuts = getCuts(axis, subAxes.getArrayRef());
    for (auto [from, to] : llvm::zip(cuts, ArrayRef(cuts).drop_front())) {
      parts.push_back({axis, from, to / from});
    }
  }
}

bool AxisParts::isWithin(const Part &part, AxisRefAttr axis) {
  return !axis.isSubAxis() ||
         (axis.getPreSize() <= part.preSize &&
          part.preSize * part.size <= axis.getPreSize() * axis.getSize());
}

AxisSet AxisParts::getTouched(AxisListAttr axes) const {
  AxisSet set = getNone();
  for (auto [index, part] : llvm::enumerate(parts)) {
    for (AxisRefAttr axis : axes.getAxes()) {
      // A part that is a whole axis may hold sub-axes that do not nest.
      bool overlaps = isWithin(part, axis) ||
                      (part.preSize == 1 && part.size == part.axis.getSize());
      if (axis.getName() == part.axis.getName() && overlaps) {
        set.set(index);
      }
    }
  }
  return set;
}

AxisSet AxisParts::getCovered(AxisListAttr axes) const {
  AxisSet set = getNone();
  for (auto [index, part] : llvm::enumerate(parts)) {
    for (AxisRefAttr axis : axes.getAxes()) {
      if (axis.getName() == part.axis.getName() && isWithin(part, axis)) {
        set.set(index);
      }
    }
  }
  return set;
}

AxisListAttr AxisParts::toAttribute(const AxisSet &set) const {
  SmallVector<AxisRefAttr> axes;
  for (unsigned index = 0; index < parts.size(); ++index) {
    if (!set.test(index)) {
      continue;
    }
    Part joined = parts[index];
    while (index + 1 < parts.size() && set.test(index + 1) &&
           parts[index + 1].axis == joined.axis) {
      joined.size *= parts[++index].size;
    }
    bool isWhole = joined.size == joined.axis.getSize();
    axes.push_back(AxisRefAttr::get(context, joined.axis.getName(),
                                    isWhole ? 0 : joined.preSize,
                                    isWhole ? 0 : joined.size));
  }
  return AxisListAttr::get(context, axes);
}
