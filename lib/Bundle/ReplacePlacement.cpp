// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Bundle/ReplacePlacement.h"

#include "moe/Bundle/DescribePlan.h"
#include "moe/PlacementFiles/EngineFormats.h"

#include "llvm/Support/FormatVariadic.h"

using namespace moe::bundle;
using llvm::formatv;
using moe::placement::LayerEntry;
using moe::placement::PlacementFile;
using moe::planning::Placement;

/// The entry of the bundle's layer. A layer without a number is the only one of
/// a file that has one.
static llvm::Expected<const LayerEntry *> findLayer(const PlacementFile &file,
                                                    const std::string &layer) {
  int64_t number = 0;
  if (llvm::StringRef(layer).getAsInteger(10, number)) {
    if (file.layers.size() == 1) {
      return &file.layers.front();
    }
    return llvm::createStringError(
        formatv("expected one layer, but got {0}", file.layers.size()));
  }
  const LayerEntry *entry = file.find(number);
  if (!entry) {
    return llvm::createStringError(formatv(
        "expected layer {0}, but it is not among the {1} that there are", layer,
        file.layers.size()));
  }
  return entry;
}

static llvm::Expected<Placement> readPlacement(const PlacementFile &file,
                                               const Manifest &manifest,
                                               int64_t ranks) {
  llvm::Expected<const LayerEntry *> entry =
      findLayer(file, manifest.facts.layer);
  if (!entry) {
    return entry.takeError();
  }
  if (llvm::Error error = moe::planning::verify(
          (*entry)->data, manifest.facts.experts, ranks)) {
    return std::move(error);
  }
  llvm::Expected<Placement> placement = Placement::create((*entry)->data);
  if (placement && placement->localSlots() > manifest.localSlots) {
    return llvm::createStringError(
        formatv("expected at most {0} slots on a rank, for which the code is "
                "compiled, but got {1}",
                manifest.localSlots, placement->localSlots()));
  }
  return placement;
}

llvm::Error moe::bundle::replacePlacement(Bundle &bundle,
                                          llvm::StringRef path) {
  Manifest &manifest = bundle.manifest;
  PlacementEntry &entry = manifest.placements.at(manifest.traffic.placement);
  moe::placement::ReaderFacts facts;
  facts.gpus = entry.slots.size();
  facts.experts = manifest.facts.experts;
  llvm::Expected<PlacementFile> file =
      moe::placement::openPlacement(path, facts);
  if (!file) {
    return file.takeError();
  }
  llvm::Expected<Placement> placement =
      readPlacement(*file, manifest, facts.gpus);
  if (!placement) {
    return llvm::createStringError(path + ": " +
                                   llvm::toString(placement.takeError()));
  }
  PlacementEntry replacement = toEntry(*placement, entry.axes);
  if (!manifest.replaced) {
    manifest.replaced = std::move(entry);
  }
  entry = std::move(replacement);
  manifest.facts.placementPolicy =
      file->policy.empty() ? "replaced" : file->policy + ", replaced";
  return describePlan(bundle);
}
