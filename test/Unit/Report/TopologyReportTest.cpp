//===- TopologyReportTest.cpp - Topologies as tables and drawings ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/TopologyReport.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace moe::report;
using namespace moe::planning;

/// GPUs on one NVSwitch, on hosts of four.
static Topology rack(unsigned gpus) {
  std::vector<Vertex> vertices = {{VertexKind::NVSwitch, "nvswitch0"}};
  std::vector<Edge> edges;
  for (unsigned gpu = 0; gpu < gpus; ++gpu) {
    Vertex vertex{VertexKind::GPU, "gpu" + std::to_string(gpu)};
    vertex.host = gpu / 4;
    vertex.model = "<B&W>";
    vertices.push_back(std::move(vertex));
    edges.push_back({gpu + 1, 0, EdgeKind::NVLink, GigabytesPerSecond(721.8),
                     GigabytesPerSecond(721.8)});
  }
  return llvm::cantFail(Topology::ofNodes(
      std::make_shared<const LinkGraph>(llvm::cantFail(
          LinkGraph::create(std::move(vertices), std::move(edges)))),
      {}));
}

static std::string textOf(const Report &report) {
  std::string text;
  llvm::raw_string_ostream os(text);
  renderText(report, os);
  return text;
}

TEST(TopologyReport, ManyGpusAreSummedUp) {
  Report report = topologyReport("rack", rack(72), TopologyDetail::ForPeople);
  EXPECT_EQ(report.title, "topology rack: 72 devices on 1 node of 72");
  std::string text = textOf(report);
  EXPECT_NE(text.find("paths between GPUs\n"
                      "  class  bandwidth [GB/s]  pairs  such as\n"
                      "  NVL               721.8   5112  gpu0 to gpu1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("host"), std::string::npos);
}

TEST(TopologyReport, ScriptsGetEveryPair) {
  Report report = topologyReport("rack", rack(20), TopologyDetail::ForScripts);
  ASSERT_EQ(report.tables.size(), 4u);
  EXPECT_EQ(report.tables[2].title, "paths");
  EXPECT_EQ(report.tables[2].rows.size(), 20u * 19);
  EXPECT_EQ(report.tables[3].title, "links");
  EXPECT_EQ(report.tables[3].rows.size(), 20u);
}

TEST(TopologyReport, DrawingsEscapeText) {
  Drawing drawing = topologyDrawing("a \"rack\"", rack(3));
  EXPECT_EQ(drawing.boxes.size(), 4u);
  EXPECT_EQ(drawing.lines.size(), 3u);
  std::string svg, dot;
  llvm::raw_string_ostream svgStream(svg), dotStream(dot);
  renderSvg(drawing, svgStream);
  renderDot(drawing, dotStream);
  EXPECT_NE(svg.find("&lt;B&amp;W&gt;"), std::string::npos);
  EXPECT_EQ(svg.find("<B&W>"), std::string::npos);
  EXPECT_NE(dot.find("label = \"a \\\"rack\\\": 3 devices"), std::string::npos);
  EXPECT_NE(dot.find("\"gpu1\" -- \"nvswitch0\" [label = \"721.8\""),
            std::string::npos);
}

TEST(TopologyReport, NoBoxLiesOnAnother) {
  Drawing drawing = topologyDrawing("rack", rack(6));
  for (const Box &a : drawing.boxes) {
    for (const Box &b : drawing.boxes) {
      bool isSame = &a == &b;
      bool isApart = std::abs(a.row - b.row) >= 1 ||
                     std::abs(a.column - b.column) >= (a.width + b.width) / 2;
      EXPECT_TRUE(isSame || isApart) << a.name << " and " << b.name;
    }
  }
}
