// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PrepareModule.h"

#include "moe/Analysis/AxisTraffic.h"
#include "moe/Analysis/LoadTopology.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Dialect/MoE/MoE.h"
#include "moe/Pipelines/PlanPipeline.h"
#include "moe/Runner/CaptureDiagnostics.h"
#include "moe/Transforms/Extract/ModelLayers.h"
#include "moe/Transforms/Extract/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::runner;
using llvm::formatv;
using moe::planning::Mesh;

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

static llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
parseModule(mlir::MLIRContext &context, const SessionOptions &options) {
  CaptureDiagnostics diagnostics(&context);
  const std::string &path = options.modulePath;
  mlir::OwningOpRef<mlir::ModuleOp> module =
      options.moduleText
          ? mlir::parseSourceString<mlir::ModuleOp>(*options.moduleText,
                                                    &context, path)
          : mlir::parseSourceFile<mlir::ModuleOp>(path, &context);
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

/// Leaves one layer in the module; gives its name.
static llvm::Expected<std::string> takeLayer(mlir::ModuleOp module,
                                             const SessionOptions &options) {
  if (mlir::moe::findModelFunction(module)) {
    llvm::Error error = runPasses(module, [&](mlir::OpPassManager &manager) {
      mlir::moe::ExtractLayerPassOptions extract;
      extract.layer = options.layer;
      manager.addPass(mlir::moe::createExtractLayerPass(std::move(extract)));
    });
    if (error) {
      return error;
    }
  }
  llvm::Expected<mlir::func::FuncOp> function =
      findPublicFunction(module, options.modulePath);
  if (!function) {
    return function.takeError();
  }
  mlir::moe::ModelLayer layer{
      (*function)->getDiscardableAttr(mlir::moe::kLayerAttrName), {}};
  std::string name = layer.id ? layer.getName() : "";
  if (!options.layer.empty() && options.layer != name) {
    return llvm::createStringError(
        formatv("{0}: expected layer {1}, but the module holds {2}",
                options.modulePath, options.layer,
                name.empty() ? "one layer without a number" : "layer " + name));
  }
  return name;
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

static std::string formatMesh(mlir::comm::MeshOp mesh) {
  std::string text;
  for (auto axis : mesh.getAxes().getAsRange<mlir::comm::MeshAxisAttr>()) {
    text += formatv("{0}{1}={2}", text.empty() ? "" : ",",
                    axis.getName().getValue(), axis.getSize());
  }
  return text;
}

static llvm::Error plan(mlir::ModuleOp module, const SessionOptions &options) {
  std::string mesh = options.mesh;
  if (mesh.empty() && !findMesh(module)) {
    mesh = formatv("ep={0}", std::max<int64_t>(options.ranks, 1));
  }
  // Options register themselves with the object that holds them.
  mlir::moe::PlanPipelineOptions plan;
  plan.mesh = mesh;
  plan.tokenAxes = llvm::ArrayRef(options.tokenAxes);
  plan.expertAxes = llvm::ArrayRef(options.expertAxes);
  plan.expertTensorAxes = llvm::ArrayRef(options.expertTensorAxes);
  plan.topology = options.topology;
  if (!options.exchange.empty()) {
    plan.exchange = options.exchange;
  }
  return runPasses(module, [&](mlir::OpPassManager &manager) {
    mlir::moe::buildPlanPipeline(manager, plan);
  });
}

/// A file's topology must be the one that the module was planned for.
static llvm::Error checkTopology(mlir::ModuleOp module,
                                 const SessionOptions &options) {
  mlir::OwningOpRef<mlir::ModuleOp> file =
      mlir::moe::loadTopology(module.getContext(), options.topology,
                              ::moe::topology::TopologyOptions());
  if (!file) {
    return llvm::createStringError(
        formatv("{0}: expected a topology", options.topology));
  }
  mlir::comm::TopologyOp asked =
      *(*file).getOps<mlir::comm::TopologyOp>().begin();
  auto planned = module.getOps<mlir::comm::TopologyOp>();
  if (!planned.empty() && (*planned.begin()).describesSame(asked)) {
    return llvm::Error::success();
  }
  return llvm::createStringError(formatv(
      "{0}: expected the topology of {1}, but the module is planned "
      "for {2}; --replan plans it again",
      options.modulePath, options.topology,
      planned.empty()
          ? "none"
          : "@" + (*planned.begin()).getSymName().str() + ", which differs"));
}

/// Axes as the flags name them.
static std::string formatAxes(llvm::ArrayRef<moe::planning::AxisRef> axes) {
  std::string text;
  for (const moe::planning::AxisRef &axis : axes) {
    text += (text.empty() ? "" : ",") + axis.toString();
  }
  return text.empty() ? "none" : text;
}

/// What the axes are for must be what the flags ask for.
static llvm::Error checkRoles(mlir::ModuleOp module,
                              const SessionOptions &options) {
  llvm::Expected<Mesh> mesh = mlir::moe::toPlanning(findMesh(module));
  if (!mesh) {
    return mesh.takeError();
  }
  mlir::moe::AxisRoles roles = mlir::moe::AxisRoles::getRecorded(module, *mesh);
  auto check =
      [&](llvm::StringRef what, llvm::ArrayRef<std::string> asked,
          llvm::ArrayRef<moe::planning::AxisRef> planned) -> llvm::Error {
    std::string text = llvm::join(asked, ",");
    if (asked.empty() || text == formatAxes(planned)) {
      return llvm::Error::success();
    }
    return llvm::createStringError(
        formatv("{0}: expected the {1} axes {2}, but the module is planned "
                "with {3}; --replan plans it again",
                options.modulePath, what, text, formatAxes(planned)));
  };
  llvm::Error error = check("token", options.tokenAxes, roles.tokens);
  if (!error) {
    error = check("expert", options.expertAxes, roles.experts);
  }
  if (!error) {
    error =
        check("expert tensor", options.expertTensorAxes, roles.expertColumns);
  }
  return error;
}

/// Rows must travel as the flag asks.
static llvm::Error checkExchange(mlir::ModuleOp module,
                                 const SessionOptions &options) {
  for (auto exchange : module.getOps<mlir::moe::ExchangeOp>()) {
    llvm::StringRef form = mlir::moe::stringifyExchangeForm(exchange.getForm());
    if (!options.exchange.empty() && options.exchange != form) {
      return llvm::createStringError(formatv(
          "{0}: expected the exchange {1}, but the module is planned with "
          "{2}; --replan plans it again",
          options.modulePath, options.exchange, form));
    }
  }
  return llvm::Error::success();
}

/// The mesh must have the axes and the ranks that the flags ask for.
static llvm::Error checkMesh(mlir::comm::MeshOp mesh,
                             const SessionOptions &options) {
  std::string planned = formatMesh(mesh);
  if (!options.mesh.empty()) {
    llvm::Expected<Mesh> asked = Mesh::parse(options.mesh);
    if (!asked) {
      return asked.takeError();
    }
    if (asked->toString() != planned) {
      return llvm::createStringError(formatv(
          "{0}: expected the mesh {1}, but the module is planned for {2}; "
          "--replan plans it again",
          options.modulePath, asked->toString(), planned));
    }
  }
  if (options.ranks && options.ranks != mesh.getRankCount()) {
    return llvm::createStringError(formatv(
        "{0}: expected {1} ranks, but the module is planned for the "
        "mesh {2} of {3}; --replan plans it again",
        options.modulePath, options.ranks, planned, mesh.getRankCount()));
  }
  return llvm::Error::success();
}

/// The plan that the module came with must be what the flags ask for.
static llvm::Error checkPlan(mlir::ModuleOp module,
                             const SessionOptions &options) {
  if (llvm::Error error = checkMesh(findMesh(module), options)) {
    return error;
  }
  if (llvm::Error error = checkRoles(module, options)) {
    return error;
  }
  if (llvm::Error error = checkExchange(module, options)) {
    return error;
  }
  return options.topology.empty() ? llvm::Error::success()
                                  : checkTopology(module, options);
}

/// Both flags together must make sense before anything is read.
static llvm::Error checkFlags(const SessionOptions &options,
                              const RunLimits &limits) {
  if (options.mesh.empty()) {
    return limits.checkRanks(options.ranks);
  }
  llvm::Expected<Mesh> mesh = Mesh::parse(options.mesh);
  if (!mesh) {
    return mesh.takeError();
  }
  if (options.ranks && options.ranks != mesh->deviceCount()) {
    return llvm::createStringError(
        formatv("expected {0} ranks as asked for, but the mesh {1} has {2}",
                options.ranks, options.mesh, mesh->deviceCount()));
  }
  return limits.checkRanks(mesh->deviceCount());
}

llvm::Expected<PreparedModule>
moe::runner::prepareModule(mlir::MLIRContext &context,
                           const SessionOptions &options,
                           const RunLimits &limits, ModuleScope scope) {
  if (llvm::Error error = checkFlags(options, limits)) {
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
  std::string layer;
  if (scope == ModuleScope::Layer) {
    llvm::Expected<std::string> taken = takeLayer(**module, options);
    if (!taken) {
      return taken.takeError();
    }
    layer = std::move(*taken);
  }
  llvm::Error opened = runPasses(**module, [&](mlir::OpPassManager &manager) {
    if (options.replan) {
      manager.addPass(mlir::moe::createDiscardPlanPass());
    }
    if (scope == ModuleScope::Layer && options.takesRouting) {
      manager.addPass(mlir::moe::createInjectRoutingPass());
    }
    if (scope == ModuleScope::Layer) {
      manager.addPass(mlir::moe::createExposeRoutingPass());
    }
  });
  if (opened) {
    return opened;
  }
  if (mlir::comm::MeshOp mesh = findMesh(**module)) {
    if (llvm::Error error = limits.checkRanks(mesh.getRankCount())) {
      return llvm::createStringError(options.modulePath + ": " +
                                     llvm::toString(std::move(error)));
    }
  }
  if (!isPlanned(**module)) {
    if (llvm::Error error = plan(**module, options)) {
      return error;
    }
  }
  if (llvm::Error error = checkPlan(**module, options)) {
    return error;
  }
  llvm::Expected<mlir::func::FuncOp> function =
      findPublicFunction(**module, options.modulePath);
  if (!function) {
    return function.takeError();
  }
  return PreparedModule{std::move(*module), *function, std::move(layer)};
}
