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

/// A layer has one matrix of tokens as its input and one as its output.
static llvm::Error checkLayerPorts(mlir::func::FuncOp function,
                                   const ProgramLayout &layout) {
  auto isTokens = [](const Port &port) {
    return port.role == Port::Role::Tokens;
  };
  auto isOutput = [](const Port &port) {
    return port.role == Port::Role::Output;
  };
  if (llvm::count_if(layout.arguments, isTokens) != 1 ||
      llvm::count_if(layout.results, isOutput) != 1) {
    return llvm::createStringError(
        formatv("expected a function from one [tokens, hidden] tensor to "
                "another, but got '{0}' with {1} arguments and {2} results",
                function.getSymName(), function.getNumArguments(),
                function.getNumResults()));
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

llvm::Expected<ProgramLayout>
moe::runner::readLayout(const PreparedModule &prepared, const Mesh &mesh) {
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

static std::string formatExchange(mlir::moe::ExchangeOp exchange) {
  return formatv("{0}, at most {1} rows a rank",
                 planning::toString(toPlanning(exchange.getForm())),
                 exchange.getBound());
}

static void fillFacts(const PreparedModule &prepared,
                      const mlir::moe::PlanFacts &plan,
                      const mlir::moe::MoELayer &layer,
                      mlir::moe::ExchangeOp exchange, PlannedLayer &planned) {
  LayerFacts &facts = planned.facts;
  const Port &tokens = *planned.layout.findArgument(Port::Role::Tokens);
  facts.layer = prepared.layer;
  facts.mesh = plan.mesh.toString();
  facts.topology =
      plan.devices.isDefault() ? "none" : plan.devices.topology.toString();
  mlir::moe::UsePlacementOp handle = layer.placement;
  auto placement =
      mlir::SymbolTable::lookupNearestSymbolFrom<mlir::moe::PlacementOp>(
          handle, handle.getPlacementAttr());
  planned.placement = placement.getSymName().str();
  facts.placementPolicy = mlir::moe::getPlacementOrigin(placement);
  facts.exchange = formatExchange(exchange);
  facts.type = tokens.type;
  facts.ranks = plan.mesh.deviceCount();
  facts.hidden = tokens.columns;
  facts.experts = planned.traffic.placement.expertCount();
  facts.choices = planned.traffic.choices;
  facts.maxTokens = plan.tokens;
  facts.staticTokens = tokens.rows;
}

static llvm::Expected<PlannedLayer>
readPlan(const PreparedModule &prepared, const mlir::moe::PlanFacts &plan,
         const mlir::moe::ExchangedLayer &exchanged) {
  mlir::moe::ExpertsOp experts = plan.layers.front().experts;
  auto exchange =
      mlir::SymbolTable::lookupNearestSymbolFrom<mlir::moe::ExchangeOp>(
          experts, experts.getExchangeAttr());
  mlir::moe::LayerExchange plans =
      mlir::moe::makeExchange(plan, exchanged,
                              {toPlanning(exchange.getForm()),
                               static_cast<int64_t>(exchange.getBound())});
  llvm::Expected<ProgramLayout> layout = readLayout(prepared, plan.mesh);
  if (!layout) {
    return layout.takeError();
  }
  if (llvm::Error error = checkLayerPorts(prepared.function, *layout)) {
    return std::move(error);
  }
  PlannedLayer planned{
      LayerFacts(),
      LayerTraffic{plan.mesh, plan.devices.topology, exchanged.placement,
                   exchanged.loads,
                   mlir::moe::getExchangedTokenAxes(plan, exchanged.expertAxes),
                   exchanged.expertAxes, exchanged.resultAxes,
                   exchanged.shape.choices, exchanged.shape.outputColumns,
                   exchanged.shape.outputElementBytes, plans.dispatch.request(),
                   plans.combine.request()},
      std::move(*layout),
      /*placement=*/{}};
  planned.recordedOptions =
      mlir::moe::getRecordedPlan(*prepared.module, plan.mesh);
  fillFacts(prepared, plan, plan.layers.front(), exchange, planned);
  return planned;
}

llvm::Expected<PlannedLayer>
moe::runner::readPlannedLayer(const PreparedModule &prepared) {
  mlir::ModuleOp module = *prepared.module;
  CaptureDiagnostics diagnostics(module.getContext());
  mlir::FailureOr<mlir::moe::PlanFacts> plan =
      mlir::moe::PlanFacts::gather(module);
  if (mlir::failed(plan)) {
    return diagnostics.takeError("the plan cannot be read");
  }
  if (plan->layers.size() != 1) {
    return llvm::createStringError(formatv(
        "expected one layer of experts, but got {0}", plan->layers.size()));
  }
  mlir::FailureOr<mlir::moe::ExchangedLayer> exchanged =
      mlir::moe::ExchangedLayer::gather(plan->layers.front());
  if (mlir::failed(exchanged)) {
    return diagnostics.takeError("the exchange cannot be read");
  }
  return readPlan(prepared, *plan, *exchanged);
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
