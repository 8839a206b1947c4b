// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Topologies survive the way into operations, through text and back, whether
// MLIR reads the text or the reader that does without it.

#include "moe/Analysis/LoadTopology.h"
#include "moe/Analysis/PlanAttributes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
namespace topology = ::moe::topology;

static std::string describe(const planning::Vertex &vertex) {
  return vertex.name + "|" + planning::toString(vertex.kind).str() + "|" +
         vertex.busId + "|" + vertex.model + "|" +
         std::to_string(vertex.numaNode.value_or(-7)) + "|" +
         std::to_string(vertex.host) + "|" +
         std::to_string(vertex.hasDirectAccess) + "|" +
         std::to_string(vertex.speed.value());
}

static void expectSame(const planning::Topology &a,
                       const planning::Topology &b) {
  ASSERT_EQ(a.tierCount(), b.tierCount());
  for (unsigned index = 0; index < a.tierCount(); ++index) {
    EXPECT_EQ(a.tier(index).name, b.tier(index).name);
    EXPECT_EQ(a.tier(index).size, b.tier(index).size);
    EXPECT_EQ(a.tier(index).bandwidth, b.tier(index).bandwidth);
    EXPECT_EQ(a.tier(index).latency, b.tier(index).latency);
    EXPECT_EQ(a.tier(index).devicesPerPort, b.tier(index).devicesPerPort);
    EXPECT_EQ(a.tier(index).shape, b.tier(index).shape);
  }
  EXPECT_EQ(a.assumptions(), b.assumptions());
  ASSERT_EQ(a.node() == nullptr, b.node() == nullptr);
  if (!a.node()) {
    return;
  }
  ASSERT_EQ(a.node()->vertices().size(), b.node()->vertices().size());
  for (size_t index = 0; index < a.node()->vertices().size(); ++index) {
    EXPECT_EQ(describe(a.node()->vertices()[index]),
              describe(b.node()->vertices()[index]));
  }
  ASSERT_EQ(a.node()->edges().size(), b.node()->edges().size());
  for (size_t index = 0; index < a.node()->edges().size(); ++index) {
    const planning::Edge &left = a.node()->edges()[index];
    const planning::Edge &right = b.node()->edges()[index];
    EXPECT_EQ(
        std::tie(left.a, left.b, left.kind, left.forward, left.backward),
        std::tie(right.a, right.b, right.kind, right.forward, right.backward));
  }
}

TEST(TopologyAttributes, files_round_trip) {
  MLIRContext context;
  std::error_code error;
  size_t files = 0;
  for (llvm::sys::fs::recursive_directory_iterator
           entry(MOE_TEST_INPUTS, error),
       end;
       entry != end && !error; entry.increment(error)) {
    if (llvm::sys::fs::is_directory(entry->path())) {
      continue;
    }
    topology::TopologyOptions options;
    bool isWhole = llvm::sys::path::extension(entry->path()) == ".yml";
    for (const char *gpu : {"", "A100", "H100"}) {
      options.gpu = isWhole ? "" : gpu;
      options.nodes = isWhole ? 1 : 2;
      if (!isWhole) {
        options.nicGbps = 123.4;
        options.interNodeGbps = 56.7;
      }
      llvm::Expected<planning::Topology> read =
          topology::readTopologyFile(entry->path(), options);
      if (!read) {
        llvm::consumeError(read.takeError());
        continue;
      }
      ++files;
      OwningOpRef<ModuleOp> module =
          wrapTopology(&context, entry->path(), *read);
      auto op = *module->getOps<comm::TopologyOp>().begin();
      expectSame(*read, llvm::cantFail(toPlanning(op)));

      std::string text;
      llvm::raw_string_ostream os(text);
      module->print(os);
      OwningOpRef<ModuleOp> parsed =
          parseSourceString<ModuleOp>(text, &context);
      ASSERT_TRUE(parsed);
      auto again = *parsed->getOps<comm::TopologyOp>().begin();
      EXPECT_TRUE(again.describesSame(op));
      expectSame(*read, llvm::cantFail(topology::readCommTopology(
                            llvm::MemoryBufferRef(text, "text"), {})));
    }
  }
  EXPECT_GE(files, 40u);
}
