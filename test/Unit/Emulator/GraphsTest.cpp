// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- GraphsTest.cpp - Capturing streams to graphs -----------------------===//

#include "EmulatedMachine.h"

using namespace moert;
using namespace moert::emulator;

/// Forks to a second stream and joins it again.
static void queueForkAndJoin(TestDevice &device, cuda::Stream other,
                             cuda::Pointer a, cuda::Pointer b, bool joins) {
  cuda::Event forked = device.makeEvent(), joined = device.makeEvent();
  device.cuda.eventRecord(forked, device.stream);
  device.cuda.streamWaitEvent(other, forked, 0);
  device.cuda.copyOnDevice(b, a, 4, other);
  device.cuda.eventRecord(joined, other);
  if (joins) {
    device.cuda.streamWaitEvent(device.stream, joined, 0);
    device.cuda.copyOnDevice(a + 4, b, 4, device.stream);
  }
}

TEST(EmulatedGraphs, AGraphRunsWhenItIsLaunchedAndAsOftenAsThat) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    MachineOptions options;
    options.seed = seed;
    Machine machine(options);
    TestDevice device(0);
    cuda::Pointer a = device.allocate(8), b = device.allocate(4);
    cuda::Stream other = device.makeStream();
    EXPECT_EQ(device.cuda.captureBegin(device.stream, cuda::captureThreadLocal),
              cuda::Success);
    queueForkAndJoin(device, other, a, b, true);
    cuda::Graph graph = nullptr;
    cuda::GraphExec exec = nullptr;
    ASSERT_EQ(device.cuda.captureEnd(device.stream, &graph), cuda::Success);
    ASSERT_EQ(device.cuda.graphInstantiate(&exec, graph, 0), cuda::Success);
    EXPECT_EQ(device.cuda.graphDestroy(graph), cuda::Success);
    for (int32_t turn = 1; turn <= 3; ++turn) {
      device.write(a, {turn, 0});
      EXPECT_EQ(device.read(a, 2)[1], 0);
      EXPECT_EQ(device.cuda.graphLaunch(exec, device.stream), cuda::Success);
      EXPECT_EQ(device.read(a, 2)[1], turn);
    }
    EXPECT_EQ(device.cuda.graphExecDestroy(exec), cuda::Success);
    EXPECT_TRUE(machine.findings().empty());
  }
}

TEST(EmulatedGraphs, AHostThatWaitsInACaptureEndsIt) {
  Machine machine({});
  TestDevice device(0);
  cuda::Event event = device.makeEvent();
  device.cuda.captureBegin(device.stream, cuda::captureThreadLocal);
  device.cuda.eventRecord(event, device.stream);
  EXPECT_EQ(device.synchronize(device.stream), cuda::CaptureUnsupported);
  EXPECT_EQ(device.cuda.eventQuery(event), cuda::CapturedEvent);
  cuda::Graph graph = nullptr;
  EXPECT_EQ(device.cuda.captureEnd(device.stream, &graph),
            cuda::CaptureInvalidated);
  std::vector<Finding> found = machine.findings();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].text,
            "cuStreamSynchronize while a stream is captured to a graph");
  EXPECT_EQ(found[0].kind, FindingKind::Capture);
}

TEST(EmulatedGraphs, AStreamThatIsNotJoinedIsFound) {
  Machine machine({});
  TestDevice device(0);
  cuda::Pointer a = device.allocate(8), b = device.allocate(4);
  device.cuda.captureBegin(device.stream, cuda::captureThreadLocal);
  queueForkAndJoin(device, device.makeStream(), a, b, false);
  cuda::Graph graph = nullptr;
  EXPECT_EQ(device.cuda.captureEnd(device.stream, &graph),
            cuda::CaptureUnjoined);
  EXPECT_EQ(kindsOf(machine.findings()),
            std::vector<FindingKind>{FindingKind::Capture});
}
