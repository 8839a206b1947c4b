// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/LoadTopology.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"
#include "moe/Formats/FileError.h"
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

namespace {
/// A file of loads and what of it counts.
struct LoadFile {
  StringRef path;
  planning::LoadSelection selection;
  /// The ranks that hold the tokens of a trace, one part each; 1 does not tell
  /// them apart.
  int64_t traceRanks = 1;
};
} // namespace

/// Which of a profile's layers each of the model's MoE layers is: the one of
/// its number, or, where the profile has just as many, the one of its rank.
static std::vector<int64_t> matchLayers(ArrayRef<int64_t> known,
                                        ArrayRef<int64_t> wanted) {
  bool byNumber = llvm::all_of(
      wanted, [&](int64_t layer) { return llvm::is_contained(known, layer); });
  return !byNumber && known.size() == wanted.size() ? known.vec()
                                                    : wanted.vec();
}

/// Names the layers that a file does not know.
static void remarkMissing(ModuleOp module, StringRef path,
                          ArrayRef<int64_t> missing) {
  if (missing.empty()) {
    return;
  }
  InFlightDiagnostic remark = emitRemark(module.getLoc(), "loads '")
                              << path << "' lack "
                              << (missing.size() == 1 ? "layer " : "layers ");
  llvm::interleaveComma(missing, remark);
  remark << ": all experts there are assumed to get the same load";
}

/// Tells which loads the module has from then on, by a digest of the file.
static void recordLoads(ModuleOp module, const LoadFile &from) {
  Builder builder(module.getContext());
  auto file = llvm::MemoryBuffer::getFile(from.path);
  if (file) {
    recordPlan(module, "loads",
               planning::LoadProfile::digest((*file)->getBuffer()));
  }
  if (!from.selection.model.empty()) {
    recordPlan(module, "loads_model", from.selection.model);
  }
  if (!from.selection.domain.empty()) {
    recordPlan(module, "loads_domain", from.selection.domain);
  }
  if (from.selection.content == planning::LoadSelection::Content::Trace) {
    recordPlan(module, "loads_content", "trace");
  }
  if (from.traceRanks != 1) {
    recordPlan(module, "trace_ranks",
               builder.getI64IntegerAttr(from.traceRanks));
  }
}

/// Writes `moe.loads`.
static LogicalResult attachLoads(ModuleOp module, const LoadFile &from) {
  auto fail = [&](llvm::Error error) -> LogicalResult {
    return emitFileError(
        module.getContext(),
        ::moe::formats::inFile(
            from.path, ::moe::formats::within("loads", std::move(error))));
  };
  llvm::Expected<planning::LoadProfile> loads =
      planning::LoadProfile::open(from.path, from.selection);
  if (!loads) {
    return fail(loads.takeError());
  }
  FailureOr<SmallVector<MoELayer>> layers = collectLayers(module);
  if (failed(layers)) {
    return failure();
  }
  std::vector<int64_t> wanted;
  for (const MoELayer &layer : *layers) {
    wanted.push_back(layer.getNumber());
  }
  int64_t ranks = loads->routingTrace()
                      ? from.traceRanks
                      : std::max<int64_t>(loads->sourceCount(), 1);
  std::vector<int64_t> sources = matchLayers(loads->layers(), wanted);
  for (auto [layer, source] : llvm::zip_equal(*layers, sources)) {
    llvm::Expected<planning::LayerLoads> found =
        loads->loadsOf(source, layer.getShape().experts, ranks);
    if (!found) {
      return fail(found.takeError());
    }
    if (!found->isAssumedUniform) {
      setLoads(module, layer.getNumber(), *found);
    }
  }
  if (!module->hasAttr(kLoadsAttrName)) {
    return fail(llvm::createStringError(
        "expected those of some MoE layer of the model, but got none of them"));
  }
  recordLoads(module, from);
  remarkMissing(module, from.path, loads->missingLayers(sources));
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
    if (!loads.empty() && failed(readLoadsInto(module))) {
      return signalPassFailure();
    }
  }

private:
  LogicalResult readLoadsInto(ModuleOp module) {
    LoadFile from;
    from.path = loads;
    from.selection.model = loadsModel;
    from.selection.domain = loadsDomain;
    if (loadsContent == "trace") {
      from.selection.content = planning::LoadSelection::Content::Trace;
    } else if (loadsContent != "loads") {
      return emitOptionError(&getContext(),
                             "expected contents of loads or trace, but got '")
             << loadsContent << "'";
    }
    if (traceRanks < 1 || traceRanks > planning::Topology::maxDevices) {
      return emitOptionError(&getContext(), "expected 1 to ")
             << planning::Topology::maxDevices << " trace ranks, but got "
             << traceRanks.getValue();
    }
    from.traceRanks = traceRanks;
    return attachLoads(module, from);
  }
};
} // namespace
