// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PrepareModule.h"

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/LoadTopology.h"
#include "moe/Analysis/ModelLayers.h"
#include "moe/Analysis/PlacementOrigin.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"
#include "moe/Analysis/RecordedPlan.h"
#include "moe/Dialect/MoE/MoE.h"
#include "moe/Formats/FileError.h"
#include "moe/Pipelines/PlanPipeline.h"
#include "moe/Runner/CaptureDiagnostics.h"
#include "moe/Transforms/Extract/ModelLayers.h"
#include "moe/Transforms/Extract/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace moe::runner;
namespace formats = moe::formats;
using llvm::formatv;

/// Runs what `add` appends to a pass manager.
static llvm::Error
runPasses(mlir::ModuleOp module,
          llvm::function_ref<void(mlir::OpPassManager &)> add) {
  CaptureDiagnostics diagnostics(module.getContext());
  mlir::PassManager manager(module.getContext());
  add(manager);
  return mlir::succeeded(manager.run(module))
             ? llvm::Error::success()
             : diagnostics.takeError("a pass failed without saying why");
}

static llvm::Error openModule(const SessionOptions &options,
                              llvm::SourceMgr &sources) {
  const std::string &path = options.modulePath;
  std::unique_ptr<llvm::MemoryBuffer> text;
  if (options.moduleText) {
    text = llvm::MemoryBuffer::getMemBuffer(*options.moduleText, path);
  } else {
    llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
        llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/true);
    if (!file) {
      return formats::inFile(path, llvm::errorCodeToError(file.getError()));
    }
    text = std::move(*file);
  }
  sources.AddNewSourceBuffer(std::move(text), {});
  return llvm::Error::success();
}

static llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
parseModule(mlir::MLIRContext &context, const SessionOptions &options) {
  CaptureDiagnostics diagnostics(&context);
  const std::string &path = options.modulePath;
  llvm::SourceMgr sources;
  if (llvm::Error error = openModule(options, sources)) {
    return error;
  }
  llvm::StringRef text = sources.getMemoryBuffer(1)->getBuffer();
  mlir::OwningOpRef<mlir::ModuleOp> module;
  if (mlir::succeeded(mlir::moe::checkBracketDepth(&context, text, path))) {
    module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  }
  if (!module) {
    return diagnostics.takeError("expected a module in '" + path + "'");
  }
  return module;
}

/// Fails on a module that is past planning: what a session does begins there.
static llvm::Error checkLevel(mlir::ModuleOp module, llvm::StringRef path) {
  llvm::StringRef level;
  module.walk([&](mlir::Operation *op) {
    llvm::StringRef dialect = op->getName().getDialectNamespace();
    if (dialect == mlir::LLVM::LLVMDialect::getDialectNamespace()) {
      level = "lowered";
    } else if (op->hasAttr(mlir::moe::kEntryAttrName) ||
               mlir::isa<mlir::comm::CollectiveOpInterface,
                         mlir::comm::LocalExtentOp>(op)) {
      level = "partitioned";
    }
    return level.empty() ? mlir::WalkResult::advance()
                         : mlir::WalkResult::interrupt();
  });
  return level.empty() ? llvm::Error::success()
                       : llvm::createStringError(formatv(
                             "{0}: expected a module that is planned at most, "
                             "but got one that is {1} already",
                             path, level));
}

/// The only function with a body that can be called from outside.
static llvm::Expected<mlir::func::FuncOp>
findPublicFunction(mlir::ModuleOp module, llvm::StringRef path) {
  llvm::SmallVector<mlir::func::FuncOp> found;
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (function.isPublic() && !function.isDeclaration()) {
      found.push_back(function);
    }
  }
  if (found.size() != 1) {
    return llvm::createStringError(formatv(
        "{0}: expected a function with moe.role \"model\" or one public "
        "function, but got {1}",
        path, found.size()));
  }
  return found.front();
}

/// The layers of experts that a function leads to, counted by its name of the
/// only one: "layer 3", "3 layers", "one layer without a number".
static std::string countLayers(mlir::ModuleOp module, llvm::StringRef name) {
  if (!name.empty()) {
    return ("layer " + name).str();
  }
  mlir::FailureOr<llvm::SmallVector<mlir::moe::MoELayer>> layers =
      mlir::moe::collectLayers(module);
  size_t count = mlir::succeeded(layers) ? layers->size() : 0;
  return count == 1 ? "one layer without a number"
                    : formatv("{0} layers in one function", count).str();
}

/// Leaves the program: one layer of a model, or the public function.
static llvm::Expected<PreparedModule>
takeProgram(mlir::OwningOpRef<mlir::ModuleOp> module,
            const SessionOptions &options) {
  PreparedModule program;
  bool isWhole = options.layer == "all";
  if (!isWhole && mlir::moe::findModelFunction(*module)) {
    llvm::Error error = runPasses(*module, [&](mlir::OpPassManager &manager) {
      mlir::moe::ExtractLayerPassOptions extract;
      extract.layer = options.layer;
      manager.addPass(mlir::moe::createExtractLayerPass(std::move(extract)));
    });
    if (error) {
      return error;
    }
    program.scope = ProgramScope::Layer;
  }
  llvm::Expected<mlir::func::FuncOp> function =
      findPublicFunction(*module, options.modulePath);
  if (!function) {
    return function.takeError();
  }
  mlir::moe::ModelLayer layer{
      (*function)->getDiscardableAttr(mlir::moe::kLayerAttrName), {}};
  program.name = layer.id ? layer.getName() : "";
  if (!isWhole && !options.layer.empty() && options.layer != program.name) {
    return llvm::createStringError(formatv(
        "{0}: expected layer {1}, but the module holds {2}", options.modulePath,
        options.layer, countLayers(*module, program.name)));
  }
  program.module = std::move(module);
  return program;
}

static bool isPlanned(mlir::ModuleOp module) {
  bool isComplete = true;
  module.walk([&](mlir::moe::ExpertsOp experts) {
    isComplete &=
        experts.getAxes() && experts.getMesh() && experts.getExchange();
  });
  return isComplete;
}

static mlir::comm::MeshOp findMesh(mlir::ModuleOp module) {
  auto meshes = module.getOps<mlir::comm::MeshOp>();
  return meshes.empty() ? mlir::comm::MeshOp() : *meshes.begin();
}

/// The options of moe-plan-pipeline that the request asks for.
static void setOptions(const PlanRequest &request,
                       mlir::moe::PlanPipelineOptions &plan) {
  for (const auto &[name, value] : request.options) {
    bool isSet = plan.set(name, value);
    assert(isSet && "expected a request that is verified");
    (void)isSet;
  }
}

/// Forgets the plan where that is asked for, and reads loads: they are of the
/// layers of the whole model, so they come in before one of them is taken out.
static llvm::Error readInputs(mlir::ModuleOp module,
                              const SessionOptions &options) {
  return runPasses(module, [&](mlir::OpPassManager &manager) {
    if (options.replan) {
      manager.addPass(mlir::moe::createDiscardPlanPass());
    }
    bool isOpen = options.replan || !isPlanned(module);
    if (isOpen && !options.plan.get("loads").empty()) {
      // Options register themselves with the object that holds them.
      mlir::moe::PlanPipelineOptions plan;
      setOptions(options.plan, plan);
      mlir::moe::addLoadsPass(manager, plan);
    }
  });
}

static llvm::Error plan(mlir::ModuleOp module, const PlanRequest &request) {
  mlir::moe::PlanPipelineOptions plan;
  setOptions(request, plan);
  plan.loads = "";
  if (plan.mesh.empty() && !findMesh(module)) {
    plan.mesh = formatv("ep={0}", std::max<int64_t>(request.ranks, 1)).str();
  }
  return runPasses(module, [&](mlir::OpPassManager &manager) {
    mlir::moe::buildPlanPipeline(manager, plan);
  });
}

/// Opens the routing: of the only layer as an argument where that is asked for,
/// of every one as a result.
static llvm::Error openRouting(mlir::ModuleOp module,
                               const SessionOptions &options) {
  return runPasses(module, [&](mlir::OpPassManager &manager) {
    if (options.takesRouting) {
      manager.addPass(mlir::moe::createInjectRoutingPass());
    }
    manager.addPass(mlir::moe::createExposeRoutingPass());
  });
}

/// A module's topology, or one of another format.
static llvm::Expected<moe::planning::Topology>
readTopology(mlir::MLIRContext *context, llvm::StringRef path,
             const moe::topology::TopologyOptions &machine) {
  CaptureDiagnostics diagnostics(context);
  mlir::OwningOpRef<mlir::ModuleOp> file =
      mlir::moe::loadTopology(context, path, machine);
  if (!file) {
    return diagnostics.takeError("the topology cannot be read");
  }
  return mlir::moe::toPlanning(
      *(*file).getOps<mlir::comm::TopologyOp>().begin());
}

/// The plan of a module, for comparison.
static llvm::Expected<PlanAtHand> readPlan(mlir::ModuleOp module) {
  CaptureDiagnostics diagnostics(module.getContext());
  mlir::FailureOr<mlir::moe::PlanFacts> facts =
      mlir::moe::PlanFacts::gather(module);
  if (mlir::failed(facts)) {
    return diagnostics.takeError("the plan cannot be read");
  }
  PlanAtHand plan{"the module is planned",
                  facts->mesh,
                  std::nullopt,
                  {},
                  mlir::moe::getRecordedPlan(module, facts->mesh)};
  if (!facts->devices.isDefault()) {
    plan.topology = facts->devices.topology;
  }
  for (const mlir::moe::MoELayer &layer : facts->layers) {
    mlir::moe::UsePlacementOp handle = layer.placement;
    mlir::moe::ExpertsOp experts = layer.experts;
    auto placement =
        mlir::SymbolTable::lookupNearestSymbolFrom<mlir::moe::PlacementOp>(
            handle, handle.getPlacementAttr());
    auto exchange =
        mlir::SymbolTable::lookupNearestSymbolFrom<mlir::moe::ExchangeOp>(
            experts, experts.getExchangeAttr());
    plan.layers.push_back({mlir::moe::getPlacementOrigin(placement),
                           mlir::moe::toPlanning(exchange.getForm()),
                           static_cast<int64_t>(exchange.getBound())});
  }
  return plan;
}

/// A plan that the module came with must be the one that is asked for.
static llvm::Error comparePlan(mlir::ModuleOp module,
                               const SessionOptions &options) {
  if (options.plan.isEmpty()) {
    return llvm::Error::success();
  }
  llvm::Expected<PlanAtHand> plan = readPlan(module);
  if (!plan) {
    return plan.takeError();
  }
  auto reader = [&](llvm::StringRef path,
                    const moe::topology::TopologyOptions &machine) {
    return readTopology(module.getContext(), path, machine);
  };
  llvm::Expected<std::optional<std::string>> difference =
      options.plan.findDifference(*plan, reader);
  if (!difference || !*difference) {
    return difference.takeError();
  }
  return llvm::createStringError(options.modulePath + ": " + **difference +
                                 "; --replan plans it again");
}

/// Plans the program where that has not been done.
static llvm::Error planProgram(mlir::ModuleOp module,
                               const SessionOptions &options,
                               const RunLimits &limits) {
  if (mlir::comm::MeshOp mesh = findMesh(module)) {
    if (llvm::Error error = limits.checkRanks(mesh.getRankCount())) {
      return llvm::createStringError(options.modulePath + ": " +
                                     llvm::toString(std::move(error)));
    }
  }
  if (!isPlanned(module)) {
    if (llvm::Error error = plan(module, options.plan)) {
      return error;
    }
  }
  return comparePlan(module, options);
}

llvm::Expected<PreparedModule>
moe::runner::prepareModule(mlir::MLIRContext &context,
                           const SessionOptions &options,
                           const RunLimits &limits) {
  // Flags must make sense before anything is read.
  if (llvm::Error error = options.plan.verify()) {
    return error;
  }
  if (llvm::Error error = limits.checkRanks(options.plan.rankCount())) {
    return error;
  }
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> module =
      parseModule(context, options);
  if (!module) {
    return module.takeError();
  }
  if (llvm::Error error = checkLevel(**module, options.modulePath)) {
    return error;
  }
  if (llvm::Error error = readInputs(**module, options)) {
    return error;
  }
  llvm::Expected<PreparedModule> program =
      takeProgram(std::move(*module), options);
  if (!program) {
    return program.takeError();
  }
  if (llvm::Error error = openRouting(*program->module, options)) {
    return error;
  }
  if (llvm::Error error = planProgram(*program->module, options, limits)) {
    return error;
  }
  // Passes may have made another one in its place.
  llvm::Expected<mlir::func::FuncOp> function =
      findPublicFunction(*program->module, options.modulePath);
  if (!function) {
    return function.takeError();
  }
  program->function = *function;
  return program;
}
