// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a planned module takes of each device's memory, as the planning library
// adds it up (Planning/Memory.h).
//
// Counted are the weights that the module names, in its dtype: a checkpoint's
// embeddings and output head are not among them. Dense weights are whole on
// every device, since the graph does not split them.

#ifndef MOE_ANALYSIS_MEMORYDEMAND_H
#define MOE_ANALYSIS_MEMORYDEMAND_H

#include "moe/Analysis/LayerExchange.h"
#include "moe/Planning/Memory.h"
#include "moe/Planning/SlotLimits.h"

namespace mlir::moe {

/// What programs can use of a device, and who says so.
struct DeviceMemory {
  ::moe::planning::Bytes usable;
  /// `0.9 of an A100's 80 GiB`, `memory-gib`
  std::string basis;
};

/// `gib` GiB if above 0, else what is known of the GPUs of the topology; none
/// where neither says anything.
std::optional<DeviceMemory> getDeviceMemory(const DeviceFacts &devices,
                                            double gib);

/// Whether the fullest rank fits.
struct MemoryFit {
  bool fits = true;
  /// What is left or missing, and how many ranks would do.
  std::string text;
};

/// What attention keeps.
struct CacheSpec {
  /// Over all devices.
  int64_t sequences = 0;
  /// Tokens of each.
  int64_t context = 0;
};

/// What the devices of a group over the expert axes hold.
class MemoryDemand {
public:
  /// Of a module whose layers have axes and placements. Fails, with a
  /// diagnostic, as ExchangedLayer::gather does.
  static FailureOr<MemoryDemand> gather(ModuleOp module, const PlanFacts &facts,
                                        const CacheSpec &cache = {});

  /// Layers over other numbers of ranks than the first.
  ArrayRef<std::string> uncounted() const { return others; }

  /// Of a device of each rank, where so much is usable.
  std::vector<::moe::planning::MemoryEstimate>
  estimate(::moe::planning::Bytes usable) const;
  MemoryFit fit(::moe::planning::Bytes usable) const;
  /// All experts of all layers, and those of them that a token uses.
  ::moe::planning::Bytes expertBytes() const;
  ::moe::planning::Bytes activeExpertBytes() const;

private:
  ::moe::planning::DeviceDemand of(int64_t rank) const;
  /// Of the fullest of `ranks` ranks with no replicas and even loads, tokens
  /// and sequences spread over as many times more devices.
  ::moe::planning::DeviceDemand spreadEvenly(int64_t ranks) const;
  /// The most experts of a layer: more ranks do not help.
  int64_t mostExperts() const;

  /// A layer over the ranks.
  struct Layer {
    ExpertShape shape;
    /// One expert on one device.
    ::moe::planning::Bytes expert;
    std::vector<int64_t> slots;
    double rowsSent = 0;
    std::vector<double> rowsReceived;
  };

  std::vector<Layer> layers;
  std::vector<std::string> others;
  int64_t ranks = 1;
  ::moe::planning::Bytes dense;
  ::moe::planning::Bytes cachePerSequence;
  int64_t sequences = 0;
  int64_t devices = 1;
};

/// What the experts of all layers may take beside what else a device holds:
/// dense weights whole, and both ends of a layer's dispatch and combine at even
/// loads. An expert's bytes are those of all layers together, since each layer
/// gives a rank about as many.
::moe::planning::ExpertMemory gatherExpertMemory(ModuleOp module,
                                                 const PlanFacts &facts,
                                                 ::moe::planning::Bytes memory);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_MEMORYDEMAND_H
