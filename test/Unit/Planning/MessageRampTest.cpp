//===- MessageRampTest.cpp - Fits of measured all-to-alls -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"
#include "moe/Planning/CostConstants.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>

using namespace moe::planning;
using namespace moe::planning::test;

static AllToAllSample sample(int64_t devices, double sendBuffer, double time) {
  return {"x", "1", devices, Bytes(sendBuffer), Microseconds(time)};
}

/// Rows that follow a ramp exactly.
static std::vector<AllToAllSample> samplesOf(const MessageRamp &ramp) {
  std::vector<AllToAllSample> samples;
  for (int64_t bytes = 512; bytes < 1'000'000'000; bytes *= 4) {
    AllToAllSample row = sample(4, static_cast<double>(bytes), 1);
    row.time = ramp.timeOf(row.leaving());
    samples.push_back(row);
  }
  return samples;
}

static std::vector<AllToAllSample> measuredRows() {
  auto file = llvm::MemoryBuffer::getFile(MOE_SOURCE_DIR
                                          "/benchmarks/cost/"
                                          "nccl_alltoall_single_node.csv");
  EXPECT_TRUE(bool(file));
  return llvm::cantFail(readAllToAllTable((*file)->getBuffer()));
}

TEST(MessageRamp, AddsLatencyRampAndBandwidth) {
  MessageRamp ramp = {Microseconds(7), 0.01, GigabytesPerSecond(100)};
  EXPECT_DOUBLE_EQ(ramp.timeOf(Bytes(0)).value(), 7);
  EXPECT_DOUBLE_EQ(ramp.timeOf(Bytes(1e6)).value(), 7 + 10 + 10);
  EXPECT_DOUBLE_EQ(sample(8, 800, 1).leaving().value(), 700);
}

TEST(MessageRamp, FitFindsTheRampThatMadeTheRows) {
  for (const MessageRamp &ramp :
       {MessageRamp{Microseconds(7), 0.005, GigabytesPerSecond(350)},
        MessageRamp{Microseconds(12), 0, GigabytesPerSecond(40)},
        MessageRamp{Microseconds(0), 0.02, GigabytesPerSecond(9)}}) {
    MessageRamp found = llvm::cantFail(fitRamp(samplesOf(ramp)));
    EXPECT_NEAR(found.latency.value(), ramp.latency.value(), 1e-4);
    EXPECT_NEAR(found.ramp, ramp.ramp, 1e-6);
    EXPECT_NEAR(found.bandwidth / ramp.bandwidth, 1, 1e-4);
  }
}

TEST(MessageRamp, FitIgnoresFewDisturbedRows) {
  MessageRamp ramp = {Microseconds(7), 0.005, GigabytesPerSecond(350)};
  std::vector<AllToAllSample> samples = samplesOf(ramp);
  samples[2].time = samples[2].time * 2.5;
  MessageRamp found = llvm::cantFail(fitRamp(samples));
  EXPECT_NEAR(found.latency / ramp.latency, 1, 0.03);
  EXPECT_NEAR(found.bandwidth / ramp.bandwidth, 1, 0.03);
}

TEST(MessageRamp, FitNeverFallsWithBytes) {
  // The largest exchange was the fastest: no bandwidth can explain that.
  MessageRamp found = llvm::cantFail(
      fitRamp({sample(2, 1e3, 30), sample(2, 1e6, 20), sample(2, 1e9, 10)}));
  EXPECT_GE(found.ramp, 0);
  EXPECT_LE(found.timeOf(Bytes(1)), found.timeOf(Bytes(1e12)));
  EXPECT_EQ(message(fitRamp({sample(2, 1e3, 30)})),
            "expected at least 3 measured rows, but got 1");
}

TEST(MessageRamp, TableErrorsNameTheLine) {
  std::string header = "gpus,platform,nccl,mean_us,bytes_per_rank_sendbuf\n";
  auto rows = llvm::cantFail(readAllToAllTable(header + "4,h,2.27,7.5,512\n"));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].devices, 4);
  EXPECT_EQ(rows[0].platform, "h");
  EXPECT_EQ(rows[0].time, Microseconds(7.5));
  EXPECT_EQ(rows[0].sendBuffer, Bytes(512));
  EXPECT_EQ(message(readAllToAllTable("a,b\n")),
            "line 1: expected a column 'platform', but got 'a,b'");
  EXPECT_EQ(message(readAllToAllTable(header + "1,h,2.27,7.5,512\n")),
            "line 2: expected at least 2 GPUs, but got '1'");
  EXPECT_EQ(message(readAllToAllTable(header + "\n4,h,2.27,nan,512\n")),
            "line 3: expected bytes and microseconds above 0, but got '512' "
            "and 'nan'");
  EXPECT_EQ(message(readAllToAllTable(header + "4,h\n")),
            "line 2: expected at least 5 fields, but got 2");
}

TEST(Accelerator, RampsAreThoseOfTheTable) {
  std::vector<AllToAllSample> rows = measuredRows();
  int64_t measured = 0;
  for (const Accelerator &product : accelerators()) {
    if (!product.isMeasured()) {
      continue;
    }
    ++measured;
    Microseconds latency;
    for (auto [size, shipped] : llvm::zip(rampGroupSizes, product.ramps)) {
      std::vector<AllToAllSample> group;
      for (const AllToAllSample &row : rows) {
        if (row.platform == product.platform && row.devices == size) {
          group.push_back(row);
        }
      }
      MessageRamp fitted = llvm::cantFail(fitRamp(group));
      EXPECT_NEAR(shipped.latency.value(), fitted.latency.value(), 0.006);
      EXPECT_NEAR(shipped.ramp, fitted.ramp, 1e-6);
      EXPECT_NEAR(shipped.bandwidth.value(), fitted.bandwidth.value(), 0.06);
      // More peers never make an exchange start earlier, nor can links be
      // faster than they are.
      EXPECT_GT(shipped.latency, latency);
      EXPECT_LT(shipped.bandwidth, product.linkBandwidth);
      latency = shipped.latency;
      FitError error = summarizeErrors(relativeErrors(shipped, group));
      EXPECT_LT(error.median, 0.10) << product.name << " " << size;
    }
  }
  EXPECT_EQ(measured, 3);
}

TEST(Accelerator, IsFoundByTheNamesThatToolsPrint) {
  for (const char *name : {"H100", "h100_sxm", "NVIDIA H100 80GB HBM3"}) {
    ASSERT_NE(findAccelerator(name), nullptr) << name;
    EXPECT_EQ(findAccelerator(name)->name, "H100");
  }
  EXPECT_EQ(findAccelerator("NVIDIA GeForce RTX 4090")->name, "RTX4090");
  EXPECT_EQ(findAccelerator("A100-SXM4-80GB")->name, "A100");
  EXPECT_EQ(findAccelerator("H1000"), nullptr);
  EXPECT_EQ(findAccelerator(""), nullptr);
}

TEST(CostConstants, OfAnAcceleratorSayWhetherItWasMeasured) {
  CostConstants b200 = llvm::cantFail(CostConstants::forAccelerator("b200"));
  EXPECT_EQ(b200[ConstantId::DeviceCompute], 2250);
  EXPECT_EQ(b200.accelerator()->name, "B200");
  EXPECT_NE(b200.exchangeBasis().find("calibrated"), std::string::npos);
  EXPECT_EQ(b200.all().back().name, "all_to_all_bandwidth_8");
  EXPECT_EQ(b200.all().back().basis, ConstantBasis::Calibrated);

  CostConstants h800 = llvm::cantFail(CostConstants::forAccelerator("H800"));
  EXPECT_EQ(h800[ConstantId::DefaultTierBandwidth], 8 * 20.6);
  EXPECT_NE(h800.exchangeBasis().find("NCCL's link constants"),
            std::string::npos);
  EXPECT_EQ(message(CostConstants::forAccelerator("TPU")),
            "unknown accelerator 'TPU'; known: " + knownAccelerators());
}
