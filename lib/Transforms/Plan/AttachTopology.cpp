// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/LoadTopology.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::moe {
#define GEN_PASS_DEF_ATTACHTOPOLOGYPASS
#include "moe/Transforms/Plan/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

/// Copies the topology of a file into the module. One that is there already
/// must be the same.
static LogicalResult
attachTopology(ModuleOp module, StringRef path,
               const ::moe::topology::TopologyOptions &options) {
  OwningOpRef<ModuleOp> file = loadTopology(module.getContext(), path, options);
  if (!file) {
    return failure();
  }
  comm::TopologyOp found = *file->getOps<comm::TopologyOp>().begin();
  FailureOr<comm::TopologyOp> present = findTopology(module);
  if (failed(present)) {
    return failure();
  }
  if (!*present) {
    OpBuilder builder(module.getContext());
    builder.setInsertionPointToStart(module.getBody());
    SymbolTable(module).insert(builder.clone(*found));
    return success();
  }
  if (!(*present).describesSame(found)) {
    InFlightDiagnostic diagnostic =
        (*present).emitOpError("expected the topology of '")
        << path << "', but the module has another";
    diagnostic.attachNote(found.getLoc()) << "the file's topology";
    return diagnostic;
  }
  return success();
}

static llvm::Expected<planning::LoadProfile>
readLoads(StringRef path, const planning::LoadSelection &selection) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFile(path);
  if (!file) {
    return llvm::createStringError(file.getError().message());
  }
  return planning::LoadProfile::parse((*file)->getBuffer(), selection);
}

/// Which of a profile's layers each of the model's MoE layers is: the one of
/// its number, or, where the profile has just as many, the one of its rank.
static std::vector<int64_t> matchLayers(ArrayRef<int64_t> known,
                                        ArrayRef<int64_t> wanted) {
  bool byNumber = llvm::all_of(
      wanted, [&](int64_t layer) { return llvm::is_contained(known, layer); });
  return !byNumber && known.size() == wanted.size() ? known.vec()
                                                    : wanted.vec();
}

/// Writes `moe.loads`.
static LogicalResult attachLoads(ModuleOp module, StringRef path,
                                 const planning::LoadSelection &selection) {
  llvm::Expected<planning::LoadProfile> loads = readLoads(path, selection);
  if (!loads) {
    return emitError(module.getLoc(), "loads '")
           << path << "': " << llvm::toString(loads.takeError());
  }
  FailureOr<SmallVector<MoELayer>> layers = collectLayers(module);
  if (failed(layers)) {
    return failure();
  }
  std::vector<int64_t> wanted;
  for (const MoELayer &layer : *layers) {
    wanted.push_back(layer.getNumber());
  }
  std::vector<int64_t> sources = matchLayers(loads->layers(), wanted);
  for (auto [layer, source] : llvm::zip_equal(*layers, sources)) {
    llvm::Expected<planning::ExpertShares> shares =
        loads->sharesOf(source, layer.getShape().experts);
    if (!shares) {
      return emitError(module.getLoc(), "loads '")
             << path << "': " << llvm::toString(shares.takeError());
    }
    if (!shares->isAssumedUniform) {
      setShares(module, layer.getNumber(), shares->shares);
    }
  }
  if (!module->hasAttr(kLoadsAttrName)) {
    return emitError(module.getLoc(), "loads '")
           << path << "': expected loads of some MoE layer of the model, "
           << "but it knows none of them";
  }
  std::vector<int64_t> missing = loads->missingLayers(sources);
  if (!missing.empty()) {
    InFlightDiagnostic remark = emitRemark(module.getLoc(), "loads '")
                                << path << "' lack "
                                << (missing.size() == 1 ? "layer " : "layers ");
    llvm::interleaveComma(missing, remark);
    remark << ": all experts there are assumed to get the same load";
  }
  return success();
}

namespace {
class AttachTopologyPass
    : public mlir::moe::impl::AttachTopologyPassBase<AttachTopologyPass> {
public:
  using AttachTopologyPassBase::AttachTopologyPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    ::moe::topology::TopologyOptions machine;
    machine.gpu = gpu;
    machine.nodes = nodes;
    // 0 stands for what the user did not say.
    if (nicGbps != 0) {
      machine.nicGbps = nicGbps;
    }
    if (interNodeGbps != 0) {
      machine.interNodeGbps = interNodeGbps;
    }
    if (!topology.empty() &&
        failed(attachTopology(module, topology, machine))) {
      return signalPassFailure();
    }
    if (!loads.empty() &&
        failed(attachLoads(module, loads, {loadsModel, loadsDomain}))) {
      return signalPassFailure();
    }
  }
};
} // namespace
