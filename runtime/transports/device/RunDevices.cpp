// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RunDevices.cpp - N ranks on devices, each with a thread ------------===//

#include "transports/Join.h"
#include "transports/RankThreads.h"
#include "transports/device/ThreadMeeting.h"
#include "transports/nccl/DeviceLibraries.h"

namespace moert {

namespace {

class DevicesJob : public RankThreads {
public:
  using RankThreads::RankThreads;

protected:
  moert_status prepare(const std::vector<GroupSet> &checked,
                       std::string &error) override;
  void runRank(int32_t rank) override;
  void fail(moert_status status, const std::string &text) override {
    first.set(status, text);
    meeting->close();
  }
  const Failure *failure() const override { return first.get(); }

private:
  void takePart(int32_t rank);
  void expectHosts(int count) const;

  std::vector<GroupSet> sets;
  std::unique_ptr<ThreadMeeting> meeting;
  /// Of the job, as soon as a thread has seen it.
  FailureLatch first;
};

} // namespace

void DevicesJob::expectHosts(int count) const {
  const moert_devices *devices = options.options->devices;
  if (devices && devices->libraries.expectHosts) {
    devices->libraries.expectHosts(count);
  }
}

moert_status DevicesJob::prepare(const std::vector<GroupSet> &checked,
                                 std::string &error) {
  ContextOptions kept;
  moert_status status =
      readOptions(*options.options, options.ranks, allRanks, kept, error);
  if (status != MOERT_OK) {
    return status;
  }
  sets = checked;
  meeting = std::make_unique<ThreadMeeting>(options.ranks);
  contexts.resize(size_t(options.ranks));
  expectHosts(options.ranks);
  return MOERT_OK;
}

void DevicesJob::takePart(int32_t rank) {
  moert_context *made = nullptr;
  moert_message message = {};
  message.struct_size = sizeof(message);
  moert_status status = moert_context_create(
      options.options, &meeting->table(rank), &made, &message);
  if (status != MOERT_OK) {
    fail(status, message.text);
    return;
  }
  contexts[size_t(rank)].reset(made);
  for (const GroupSet &set : sets) {
    made->bind(set);
  }
  if (made->status() == MOERT_OK) {
    std::string error = callBody(*made);
    if (!error.empty()) {
      made->abort(MOERT_RANK_FAILED, error);
    }
  }
  made->transport->leave();
  if (const Failure *failure = made->transport->failure()) {
    fail(failure->status, failure->text);
  }
}

void DevicesJob::runRank(int32_t rank) {
  try {
    takePart(rank);
  } catch (...) {
    fail(MOERT_OUT_OF_MEMORY, "out of memory");
  }
  expectHosts(-1);
}

std::unique_ptr<RankThreads>
makeDevicesJob(const moert_threads_options &options, moert_rank_body body,
               void *user) {
  return std::make_unique<DevicesJob>(options, body, user);
}

} // namespace moert
