// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Bundle/ReplacePlacement.h"

#include "moe/Bundle/DescribePlan.h"
#include "moe/PlacementFiles/EngineFormats.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::bundle;
using llvm::formatv;
using moe::placement::LayerEntry;
using moe::placement::PlacementFile;
using moe::planning::Placement;
using moe::runner::PlacementSymbol;

/// The entry of a bundle's layer in a file; null where it is about others. The
/// only layer of a bundle, if it has no number, is the only one of a file.
static llvm::Expected<const LayerEntry *> findLayer(const PlacementFile &file,
                                                    const Manifest &manifest,
                                                    const std::string &layer) {
  int64_t number = 0;
  if (llvm::StringRef(layer).getAsInteger(10, number)) {
    if (manifest.layers.size() > 1) {
      return nullptr;
    }
    if (file.layers.size() == 1) {
      return &file.layers.front();
    }
    return llvm::createStringError(
        formatv("expected one layer, but got {0}", file.layers.size()));
  }
  return file.find(number);
}

/// Puts one layer's experts where the file has them. The entry is the bundle's.
static llvm::Error replace(PlacementEntry &entry, LayerData &layer,
                           const LayerEntry &found) {
  if (llvm::Error error = moe::planning::verify(found.data, layer.experts,
                                                entry.slots.size())) {
    return error;
  }
  llvm::Expected<Placement> placement = Placement::create(found.data);
  if (!placement) {
    return placement.takeError();
  }
  if (placement->localSlots() > entry.localSlots) {
    return llvm::createStringError(
        formatv("expected at most {0} slots on a rank, for which the code is "
                "compiled, but got {1}",
                entry.localSlots, placement->localSlots()));
  }
  PlacementEntry replacement =
      toEntry(PlacementSymbol{*placement, entry.axes, entry.localSlots});
  if (!layer.replaced) {
    layer.replaced = std::move(entry);
  }
  entry = std::move(replacement);
  return llvm::Error::success();
}

/// A placement that serves several layers cannot be replaced for one.
static llvm::Error verifyOwn(const Manifest &manifest, const LayerData &layer) {
  for (const LayerData &other : manifest.layers) {
    if (&other != &layer && other.placement == layer.placement) {
      return llvm::createStringError(
          formatv("expected a layer with a placement of its own, but @{0} is "
                  "layer {1}'s too",
                  layer.placement, other.name));
    }
  }
  return llvm::Error::success();
}

/// Replaces those layers that the file is about.
static llvm::Error replaceLayers(Manifest &manifest,
                                 const PlacementFile &file) {
  size_t count = 0;
  for (LayerData &layer : manifest.layers) {
    llvm::Expected<const LayerEntry *> found =
        findLayer(file, manifest, layer.name);
    if (!found) {
      return found.takeError();
    }
    if (!*found) {
      continue;
    }
    std::string where =
        manifest.layers.size() > 1 ? "layer " + layer.name + ": " : "";
    llvm::Error error = verifyOwn(manifest, layer);
    if (!error) {
      error = replace(manifest.placements.at(layer.placement), layer, **found);
    }
    if (error) {
      return llvm::createStringError(where + llvm::toString(std::move(error)));
    }
    layer.placementPolicy =
        file.policy.empty() ? "replaced" : file.policy + ", replaced";
    ++count;
  }
  if (count) {
    return llvm::Error::success();
  }
  std::vector<std::string> names;
  for (const LayerData &layer : manifest.layers) {
    names.push_back(layer.name);
  }
  return llvm::createStringError(
      formatv("expected layer {0}, but it is not among the {1} that there are",
              llvm::join(names, " or "), file.layers.size()));
}

llvm::Error moe::bundle::replacePlacement(Bundle &bundle,
                                          llvm::StringRef path) {
  Manifest &manifest = bundle.manifest;
  if (llvm::Error error = manifest.plan().takeError()) {
    return error;
  }
  moe::placement::ReaderFacts facts;
  if (manifest.layers.empty()) {
    return llvm::createStringError(
        "expected a bundle with layers of experts to place");
  }
  // What files do not say themselves; layers may have different experts.
  const LayerData &first = manifest.layers.front();
  facts.gpus = manifest.placements.at(first.placement).slots.size();
  bool areAlike = llvm::all_of(manifest.layers, [&](const LayerData &layer) {
    return layer.experts == first.experts;
  });
  facts.experts = areAlike ? first.experts : 0;
  llvm::Expected<PlacementFile> file =
      moe::placement::openPlacement(path, facts);
  if (!file) {
    return file.takeError();
  }
  if (llvm::Error error = replaceLayers(manifest, *file)) {
    return llvm::createStringError(path + ": " +
                                   llvm::toString(std::move(error)));
  }
  return describePlan(bundle);
}
