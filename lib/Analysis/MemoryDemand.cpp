// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/MemoryDemand.h"

#include "moe/Analysis/LayerDeployment.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Report/Table.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
using llvm::formatv;
using ::moe::report::formatBytes;

std::optional<DeviceMemory>
mlir::moe::getDeviceMemory(const DeviceFacts &devices, double gib) {
  if (gib > 0) {
    return DeviceMemory{planning::Bytes(gib * planning::bytesPerGiB),
                        "memory-gib"};
  }
  const planning::LinkGraph *node = devices.topology.node();
  if (!node || node->gpus().empty()) {
    return std::nullopt;
  }
  StringRef model = node->vertices()[node->gpus().front()].model;
  const planning::Accelerator *product = planning::findAccelerator(model);
  if (!product) {
    return std::nullopt;
  }
  planning::CostConstants constants =
      llvm::cantFail(planning::CostConstants::forAccelerator(product->name));
  return DeviceMemory{
      planning::usableMemory(constants),
      formatv("{0:F1} of the {1:F0} GiB of {2}, by its data sheet",
              constants[planning::ConstantId::UsableMemory],
              constants[planning::ConstantId::DeviceMemory], product->name)};
}

static planning::Bytes getDenseBytes(ModuleOp module) {
  planning::Bytes bytes;
  for (WeightOp weight : module.getOps<WeightOp>()) {
    if (auto tensor = dyn_cast<RankedTensorType>(weight.getType())) {
      bytes += planning::Bytes(static_cast<double>(tensor.getNumElements()) *
                               tensor.getElementTypeBitWidth() / 8);
    }
  }
  return bytes;
}

namespace {
/// Adds up what the attention of a module keeps of each token.
class CacheBytes {
public:
  explicit CacheBytes(ModuleOp module) : symbols(module) {}

  /// Of one call of the function; calls do not recurse.
  double perToken(func::FuncOp function) {
    auto known = bytes.find(function);
    if (known != bytes.end()) {
      return known->second;
    }
    double sum = 0;
    if (auto cost = function->getAttrOfType<DictionaryAttr>("moe.cost")) {
      if (auto own = cost.getAs<IntegerAttr>("cache_bytes_per_token")) {
        sum += static_cast<double>(own.getInt());
      }
    }
    function.walk([&](func::CallOp call) {
      if (auto callee = symbols.lookup<func::FuncOp>(call.getCallee())) {
        sum += perToken(callee);
      }
    });
    bytes[function] = sum;
    return sum;
  }

private:
  SymbolTable symbols;
  DenseMap<Operation *, double> bytes;
};
} // namespace

FailureOr<MemoryDemand> MemoryDemand::gather(ModuleOp module,
                                             const PlanFacts &facts,
                                             const CacheSpec &cache) {
  MemoryDemand demand;
  demand.dense = getDenseBytes(module);
  demand.devices = facts.mesh.deviceCount();
  demand.sequences = cache.sequences;
  CacheBytes caches(module);
  for (func::FuncOp root : getRootFunctions(module)) {
    demand.cachePerSequence += planning::Bytes(
        caches.perToken(root) * static_cast<double>(cache.context));
  }
  for (const MoELayer &layer : facts.layers) {
    FailureOr<ExchangedLayer> data = ExchangedLayer::gather(layer);
    if (failed(data)) {
      return failure();
    }
    const planning::Placement &placement = data->placement;
    if (demand.layers.empty()) {
      demand.ranks = placement.rankCount();
    } else if (placement.rankCount() != demand.ranks) {
      demand.others.push_back(layer.getName());
      continue;
    }
    Layer counted;
    counted.shape = data->shape;
    counted.expert = getExpertWork(facts, layer).weightBytes;
    // Of the largest group.
    int64_t tokens = llvm::divideCeil(
        facts.tokens,
        facts.mesh.groupSize(getExchangedTokenAxes(facts, data->expertAxes)));
    counted.rowsSent = static_cast<double>(tokens * data->shape.choices);
    std::vector<double> shares = planning::rankShares(placement, data->loads);
    for (auto [rank, share] : llvm::enumerate(shares)) {
      counted.slots.push_back(placement.slotsOn(rank));
      counted.rowsReceived.push_back(counted.rowsSent * share *
                                     static_cast<double>(demand.ranks));
    }
    demand.layers.push_back(std::move(counted));
  }
  return demand;
}

static planning::Bytes getRowBytes(const ExpertShape &shape) {
  return planning::Bytes(
      static_cast<double>(shape.inputColumns * shape.inputElementBytes +
                          shape.outputColumns * shape.outputElementBytes));
}

planning::DeviceDemand MemoryDemand::of(int64_t rank) const {
  planning::DeviceDemand demand;
  demand.dense = dense;
  demand.cache = cachePerSequence *
                 static_cast<double>(llvm::divideCeil(sequences, devices));
  for (const Layer &layer : layers) {
    planning::LayerDemand own;
    own.expert = layer.expert;
    own.slots = layer.slots[rank];
    own.evenSlots = llvm::divideCeil(layer.shape.experts, ranks);
    own.rowsSent = layer.rowsSent;
    own.rowsReceived = layer.rowsReceived[rank];
    own.rowBytes = getRowBytes(layer.shape);
    demand.layers.push_back(own);
  }
  return demand;
}

planning::DeviceDemand MemoryDemand::spreadEvenly(int64_t wanted) const {
  planning::DeviceDemand demand = of(0);
  demand.cache = cachePerSequence * static_cast<double>(llvm::divideCeil(
                                        sequences * ranks, devices * wanted));
  for (auto [layer, own] : llvm::zip_equal(layers, demand.layers)) {
    own.slots = own.evenSlots = llvm::divideCeil(layer.shape.experts, wanted);
    own.rowsSent = own.rowsReceived = layer.rowsSent *
                                      static_cast<double>(ranks) /
                                      static_cast<double>(wanted);
  }
  return demand;
}

std::vector<planning::MemoryEstimate>
MemoryDemand::estimate(planning::Bytes usable) const {
  std::vector<planning::MemoryEstimate> estimates;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    estimates.push_back(planning::estimateMemory(of(rank), usable));
  }
  return estimates;
}

MemoryFit MemoryDemand::fit(planning::Bytes usable) const {
  std::vector<planning::MemoryEstimate> estimates = estimate(usable);
  auto fullest = std::max_element(
      estimates.begin(), estimates.end(),
      [](const auto &a, const auto &b) { return a.total() < b.total(); });
  int64_t rank = fullest - estimates.begin();
  std::optional<int64_t> fewest = planning::fewestRanks(
      1, std::max<int64_t>(mostExperts(), 1), [&](int64_t wanted) {
        return planning::estimateMemory(spreadEvenly(wanted), usable);
      });
  std::string enough =
      fewest ? formatv("the fewest ranks that would do, without replicas and "
                       "at even loads: {0}",
                       *fewest)
                   .str()
             : std::string("it does not fit on any number of ranks");
  if (fullest->fits()) {
    return {true,
            formatv("it fits: rank {0}, the fullest, has {1} to spare; {2}",
                    rank, formatBytes((usable - fullest->total()).value()),
                    enough)};
  }
  return {false,
          formatv("it does not fit: rank {0}, the fullest, needs {1} of {2}, "
                  "{3} too much; {4}",
                  rank, formatBytes(fullest->total().value()),
                  formatBytes(usable.value()),
                  formatBytes(fullest->missing().value()), enough)};
}

int64_t MemoryDemand::mostExperts() const {
  int64_t most = 0;
  for (const Layer &layer : layers) {
    most = std::max(most, layer.shape.experts);
  }
  return most;
}

planning::Bytes MemoryDemand::expertBytes() const {
  planning::Bytes bytes;
  for (const Layer &layer : layers) {
    bytes += layer.expert * static_cast<double>(layer.shape.experts);
  }
  return bytes;
}

planning::Bytes MemoryDemand::activeExpertBytes() const {
  planning::Bytes bytes;
  for (const Layer &layer : layers) {
    bytes += layer.expert * static_cast<double>(layer.shape.choices);
  }
  return bytes;
}

planning::ExpertMemory mlir::moe::gatherExpertMemory(ModuleOp module,
                                                     const PlanFacts &facts,
                                                     planning::Bytes memory) {
  planning::ExpertMemory result;
  planning::DeviceDemand others;
  others.dense = getDenseBytes(module);
  int64_t ranks = 1;
  for (const MoELayer &layer : facts.layers) {
    ExpertsOp experts = layer.experts;
    std::vector<planning::AxisRef> axes = toPlanning(*experts.getAxes());
    ranks = facts.mesh.groupSize(axes);
    result.slotBytes += getExpertWork(facts, layer).weightBytes;
    planning::LayerDemand exchange;
    int64_t tokens = llvm::divideCeil(
        facts.tokens, facts.mesh.groupSize(getExchangedTokenAxes(facts, axes)));
    exchange.rowsSent = exchange.rowsReceived =
        static_cast<double>(tokens * layer.getShape().choices);
    exchange.rowBytes = getRowBytes(layer.getShape());
    others.layers.push_back(exchange);
  }
  planning::Bytes taken = planning::estimateMemory(others, memory).total();
  result.room.assign(ranks,
                     memory > taken ? memory - taken : planning::Bytes());
  return result;
}
