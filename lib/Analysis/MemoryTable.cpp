// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory as a table; a part of Analysis/PlanReports.h.

#include "moe/Analysis/PlanReports.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
namespace report = ::moe::report;
using llvm::formatv;
using report::formatBytes;

FailureOr<report::Table>
mlir::moe::makeMemoryTable(ModuleOp module, const PlanFacts &facts,
                           const PlacementReportOptions &options) {
  FailureOr<MemoryDemand> demand =
      MemoryDemand::gather(module, facts, options.cache);
  if (failed(demand)) {
    return failure();
  }
  std::optional<DeviceMemory> memory =
      getDeviceMemory(facts.devices, options.memoryGib);
  planning::Bytes usable = memory ? memory->usable : planning::Bytes();
  report::Table table =
      report::rankMemoryTable(demand->estimate(usable), options.mostRanks);
  table.notes.push_back(memory ? "usable: " + memory->basis
                               : "the memory of a device is not known: the "
                                 "topology names no GPU that is; memory-gib "
                                 "says it");
  if (memory) {
    table.notes.push_back(demand->fit(usable).text);
  }
  table.notes.push_back(
      formatv("resident against active: the experts of all layers are {0}; a "
              "token uses {1} of them",
              formatBytes(demand->expertBytes().value()),
              formatBytes(demand->activeExpertBytes().value())));
  table.notes.push_back(
      options.cache.sequences > 0
          ? formatv("cache: {0} sequences of {1} tokens over all devices",
                    options.cache.sequences, options.cache.context)
                .str()
          : "no cache is counted: sequences and context say how much");
  table.notes.push_back("weights are those that the program names, in its "
                        "dtype; dense ones are whole on every device");
  if (auto quantization =
          module->getAttrOfType<DictionaryAttr>("moe.quantization")) {
    if (auto weights = quantization.getAs<StringAttr>("weights")) {
      table.notes.push_back(formatv("the checkpoint's are smaller ({0}): they "
                                    "are computed with in the program's dtype",
                                    weights.getValue()));
    }
  }
  if (!demand->uncounted().empty()) {
    table.notes.push_back("layers over other ranks are not counted: " +
                          llvm::join(demand->uncounted(), ", "));
  }
  return table;
}
