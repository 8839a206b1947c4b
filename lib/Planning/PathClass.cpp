//===- PathClass.cpp - What kind of hardware a path crosses ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/PathClass.h"

using namespace moe::planning;

namespace {
struct ClassText {
  llvm::StringRef name;
  llvm::StringRef meaning;
};
} // namespace

/// In the order of the enumeration.
static constexpr ClassText texts[pathClassCount] = {
    {"LOC", "the same device"},
    {"NVL", "NVLink or xGMI"},
    {"NVB", "NVLink through another GPU"},
    {"C2C", "coherent link between GPU and CPU"},
    {"PIX", "at most one PCIe switch"},
    {"PXB", "several PCIe switches"},
    {"P2C", "C2C to the CPU, then PCIe"},
    {"PXN", "NVLink to another GPU, then PCIe"},
    {"PHB", "the host bridge of a CPU"},
    {"SYS", "between CPUs or NUMA domains"},
    {"NET", "the network"},
    {"DIS", "no path"},
};

llvm::StringRef moe::planning::toString(PathClass pathClass) {
  return texts[static_cast<unsigned>(pathClass)].name;
}

llvm::StringRef moe::planning::describe(PathClass pathClass) {
  return texts[static_cast<unsigned>(pathClass)].meaning;
}

std::optional<PathClass> moe::planning::parsePathClass(llvm::StringRef name) {
  for (unsigned index = 0; index < pathClassCount; ++index) {
    if (texts[index].name == name) {
      return static_cast<PathClass>(index);
    }
  }
  return std::nullopt;
}
