// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ManifestFields.h"

#include "moe/Bundle/Manifest.h"

#include "moert/moert.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SHA256.h"

using namespace moe::bundle;
using moe::runner::ElementType;
using moe::runner::Handle;
using moe::runner::Port;
using moe::runner::ProgramFacts;
using moe::runner::ProgramScope;
using moe::runner::WeightSymbol;

namespace moe::bundle {

static constexpr EnumName<ElementType> elementTypes[] = {
    {ElementType::F32, "f32"},
    {ElementType::BF16, "bf16"},
    {ElementType::I32, "i32"}};
static constexpr EnumName<ProgramScope> scopes[] = {
    {ProgramScope::Layer, "layer"}, {ProgramScope::Function, "function"}};
static constexpr EnumName<Port::Role> roles[] = {
    {Port::Role::Tokens, "tokens"},
    {Port::Role::Output, "output"},
    {Port::Role::Expert, "expert"},
    {Port::Role::Weight, "weight"}};
static constexpr EnumName<Handle::Kind> handleKinds[] = {
    {Handle::Kind::Experts, "experts"},
    {Handle::Kind::Tensor, "tensor"},
    {Handle::Kind::Placement, "placement"}};
static constexpr EnumName<planning::ExchangeForm> forms[] = {
    {planning::ExchangeForm::FlatExact, "flat_exact"},
    {planning::ExchangeForm::FlatBounded, "flat_bounded"}};
static constexpr EnumName<planning::ExchangeDirection> directions[] = {
    {planning::ExchangeDirection::Dispatch, "dispatch"},
    {planning::ExchangeDirection::Combine, "combine"}};

/// `ep`, or `ep:(2)4` for a sub-axis.
template <> struct TextForm<planning::AxisRef> {
  static constexpr llvm::StringLiteral expected = "expected a mesh axis";
  static planning::AxisRef blank() { return ""; }
  static std::string format(const planning::AxisRef &axis) {
    return axis.toString();
  }
  static bool parse(llvm::StringRef text, planning::AxisRef &axis) {
    auto [name, digits] = text.split(":(");
    axis = planning::AxisRef(name);
    if (name.size() == text.size()) {
      return !name.empty();
    }
    auto [preSize, size] = digits.split(')');
    return !name.empty() && !preSize.getAsInteger(10, axis.preSize) &&
           !size.getAsInteger(10, axis.size);
  }
};

template <typename Fields>
static void describe(Fields &fields, planning::MeshAxis &axis) {
  fields.field("name", axis.name);
  fields.field("size", axis.size);
}

template <typename Fields>
static void describe(Fields &fields, MeshData &mesh) {
  fields.field("axes", mesh.axes);
  fields.field("order", mesh.order);
}

template <typename Fields>
static void describe(Fields &fields, mlir::moe::CPUTarget &target) {
  fields.field("triple", target.triple);
  fields.field("cpu", target.cpu);
  fields.field("features", target.features);
}

template <typename Fields>
static void describe(Fields &fields, ProgramFacts &facts) {
  fields.choice("scope", facts.scope, llvm::ArrayRef(scopes));
  fields.field("mesh", facts.mesh);
  fields.field("topology", facts.topology);
  fields.field("cpu", facts.cpu);
  fields.field("ranks", facts.ranks);
  fields.field("max_tokens", facts.maxTokens);
  fields.field("static_tokens", facts.staticTokens);
}

template <typename Fields> static void describe(Fields &fields, Port &port) {
  fields.choice("role", port.role, llvm::ArrayRef(roles));
  fields.choice("type", port.type, llvm::ArrayRef(elementTypes));
  fields.field("columns", port.columns);
  fields.field("rows", port.rows);
  fields.field("row_axes", port.rowAxes);
  fields.field("column_axes", port.columnAxes);
}

template <typename Fields>
static void describe(Fields &fields, WeightSymbol &weight) {
  fields.field("checkpoint", weight.pattern);
  fields.field("shape", weight.shape);
  fields.choice("type", weight.type, llvm::ArrayRef(elementTypes));
  fields.field("experts", weight.isExperts);
  fields.field("in_by_out", weight.isInByOut);
}

template <typename Fields>
static void describe(Fields &fields, Handle &handle) {
  fields.choice("kind", handle.kind, llvm::ArrayRef(handleKinds));
  fields.field("weight", handle.weight);
  fields.field("placement", handle.placement);
  fields.field("packed", handle.isPacked);
  fields.field("sharding", handle.sharding);
}

template <typename Fields>
static void describe(Fields &fields, ReplicaData &replicas) {
  fields.field("expert", replicas.expert);
  fields.field("cells", replicas.cells);
  fields.field("runs", replicas.runs);
}

template <typename Fields>
static void describe(Fields &fields, PlacementEntry &placement) {
  fields.field("axes", placement.axes);
  fields.field("experts", placement.experts);
  fields.field("slots", placement.slots);
  fields.field("replicas", placement.replicas);
  fields.field("local_slots", placement.localSlots);
}

template <typename Fields>
static void describe(Fields &fields, planning::ExpertShares &loads) {
  fields.field("shares", loads.shares);
  fields.field("assumed_uniform", loads.isAssumedUniform);
  fields.optionalList("by_source", loads.bySource);
}

template <typename Fields>
static void describe(Fields &fields, planning::ExchangeRequest &exchange) {
  fields.choice("direction", exchange.direction, llvm::ArrayRef(directions));
  fields.choice("form", exchange.form, llvm::ArrayRef(forms));
  fields.field("axes", exchange.axes);
  fields.field("row_bytes", exchange.rowBytes);
  fields.field("local_slots", exchange.localSlots);
  fields.field("bound", exchange.bound);
}

template <typename Fields>
static void describe(Fields &fields, LayerData &layer) {
  fields.field("layer", layer.name);
  fields.field("number", layer.number);
  fields.field("experts", layer.experts);
  fields.field("choices", layer.choices);
  fields.field("placement", layer.placement);
  fields.field("policy", layer.placementPolicy);
  fields.field("replaced", layer.replaced);
  fields.field("loads", layer.loads);
  fields.field("token_axes", layer.tokenAxes);
  fields.field("expert_axes", layer.expertAxes);
  fields.field("column_axes", layer.columnAxes);
  fields.field("output_columns", layer.outputColumns);
  fields.field("output_element_bytes", layer.outputElementBytes);
  fields.field("dispatch", layer.dispatch);
  fields.field("combine", layer.combine);
}

template <typename Fields>
static void describe(Fields &fields, ProgramData &program) {
  fields.field("entry", program.entry);
  fields.field("handles", program.handles);
  fields.field("groups", program.groups);
  fields.field("functions", program.functions);
}

template <typename Fields>
static void describe(Fields &fields, RankMemory &memory) {
  fields.field("weights", memory.weights);
  fields.field("buffers", memory.buffers);
}

template <typename Fields>
static void describe(Fields &fields, Manifest &manifest) {
  fields.field("version", manifest.version);
  fields.field("project", manifest.project);
  fields.field("runtime", manifest.runtime);
  fields.field("target", manifest.target);
  fields.field("packing", manifest.packing);
  fields.field("overlaps", manifest.overlaps);
  fields.field("facts", manifest.facts);
  fields.field("options", manifest.options);
  fields.field("mesh", manifest.mesh);
  fields.field("topology", manifest.topology);
  fields.field("arguments", manifest.arguments);
  fields.field("results", manifest.results);
  fields.field("weights", manifest.weights);
  fields.field("placements", manifest.placements);
  fields.field("layers", manifest.layers);
  fields.field("programs", manifest.programs);
  fields.field("memory", manifest.memory);
}

} // namespace moe::bundle

llvm::StringRef Manifest::currentProject() { return MOE_VERSION; }

int64_t Manifest::currentRuntime() { return MOERT_ABI_VERSION; }

std::string Manifest::toJson() const {
  return llvm::formatv("{0:2}\n", FieldWriter::toJson(*this));
}

std::string Manifest::fingerprint() const {
  Manifest fixed = *this;
  for (auto &[name, placement] : fixed.placements) {
    placement.slots.clear();
    placement.replicas.clear();
  }
  for (LayerData &layer : fixed.layers) {
    layer.placementPolicy.clear();
    layer.replaced.reset();
  }
  // What follows from the rest.
  fixed.memory.clear();
  return llvm::toHex(
      llvm::SHA256::hash(llvm::arrayRefFromStringRef(fixed.toJson())),
      /*LowerCase=*/true);
}

/// Versions alone: of another one nothing else can be expected to be known.
static llvm::Error checkVersions(const llvm::json::Object &manifest) {
  auto check = [](llvm::StringRef of, const std::string &expected,
                  const std::string &got) {
    return expected == got ? llvm::Error::success()
                           : llvm::createStringError(llvm::formatv(
                                 "expected a bundle of {0} {1}, but got {2}",
                                 of, expected, got));
  };
  auto number = [&](llvm::StringRef key) {
    std::optional<int64_t> value = manifest.getInteger(key);
    return value ? std::to_string(*value) : "none";
  };
  if (llvm::Error error =
          check("version", std::to_string(Manifest::currentVersion),
                number("version"))) {
    return error;
  }
  if (llvm::Error error =
          check("moe-mlir", Manifest::currentProject().str(),
                manifest.getString("project").value_or("none").str())) {
    return error;
  }
  return check("runtime ABI", std::to_string(Manifest::currentRuntime()),
               number("runtime"));
}

llvm::Expected<Manifest> Manifest::fromJson(llvm::StringRef text) {
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(text);
  if (!json) {
    return json.takeError();
  }
  const llvm::json::Object *object = json->getAsObject();
  if (!object) {
    return llvm::createStringError("expected an object");
  }
  if (llvm::Error error = checkVersions(*object)) {
    return std::move(error);
  }
  Manifest manifest;
  std::string problem;
  FieldReader reader(*object, "", problem);
  describe(reader, manifest);
  if (!problem.empty()) {
    return llvm::createStringError(problem);
  }
  return manifest;
}
