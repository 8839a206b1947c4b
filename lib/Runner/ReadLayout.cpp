// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ReadLayout.h"

#include "moe/Analysis/LayerExchange.h"
#include "moe/Analysis/PlacementOrigin.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"
#include "moe/Analysis/RecordedPlan.h"
#include "moe/Runner/CaptureDiagnostics.h"
#include "moe/Transforms/Extract/Passes.h"

#include "llvm/Support/FormatVariadic.h"

using namespace moe::runner;
using llvm::formatv;
using mlir::moe::toPlanning;
using moe::planning::Mesh;
namespace planning = moe::planning;

static llvm::Expected<ElementType> readType(mlir::Type type) {
  if (type.isF32()) {
    return ElementType::F32;
  }
  if (type.isBF16()) {
    return ElementType::BF16;
  }
  if (type.isInteger(32)) {
    return ElementType::I32;
  }
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return llvm::createStringError(formatv(
      "expected f32 or bf16, which the CPU target runs, but got {0}", text));
}

static std::vector<Axes> readSharding(mlir::Attribute attribute) {
  std::vector<Axes> dims;
  if (auto sharding =
          mlir::dyn_cast_if_present<mlir::comm::ShardingAttr>(attribute)) {
    for (mlir::comm::AxisListAttr axes : sharding.getDims()) {
      dims.push_back(toPlanning(axes));
    }
  }
  return dims;
}

static Port::Role readRole(mlir::Attribute routing, Port::Role otherwise) {
  auto text = mlir::dyn_cast_if_present<mlir::StringAttr>(routing);
  if (!text) {
    return otherwise;
  }
  return text.getValue() == "expert" ? Port::Role::Expert : Port::Role::Weight;
}

static llvm::Expected<Port> readPort(mlir::Type type, mlir::Attribute sharding,
                                     mlir::Attribute routing,
                                     Port::Role otherwise) {
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  if (!tensor || tensor.getRank() != 2 || tensor.isDynamicDim(1)) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return llvm::createStringError(formatv(
        "expected arguments and results [tokens, columns], but got {0}", text));
  }
  llvm::Expected<ElementType> element = readType(tensor.getElementType());
  if (!element) {
    return element.takeError();
  }
  Port port;
  port.role = readRole(routing, otherwise);
  port.type = *element;
  port.columns = tensor.getDimSize(1);
  if (!tensor.isDynamicDim(0)) {
    port.rows = tensor.getDimSize(0);
  }
  std::vector<Axes> dims = readSharding(sharding);
  if (dims.size() == 2) {
    port.rowAxes = dims[0];
    port.columnAxes = dims[1];
  }
  return port;
}

static llvm::Error readPorts(mlir::func::FuncOp function,
                             ProgramLayout &layout) {
  mlir::StringRef sharding = mlir::comm::kShardingAttrName;
  mlir::StringRef routing = mlir::moe::kRoutingAttrName;
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    llvm::Expected<Port> port =
        readPort(type, function.getArgAttr(i, sharding),
                 function.getArgAttr(i, routing), Port::Role::Tokens);
    if (!port) {
      return port.takeError();
    }
    layout.arguments.push_back(*port);
  }
  for (auto [i, type] : llvm::enumerate(function.getResultTypes())) {
    llvm::Expected<Port> port =
        readPort(type, function.getResultAttr(i, sharding),
                 function.getResultAttr(i, routing), Port::Role::Output);
    if (!port) {
      return port.takeError();
    }
    layout.results.push_back(*port);
  }
  return llvm::Error::success();
}

static llvm::Expected<WeightSymbol> readWeight(mlir::moe::WeightOp op) {
  WeightSymbol symbol;
  symbol.pattern = op.getPattern().str();
  symbol.isInByOut = op.getLayout() == mlir::moe::WeightLayout::InByOut;
  auto shaped = mlir::cast<mlir::ShapedType>(op.getType());
  symbol.shape.assign(shaped.getShape().begin(), shaped.getShape().end());
  symbol.isExperts = mlir::isa<mlir::moe::WeightsType>(op.getType());
  llvm::Expected<ElementType> type = readType(shaped.getElementType());
  if (!type) {
    return type.takeError();
  }
  symbol.type = *type;
  return symbol;
}

/// Reads the symbols that handles will name.
static llvm::Error readSymbols(mlir::ModuleOp module, ProgramLayout &layout) {
  for (auto op : module.getOps<mlir::moe::WeightOp>()) {
    llvm::Expected<WeightSymbol> symbol = readWeight(op);
    if (!symbol) {
      return symbol.takeError();
    }
    layout.weights[op.getSymName().str()] = *symbol;
  }
  for (auto op : module.getOps<mlir::moe::PlacementOp>()) {
    llvm::Expected<planning::Placement> placement = toPlanning(op);
    if (!placement) {
      return placement.takeError();
    }
    layout.placements.emplace(
        op.getSymName().str(),
        PlacementSymbol{std::move(*placement), toPlanning(op.getAxes()),
                        mlir::moe::getLocalSlots(op, op.getExperts())});
  }
  return llvm::Error::success();
}

/// Arguments, results, weights and placements.
static llvm::Expected<ProgramLayout> readLayout(const PreparedModule &prepared,
                                                const Mesh &mesh) {
  std::vector<int64_t> identity(mesh.deviceCount());
  for (auto [rank, device] : llvm::enumerate(identity)) {
    device = rank;
  }
  llvm::Expected<Mesh> ranks = mesh.withDeviceOrder(identity);
  if (!ranks) {
    return ranks.takeError();
  }
  ProgramLayout layout{*ranks, {}, {}, {}, {}, {}, {}};
  if (llvm::Error error = readPorts(prepared.function, layout)) {
    return std::move(error);
  }
  if (llvm::Error error = readSymbols(*prepared.module, layout)) {
    return std::move(error);
  }
  return layout;
}

/// What one layer is called: the only one as its function is.
static std::string nameLayer(const PreparedModule &prepared,
                             const mlir::moe::PlanFacts &plan,
                             const mlir::moe::MoELayer &layer) {
  return plan.layers.size() == 1 ? prepared.name : layer.getName();
}

/// What the runtime counts a layer's collectives under.
static std::optional<int64_t> readNumber(const mlir::moe::MoELayer &layer) {
  for (const mlir::moe::LayerCall &step : llvm::reverse(layer.path)) {
    mlir::func::CallOp call = step.call;
    if (auto number =
            call->getAttrOfType<mlir::IntegerAttr>(mlir::moe::kLayerAttrName)) {
      return number.getInt();
    }
  }
  return std::nullopt;
}

static llvm::Expected<PlannedLayer>
readLayer(const PreparedModule &prepared, const mlir::moe::PlanFacts &plan,
          const mlir::moe::MoELayer &layer) {
  mlir::ModuleOp module = *prepared.module;
  CaptureDiagnostics diagnostics(module.getContext());
  mlir::FailureOr<mlir::moe::ExchangedLayer> exchanged =
      mlir::moe::ExchangedLayer::gather(layer);
  if (mlir::failed(exchanged)) {
    return diagnostics.takeError("the exchange cannot be read");
  }
  mlir::moe::ExpertsOp experts = layer.experts;
  auto exchange =
      mlir::SymbolTable::lookupNearestSymbolFrom<mlir::moe::ExchangeOp>(
          experts, experts.getExchangeAttr());
  mlir::moe::UsePlacementOp handle = layer.placement;
  auto placement =
      mlir::SymbolTable::lookupNearestSymbolFrom<mlir::moe::PlacementOp>(
          handle, handle.getPlacementAttr());
  mlir::moe::LayerExchange plans =
      mlir::moe::makeExchange(plan, *exchanged,
                              {toPlanning(exchange.getForm()),
                               static_cast<int64_t>(exchange.getBound())});
  return PlannedLayer{
      nameLayer(prepared, plan, layer),
      readNumber(layer),
      exchanged->placement.expertCount(),
      placement.getSymName().str(),
      mlir::moe::getPlacementOrigin(placement),
      LayerTraffic{
          plan.mesh, plan.devices.topology, exchanged->placement,
          exchanged->loads,
          mlir::moe::getExchangedTokenAxes(plan, exchanged->expertAxes),
          exchanged->expertAxes, exchanged->resultAxes,
          exchanged->shape.choices, exchanged->shape.outputColumns,
          exchanged->shape.outputElementBytes, plans.dispatch.request(),
          plans.combine.request()}};
}

/// The number of tokens, where all that goes in is compiled for one.
static std::optional<int64_t> readStaticTokens(const ProgramLayout &layout) {
  bool isStatic = llvm::all_of(
      layout.arguments, [](const Port &port) { return port.rows.has_value(); });
  return isStatic && !layout.arguments.empty() ? layout.arguments.front().rows
                                               : std::nullopt;
}

static ProgramFacts readFacts(const PreparedModule &prepared,
                              const mlir::moe::PlanFacts &plan,
                              const ProgramLayout &layout) {
  ProgramFacts facts;
  facts.scope = prepared.scope;
  facts.mesh = plan.mesh.toString();
  facts.topology =
      plan.devices.isDefault() ? "none" : plan.devices.topology.toString();
  facts.ranks = plan.mesh.deviceCount();
  facts.maxTokens = plan.tokens;
  facts.staticTokens = readStaticTokens(layout);
  return facts;
}

static llvm::Expected<mlir::moe::PlanFacts> gatherPlan(mlir::ModuleOp module) {
  CaptureDiagnostics diagnostics(module.getContext());
  mlir::FailureOr<mlir::moe::PlanFacts> plan =
      mlir::moe::PlanFacts::gather(module);
  if (mlir::failed(plan)) {
    return diagnostics.takeError("the plan cannot be read");
  }
  return std::move(*plan);
}

llvm::Expected<PlannedProgram>
moe::runner::readPlan(const PreparedModule &prepared) {
  llvm::Expected<mlir::moe::PlanFacts> plan = gatherPlan(*prepared.module);
  if (!plan) {
    return plan.takeError();
  }
  llvm::Expected<ProgramLayout> layout = readLayout(prepared, plan->mesh);
  if (!layout) {
    return layout.takeError();
  }
  PlannedProgram planned{
      readFacts(prepared, *plan, *layout),
      plan->mesh,
      plan->devices.topology,
      std::move(*layout),
      {},
      mlir::moe::getRecordedPlan(*prepared.module, plan->mesh)};
  for (const mlir::moe::MoELayer &layer : plan->layers) {
    if (layer.root != prepared.function) {
      continue;
    }
    llvm::Expected<PlannedLayer> read = readLayer(prepared, *plan, layer);
    if (!read) {
      return read.takeError();
    }
    planned.layers.push_back(std::move(*read));
  }
  return planned;
}

static llvm::Expected<Handle> readHandle(mlir::Attribute attribute) {
  auto entries = mlir::dyn_cast<mlir::DictionaryAttr>(attribute);
  auto kind = entries ? entries.getAs<mlir::StringAttr>("kind") : nullptr;
  if (!kind) {
    return llvm::createStringError("expected handles with a kind");
  }
  auto symbolOf = [&](llvm::StringRef key) -> std::string {
    auto symbol = entries.getAs<mlir::FlatSymbolRefAttr>(key);
    return symbol ? symbol.getValue().str() : "";
  };
  Handle handle;
  handle.weight = symbolOf("weight");
  handle.placement = symbolOf("placement");
  handle.isPacked = static_cast<bool>(entries.get("packed"));
  handle.sharding = readSharding(entries.get("sharding"));
  if (kind.getValue() == "experts") {
    handle.kind = Handle::Kind::Experts;
  } else if (kind.getValue() == "tensor") {
    handle.kind = Handle::Kind::Tensor;
  } else if (kind.getValue() == "placement") {
    handle.kind = Handle::Kind::Placement;
  } else {
    return llvm::createStringError(
        formatv("expected handles of experts, tensors or placements, but got "
                "\"{0}\"",
                kind.getValue()));
  }
  return handle;
}

llvm::Error moe::runner::readHandles(mlir::ModuleOp lowered,
                                     ProgramLayout &layout) {
  auto handles =
      lowered->getAttrOfType<mlir::ArrayAttr>(mlir::moe::kHandlesAttrName);
  if (!handles) {
    return llvm::createStringError(
        formatv("expected a lowered module with '{0}'",
                llvm::StringRef(mlir::moe::kHandlesAttrName)));
  }
  for (mlir::Attribute attribute : handles) {
    llvm::Expected<Handle> handle = readHandle(attribute);
    if (!handle) {
      return handle.takeError();
    }
    layout.handles.push_back(std::move(*handle));
  }
  if (auto groups = lowered->getAttrOfType<mlir::ArrayAttr>("moe.groups")) {
    for (auto axes : groups.getAsRange<mlir::comm::AxisListAttr>()) {
      layout.groups.push_back(toPlanning(axes));
    }
  }
  return llvm::Error::success();
}
