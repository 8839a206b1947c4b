//===- HostileFilesTest.cpp - What must not crash or hang a reader --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <chrono>
#include <random>

using namespace moe::topology;
using namespace moe::topology::test;

static const char *const head =
    "<system version=\"1\"><cpu numaid=\"0\" arch=\"x86_64\" "
    "vendor=\"AuthenticAMD\">\n";

TEST(HostileXml, EntitiesAreNotRead) {
  EXPECT_EQ(
      message(readText("<?xml version=\"1.0\"?>\n"
                       "<!DOCTYPE lolz [<!ENTITY a \"aaaaaaaaaa\">"
                       "<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]>\n"
                       "<system version=\"1\">&b;</system>")),
      "topo:2: expected no document type: entities are not read");
  EXPECT_EQ(message(readText("<!DOCTYPE r [<!ENTITY x SYSTEM "
                             "\"file:///etc/passwd\">]><r>&x;</r>")),
            "topo:1: expected no document type: entities are not read");
}

TEST(HostileXml, TooManyElementsEndTheReading) {
  std::string text = head;
  for (int index = 0; index < 1000000; ++index) {
    text += "<pci/>\n";
  }
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(message(readText(text + "</cpu></system>")),
            "topo:65536: expected at most 65536 elements, but got more");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST(HostileXml, DeepNestingEndsTheReading) {
  std::string text = head;
  for (int index = 0; index < 100000; ++index) {
    text += "<pci busid=\"1\" class=\"0x060400\">";
  }
  EXPECT_NE(message(readText(text)).find("depth"), std::string::npos)
      << message(readText(text));
}

TEST(HostileXml, BrokenTextHasALine) {
  EXPECT_EQ(message(readText("<system version=\"1\">\n<cpu numaid=\"0\">\n")),
            "topo:3: expected XML: premature end of data in tag cpu line 2");
  EXPECT_EQ(message(readText("<system version=\"1\">\n<cpu\n")),
            "topo:3: expected XML: couldn't find end of Start Tag cpu line 2");
  EXPECT_EQ(message(readText("<system version=\"1\">\xff\xfe</system>")),
            "topo:1: expected UTF-8 text, but got other bytes");
  EXPECT_EQ(message(readText("<system version=\"1\" version=\"2\"/>")),
            "topo:1: expected XML: attribute version redefined");
  EXPECT_EQ(message(readText("<")),
            "topo:1: expected XML: startTag: invalid element name");
}

TEST(HostileXml, StructureIsChecked) {
  EXPECT_EQ(message(readText("<system version=\"3\"/>")),
            "topo:1: expected version 1 (NCCL) or 2 (RCCL), but got '3'");
  EXPECT_EQ(message(readText("<system/>")),
            "topo:1: expected <system> to have 'version'");
  EXPECT_EQ(message(readText("<system version=\"1\"/>")),
            "topo: expected at least one GPU, but got none");
  EXPECT_EQ(message(readText("<system version=\"1\">\n<gpu rank=\"0\"/>"
                             "</system>")),
            "topo:2: expected <gpu> inside <pci>, but got it inside <system>");
  std::string gpu = "<pci busid=\"0000:01:00.0\" class=\"0x030200\">"
                    "<gpu rank=\"0\" sm=\"90\"/></pci>\n";
  EXPECT_EQ(message(readText(head + gpu + gpu + "</cpu></system>")),
            "topo:3: expected distinct bus ids, but got '0000:01:00.0' again "
            "(first in line 2)");
  EXPECT_EQ(message(readText(std::string(head) +
                             "<pci class=\"0x030200\"><gpu rank=\"0\"/></pci>"
                             "</cpu></system>")),
            "topo:2: expected <pci> to have 'busid'");
  EXPECT_EQ(message(readText(std::string(head) +
                             "<pci busid=\"1\" class=\"0x03\" "
                             "link_width=\"many\"><gpu rank=\"0\"/></pci>"
                             "</cpu></system>")),
            "topo:2: expected 'link_width' of <pci> to be a whole number, but "
            "got 'many'");
  EXPECT_EQ(message(readText(std::string(head) +
                             "<pci busid=\"1\" class=\"0x03\" "
                             "link_width=\"-4\"><gpu rank=\"0\"/></pci>"
                             "</cpu></system>")),
            "topo:2: expected 'link_width' from 0 to 32, but got -4");
}

TEST(HostileXml, ManyCpusAreRefusedFast) {
  std::string text = "<system version=\"1\">";
  for (int index = 0; index < 20000; ++index) {
    text += llvm::formatv(
                "<cpu numaid=\"{0}\" host_hash=\"{0}\"><pci busid=\"{0}\" "
                "class=\"0x03\"><gpu rank=\"0\"/></pci></cpu>\n",
                index)
                .str();
  }
  EXPECT_EQ(message(readText(text + "</system>")),
            "topo:1: expected at most 256 CPUs, but got 20000");
}

TEST(HostileText, NoFormatAtAll) {
  const char *expected =
      "topo: expected a topology: NCCL's XML, the table of `nvidia-smi topo "
      "-m`, ASTRA-sim's yml, or a module with a comm.topology";
  EXPECT_EQ(message(readText("")), expected);
  EXPECT_EQ(message(readText("hello\nworld\n")), expected);
  EXPECT_EQ(message(readText(std::string(1000, '\0'))), expected);
  EXPECT_EQ(message(readTopologyFile("/nonexistent/topo.xml", {})),
            "/nonexistent/topo.xml: No such file or directory");
}

TEST(HostileText, AMatrixOfManyDevices) {
  std::string text;
  for (int index = 0; index < 1000; ++index) {
    text += "\tGPU" + std::to_string(index);
  }
  EXPECT_EQ(message(readText(text + "\n", ofGpu("H100"))),
            "topo:1: expected at most 512 devices, but got 1000");
  std::string wide = "\tGPU0\tGPU1\nGPU0\tX\tNV99999999999999999999\n";
  EXPECT_NE(message(readText(wide, ofGpu("H100"))).find("expected a class"),
            std::string::npos);
}

TEST(HostileText, YamlDoesNotExpand) {
  EXPECT_EQ(message(readText("topology: &a [ Ring ]\nnpus_count: *a\n"
                             "bandwidth: *a\nlatency: *a\n")),
            "topo:2:1: expected a list, one entry a dimension");
  std::string deep = "topology: ";
  deep.append(2000, '[');
  EXPECT_NE(message(readText(deep)), "");
  EXPECT_NE(message(readText("topology: [ Ring\nnpus_count: ]\n")), "");
  EXPECT_EQ(message(readText("topology: [ \xff ]\n")),
            "topo:1: expected UTF-8 text, but got other bytes");
}

/// Every input, with bytes changed, cut out or doubled: an error or a
/// topology, in bounded time.
TEST(HostileFiles, MutatedInputsAreReadOrRefused) {
  std::mt19937 random(7);
  std::error_code error;
  size_t files = 0;
  for (llvm::sys::fs::recursive_directory_iterator
           entry(MOE_TEST_INPUTS, error),
       end;
       entry != end && !error; entry.increment(error)) {
    if (llvm::sys::fs::is_directory(entry->path()) ||
        llvm::sys::path::extension(entry->path()) == ".md") {
      continue;
    }
    ++files;
    std::string original =
        llvm::cantFail(
            llvm::errorOrToExpected(llvm::MemoryBuffer::getFile(entry->path())))
            ->getBuffer()
            .str();
    for (int round = 0; round < 60; ++round) {
      std::string text = original;
      for (int change = 0; change < 1 + round % 4; ++change) {
        size_t at = random() % text.size();
        switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1 + random() % 40);
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), 60));
          break;
        default:
          text[at] = "0123456789\"<>:,[]-"[random() % 18];
          break;
        }
        if (text.empty()) {
          text = " ";
        }
      }
      TopologyOptions options = ofGpu("A100");
      options.nicGbps = 100;
      options.interNodeGbps = 100;
      options.nodes = 1 + round % 3;
      llvm::Expected<moe::planning::Topology> topology =
          readText(text, options);
      if (!topology) {
        std::string problem = llvm::toString(topology.takeError());
        EXPECT_EQ(problem.find('\n'), std::string::npos) << problem;
        EXPECT_EQ(problem.substr(0, 4), "topo");
      }
    }
  }
  EXPECT_GE(files, 30u);
}
