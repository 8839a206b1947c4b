//===- Deployment.cpp - What a placement runs on --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Deployment.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <numeric>

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

Deployment Deployment::ofAllDevices(std::shared_ptr<const Topology> topology,
                                    int64_t tokens) {
  Deployment deployment;
  int64_t ranks = topology->deviceCount();
  DeployedGroup &group = deployment.groups.emplace_back();
  group.devices.resize(ranks);
  std::iota(group.devices.begin(), group.devices.end(), 0);
  group.sources = splitTokens(tokens, ranks);
  deployment.topology = std::move(topology);
  return deployment;
}

int64_t Deployment::tokens() const {
  int64_t most = 0;
  for (const DeployedGroup &group : groups) {
    int64_t tokens = 0;
    for (const TokenRange &range : group.sources) {
      tokens += range.size();
    }
    most = std::max(most, tokens);
  }
  return most;
}

ExchangePlan Deployment::plan(ExchangeDirection direction,
                              const Placement &placement) const {
  ExchangeRequest request;
  request.direction = direction;
  request.form = form;
  request.axes = axes;
  request.rowBytes = direction == ExchangeDirection::Dispatch ? dispatchRowBytes
                                                              : combineRowBytes;
  request.localSlots = placement.localSlots();
  request.bound = worstCaseRows(tokens(), choices, placement);
  return ExchangePlan::create(request);
}

/// One group's devices and tokens. `isUsed` marks the devices of groups before.
static llvm::Error verifyGroup(const Deployment &deployment,
                               const DeployedGroup &group, int64_t ranks,
                               std::vector<bool> &isUsed) {
  int64_t devices = deployment.topology->deviceCount();
  if (static_cast<int64_t>(group.devices.size()) != ranks ||
      static_cast<int64_t>(group.sources.size()) != ranks) {
    return createStringError(
        formatv("expected a device and tokens for each of {0} ranks, but got "
                "{1} devices and {2} ranges of tokens",
                ranks, group.devices.size(), group.sources.size())
            .str());
  }
  for (int64_t device : group.devices) {
    if (device < 0 || device >= devices) {
      return createStringError(
          formatv("expected a device from 0 to {0}, but got {1}", devices - 1,
                  device)
              .str());
    }
    if (isUsed[device]) {
      return createStringError(
          formatv("expected distinct devices, but got device {0} twice", device)
              .str());
    }
    isUsed[device] = true;
  }
  return llvm::Error::success();
}

llvm::Error moe::planning::verify(const Deployment &deployment, int64_t ranks) {
  if (deployment.groups.empty()) {
    return createStringError("expected a deployment of at least one group");
  }
  std::vector<bool> isUsed(deployment.topology->deviceCount());
  for (const DeployedGroup &group : deployment.groups) {
    if (llvm::Error error = verifyGroup(deployment, group, ranks, isUsed)) {
      return error;
    }
  }
  if (deployment.tokens() < 1 || deployment.choices < 1) {
    return createStringError(
        formatv("expected at least 1 token that takes at least 1 expert, but "
                "got {0} and {1}",
                deployment.tokens(), deployment.choices)
            .str());
  }
  if (deployment.dispatchRowBytes < 1 || deployment.combineRowBytes < 1) {
    return createStringError(
        formatv("expected rows of at least 1 byte, but got {0} out and {1} "
                "back",
                deployment.dispatchRowBytes, deployment.combineRowBytes)
            .str());
  }
  for (double work : {deployment.work.flopsPerRow.value(),
                      deployment.work.weightBytes.value(),
                      deployment.work.bytesPerRow.value()}) {
    if (!std::isfinite(work) || work < 0) {
      return createStringError(
          formatv("expected an expert's work to be finite and at least 0, but "
                  "got {0}",
                  work)
              .str());
    }
  }
  return llvm::Error::success();
}
