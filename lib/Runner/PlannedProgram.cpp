// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/PlannedProgram.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::runner;

std::string PlannedLayer::exchange() const {
  return llvm::formatv("{0}, at most {1} rows a rank",
                       planning::toString(traffic.dispatch.form),
                       traffic.dispatch.bound);
}

std::string PlannedProgram::layerName() const {
  return layers.size() == 1 ? layers.front().name : "";
}

bool PlannedProgram::isPlanned(int64_t number) const {
  // Without a number of its own a layer is counted under any.
  return llvm::any_of(layers, [&](const PlannedLayer &layer) {
    return layer.number.value_or(number) == number;
  });
}
