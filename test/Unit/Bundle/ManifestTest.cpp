// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ManifestTest.cpp - Manifests as JSON and as plans ------------------===//

#include "moe/Bundle/Manifest.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/xxhash.h"

#include <gtest/gtest.h>
#include <map>

using namespace moe::bundle;
using namespace moe::runner;
using moe::planning::AxisRef;
using moe::planning::Placement;
using moe::planning::PlacementData;

/// A layer on dp=2, ep=3 with a replicated expert; no two sizes are equal.
static Manifest makeManifest() {
  Manifest manifest;
  manifest.target = {"x86_64-pc-linux-gnu", "x86-64-v3", "+fma", 8, 16, true};
  manifest.facts.scope = ProgramScope::Layer;
  manifest.facts.mesh = "dp=2,ep=3";
  manifest.facts.ranks = 6;
  manifest.facts.maxTokens = 70;
  manifest.mesh = {{{"dp", 2}, {"ep", 3}}, {5, 4, 3, 2, 1, 0}};
  manifest.topology = "comm.topology @cluster tiers [node: 2 x 50.0 GB/s 5.0 "
                      "us, link: 3 x 300.0 GB/s 1.0 us]";
  PlacementData data;
  data.expertCount = 5;
  data.expertsByRank = {{0, 1}, {2, 0}, {3, 4}};
  manifest.placements["p0"] =
      toEntry({llvm::cantFail(Placement::create(data)), {"ep"}, 3});
  LayerData &layer = manifest.layers.emplace_back();
  layer.name = "encoder.1";
  layer.number = 7;
  layer.experts = 5;
  layer.placement = "p0";
  layer.placementPolicy = "by hand";
  layer.loads.shares = {0.5, 0.125, 0.125, 0.125, 0.125};
  layer.tokenAxes = {"dp", "ep"};
  layer.expertAxes = {"ep"};
  layer.choices = 2;
  layer.combine.direction = moe::planning::ExchangeDirection::Combine;
  layer.combine.form = moe::planning::ExchangeForm::FlatBounded;
  manifest.arguments = {{Port::Role::Tokens,
                         ElementType::BF16,
                         48,
                         70,
                         {AxisRef("dp"), AxisRef("ep")},
                         {}}};
  manifest.results = {{Port::Role::Output,
                       ElementType::BF16,
                       48,
                       std::nullopt,
                       {AxisRef("dp", 1, 2), AxisRef("ep")},
                       {}}};
  manifest.weights["gate"] = {
      "layers.1.{e}.gate", {5, 48, 32}, ElementType::BF16, true, false};
  manifest.programs["program"] = {
      "_mlir_ciface_layer",
      {{Handle::Kind::Experts, "gate", "p0", true, {{}, {}, {"ep"}}},
       {Handle::Kind::Placement, "", "p0", false, {}}},
      {{AxisRef("ep")}},
      {"attention"}};
  manifest.memory = {{100, 20}, {101, 21}};
  return manifest;
}

static std::string errorOf(const std::string &json) {
  llvm::Expected<Manifest> manifest = Manifest::fromJson(json);
  return manifest ? "" : llvm::toString(manifest.takeError());
}

TEST(Manifest, ComesBackFromJson) {
  std::string text = makeManifest().toJson();
  Manifest again = llvm::cantFail(Manifest::fromJson(text));
  EXPECT_EQ(again.toJson(), text);
  EXPECT_EQ(again.results[0].rowAxes[0].toString(), "dp:(1)2");
  EXPECT_EQ(again.arguments[0].rows, 70);
  EXPECT_FALSE(again.results[0].rows);
  EXPECT_EQ(again.memory[1].buffers, 21);
}

/// The keys of an object and, behind each, of what it holds.
static std::string keysOf(const llvm::json::Value &value) {
  std::string keys;
  if (const llvm::json::Array *array = value.getAsArray()) {
    return array->empty() ? "" : keysOf(array->front());
  }
  if (const llvm::json::Object *object = value.getAsObject()) {
    std::map<std::string, std::string> sorted;
    for (const auto &[key, held] : *object) {
      sorted[key.str()] = keysOf(held);
    }
    for (const auto &[key, held] : sorted) {
      keys.append(key).append("(").append(held).append(") ");
    }
  }
  return keys;
}

// Readers of another version know nothing of these fields.
TEST(Manifest, RaisesItsVersionWithItsFields) {
  std::string keys =
      keysOf(llvm::cantFail(llvm::json::parse(makeManifest().toJson())));
  EXPECT_EQ(Manifest::currentVersion, 4);
  EXPECT_EQ(llvm::xxh3_64bits(keys), 16993171952053788843u)
      << "other fields: raise Manifest::currentVersion, and put the new hash "
         "here\n"
      << keys;
}

TEST(Manifest, BecomesThePlanThatItWasMadeFrom) {
  Manifest manifest = makeManifest();
  PlannedProgram planned = llvm::cantFail(manifest.plan());
  EXPECT_EQ(planned.mesh.deviceAt(0), 5);
  EXPECT_EQ(planned.layout.ranks.deviceAt(0), 0);
  ASSERT_EQ(planned.layers.size(), 1u);
  EXPECT_TRUE(planned.layers[0].traffic.placement.hasReplicas());
  EXPECT_FALSE(planned.layers[0].replaced);
  Manifest again;
  again.target = manifest.target;
  again.topology = manifest.topology;
  again.programs = manifest.programs;
  again.memory = manifest.memory;
  again.setPlan(planned);
  EXPECT_EQ(again.toJson(), manifest.toJson());
}

TEST(Manifest, NamesEachMissingField) {
  llvm::json::Value json =
      llvm::cantFail(llvm::json::parse(makeManifest().toJson()));
  for (const auto &entry : *json.getAsObject()) {
    llvm::json::Object without = *json.getAsObject();
    std::string key = entry.first.str();
    without.erase(key);
    std::string error =
        errorOf(llvm::formatv("{0}", llvm::json::Value(std::move(without))));
    const std::map<std::string, std::string> versions = {
        {"version", "version 4"},
        {"project", "moe-mlir " MOE_VERSION},
        {"runtime", "runtime ABI 1"}};
    auto version = versions.find(key);
    std::string expected = version == versions.end()
                               ? key + ": expected"
                               : version->second + ", but got none";
    EXPECT_NE(error.find(expected), std::string::npos) << key << ": " << error;
  }
}

TEST(Manifest, SaysWhereAValueIsWrong) {
  auto replace = [](llvm::StringRef from, llvm::StringRef to) {
    std::string text = makeManifest().toJson();
    size_t at = text.find(from.str());
    EXPECT_NE(at, std::string::npos) << from.str();
    return errorOf(text.replace(at, from.size(), to.str()));
  };
  EXPECT_EQ(replace("\"role\": \"output\"", "\"role\": \"way out\""),
            "results[0].role: expected a known name, but got 'way out'");
  EXPECT_EQ(replace("\"dp:(1)2\"", "\"dp:(x)2\""),
            "results[0].row_axes[0]: expected a mesh axis, but got 'dp:(x)2'");
  EXPECT_EQ(replace("\"max_tokens\": 70", "\"max_tokens\": \"70\""),
            "facts.max_tokens: expected a whole number");
  EXPECT_EQ(replace("\"version\": 4", "\"version\": 3"),
            "expected a bundle of version 4, but got 3");
  EXPECT_EQ(replace("\"project\": \"" MOE_VERSION, "\"project\": \"0.0.9"),
            "expected a bundle of moe-mlir " MOE_VERSION ", but got 0.0.9");
  EXPECT_EQ(replace("\"runtime\": 1", "\"runtime\": 2"),
            "expected a bundle of runtime ABI 1, but got 2");
  EXPECT_NE(errorOf("["), "");
  EXPECT_EQ(errorOf("[]"), "expected an object");
}

TEST(Manifest, RefusesPlansThatCannotBe) {
  auto planError = [](auto change) {
    Manifest manifest = makeManifest();
    change(manifest);
    llvm::Expected<PlannedProgram> planned = manifest.plan();
    return planned ? "" : llvm::toString(planned.takeError());
  };
  EXPECT_EQ(planError([](Manifest &) {}), "");
  EXPECT_NE(planError([](Manifest &m) { m.packing = "rows"; }), "");
  EXPECT_NE(planError([](Manifest &m) { m.mesh.order[0] = 4; }), "");
  EXPECT_NE(planError([](Manifest &m) { m.topology = "comm.mesh"; }), "");
  EXPECT_NE(planError([](Manifest &m) { m.layers[0].expertAxes = {"tp"}; }),
            "");
  EXPECT_NE(planError([](Manifest &m) { m.placements["p0"].slots[0] = {}; }),
            "");
  EXPECT_EQ(
      planError([](Manifest &m) { m.placements["p0"].localSlots = 1; }),
      "placement p0: expected at most 1 slots on a rank, for which the code is "
      "compiled, but got 2");
  EXPECT_EQ(planError([](Manifest &m) { m.placements.clear(); }),
            "expected the placement 'p0' of layer encoder.1");
  EXPECT_NE(planError([](Manifest &m) {
              m.layers[0].replaced = m.placements["p0"];
              m.layers[0].replaced->slots.pop_back();
            }),
            "");
  EXPECT_NE(planError([](Manifest &m) {
              m.placements["p0"].replicas[0].runs[0][0] = 3;
            }),
            "");
}

TEST(Manifest, HasAFingerprintOfAllButWhereExpertsAre) {
  Manifest manifest = makeManifest();
  std::string before = manifest.fingerprint();
  EXPECT_EQ(before.size(), 64u);
  Manifest moved = manifest;
  std::swap(moved.placements["p0"].slots[0], moved.placements["p0"].slots[1]);
  moved.placements["p0"].replicas.clear();
  moved.layers[0].replaced = manifest.placements["p0"];
  moved.layers[0].placementPolicy = "replaced";
  moved.memory.clear();
  EXPECT_EQ(moved.fingerprint(), before);
  moved.placements["p0"].localSlots = 4;
  EXPECT_NE(moved.fingerprint(), before);
  manifest.programs["program"].handles.clear();
  EXPECT_NE(manifest.fingerprint(), before);
}

TEST(Manifest, GivesHandlesThatExistOnly) {
  Manifest manifest = makeManifest();
  EXPECT_EQ(llvm::cantFail(manifest.layoutOf(ProgramKind::Partitioned))
                .handles.size(),
            2u);
  manifest.programs["program"].handles[0].weight = "up";
  llvm::Expected<ProgramLayout> layout =
      manifest.layoutOf(ProgramKind::Partitioned);
  ASSERT_FALSE(layout);
  EXPECT_EQ(llvm::toString(layout.takeError()),
            "expected the weight 'up' and the placement 'p0' of a handle");
}
