// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/RecordedPlan.h"

#include "moe/Analysis/AxisTraffic.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

std::string mlir::moe::toOptionName(StringRef key) {
  std::string name = key.str();
  llvm::replace(name, '_', '-');
  return name;
}

std::map<std::string, std::string>
mlir::moe::getRecordedPlan(ModuleOp module, const planning::Mesh &mesh) {
  std::map<std::string, std::string> options =
      AxisRoles::getRecorded(module, mesh).toOptions();
  auto plan = module->getAttrOfType<DictionaryAttr>(kPlanAttrName);
  if (!plan) {
    return options;
  }
  for (NamedAttribute entry : plan) {
    std::string name = toOptionName(entry.getName());
    if (auto text = dyn_cast<StringAttr>(entry.getValue())) {
      options[name] = text.str();
    } else if (auto number = dyn_cast<IntegerAttr>(entry.getValue())) {
      options[name] = std::to_string(number.getInt());
    } else if (auto real = dyn_cast<FloatAttr>(entry.getValue())) {
      SmallString<24> digits;
      real.getValue().toString(digits);
      options[name] = digits.str().str();
    }
  }
  return options;
}
