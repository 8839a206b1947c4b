// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceJob.cpp - Ranks on devices, emulated or real -----------------===//

#include "Harness.h"
#include "core/Context.h"
#include "emulator/Machine.h"
#include "transports/device/ThreadMeeting.h"
#include "transports/nccl/DeviceLibraries.h"

#include <chrono>
#include <thread>

namespace moert::conformance {

namespace {

/// Memory of the rank's emulated device, and a stream beside the transport's.
class DeviceMemory : public RankMemory {
public:
  DeviceMemory(moert_context *context, const cuda::Driver &cuda)
      : context(context), cuda(cuda) {
    cuda.streamCreate(&queue, cuda::streamNonBlocking);
  }
  ~DeviceMemory() override { cuda.streamDestroy(queue); }

  void *allocate(size_t bytes) override {
    void *pointer = nullptr;
    EXPECT_EQ(moert_context_allocate(context, int64_t(bytes), &pointer),
              MOERT_OK);
    return pointer;
  }
  void free(void *pointer) override {
    moert_context_deallocate(context, pointer, 0);
  }
  void write(void *to, const void *from, size_t bytes) override {
    cuda.copyToDevice(addressOf(to), from, bytes, queue);
  }
  void read(void *to, const void *from, size_t bytes) override {
    cuda.copyToHost(to, addressOf(from), bytes, queue);
  }
  void finish() override {
    if (moert_context_synchronize(context, queue) != MOERT_OK) {
      // Communication has been given up: the stream runs dry by itself.
      moert_context_abort(context, MOERT_ABORTED, nullptr);
      cuda.streamSynchronize(queue);
    }
  }
  moert_stream stream() const override { return queue; }

private:
  static cuda::Pointer addressOf(const void *pointer) {
    return cuda::Pointer(reinterpret_cast<uintptr_t>(pointer));
  }

  moert_context *const context;
  const cuda::Driver &cuda;
  cuda::Stream queue = nullptr;
};

} // namespace

static void callBody(moert_context *context, const cuda::Driver &cuda,
                     const Body &body) {
  DeviceMemory memory(context, cuda);
  Rank rank(context, memory);
  try {
    body(rank);
  } catch (const std::exception &exception) {
    std::string what = std::string("threw \"") + exception.what() + "\"";
    moert_context_abort(context, MOERT_RANK_FAILED, what.c_str());
  }
}

static Outcome runRank(const moert_options &options, const Job &job,
                       const Body &body, const moert_bootstrap &table) {
  const cuda::Driver &cuda = *options.devices->libraries.driver;
  cuda::Context device = nullptr;
  cuda.primaryContextRetain(&device, table.rank);
  cuda.contextPush(device);
  moert_context *context = nullptr;
  Outcome outcome = {MOERT_OK, {}, 0};
  moert_message message = {};
  message.struct_size = sizeof(message);
  outcome.status = moert_context_create(&options, &table, &context, &message);
  outcome.text = message.text;
  if (outcome.status == MOERT_OK) {
    FlatSets flat(job);
    if (moert_context_bind_groups(context, flat.sets.data(),
                                  int32_t(flat.sets.size()),
                                  nullptr) == MOERT_OK) {
      callBody(context, cuda, body);
    }
    context->transport->leave();
    const char *text = nullptr;
    outcome.status = moert_context_status(context, &text);
    outcome.text = text;
    moert_context_destroy(context);
  }
  cuda.contextPop(nullptr);
  cuda.primaryContextRelease(table.rank);
  return outcome;
}

/// Runs all ranks; `onEnd` is called at the end of each one's thread.
static Outcome runRanks(const DeviceLibraries &libraries,
                        const TransportUnderTest &transport, const Job &job,
                        const Body &body, const std::function<void()> &onEnd) {
  moert_options options = {};
  options.struct_size = sizeof(options);
  options.abi_version = MOERT_ABI_VERSION;
  options.transport = "nccl";
  options.movement = transport.movement;
  options.deadline_ns = job.deadlineNs;
  const moert_devices devices = {libraries};
  options.devices = &devices;
  ThreadMeeting meeting(job.ranks);
  std::vector<Outcome> outcomes(size_t(job.ranks));
  std::vector<std::thread> threads;
  auto begin = std::chrono::steady_clock::now();
  for (int32_t rank = 0; rank < job.ranks; ++rank) {
    threads.emplace_back([&, rank] {
      outcomes[size_t(rank)] = runRank(options, job, body, meeting.table(rank));
      onEnd();
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  Outcome result = {MOERT_OK, {}, time.count()};
  for (const Outcome &outcome : outcomes) {
    if (outcome.status != MOERT_OK) {
      result.status = outcome.status;
      result.text = outcome.text;
    }
  }
  return result;
}

Outcome runEmulated(const TransportUnderTest &transport, const Job &job,
                    const Body &body) {
  emulator::MachineOptions options;
  options.devices = job.ranks;
  options.seed = transport.seed;
  options.memoryBytes = size_t(64) << 20;
  emulator::Machine machine(options);
  machine.expectHosts(job.ranks);
  Outcome result = runRanks(emulator::Machine::libraries(), transport, job,
                            body, [&] { machine.expectHosts(-1); });
  // A program that the emulator has something against is no correct one.
  for (const emulator::Finding &finding : machine.findings()) {
    EXPECT_NE(result.status, MOERT_OK) << finding.text;
  }
  EXPECT_EQ(machine.liveBytes(), 0u);
  return result;
}

Outcome runNccl(const TransportUnderTest &transport, const Job &job,
                const Body &body) {
  DeviceLibraries libraries;
  std::string error = findDeviceLibraries(libraries);
  if (!error.empty()) {
    return {MOERT_UNSUPPORTED, error, 0};
  }
  return runRanks(libraries, transport, job, body, [] {});
}

int32_t countDevices(std::string &reason) {
  DeviceLibraries libraries;
  int count = 0;
  reason = findDeviceLibraries(libraries);
  if (reason.empty() &&
      libraries.driver->deviceGetCount(&count) != cuda::Success) {
    reason = "the CUDA driver does not say how many devices there are";
  }
  return count;
}

/// Says in every run of the suite whether real devices were among what it ran
/// on.
TEST(RealDevices, AreTestedWhereThereAreAny) {
  std::string reason;
  if (countDevices(reason) == 0) {
    GTEST_SKIP() << (reason.empty() ? "no CUDA device" : reason);
  }
  EXPECT_EQ(std::string(transportsUnderTest().back().name), "nccl");
}

} // namespace moert::conformance
