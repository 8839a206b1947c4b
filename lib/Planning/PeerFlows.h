//===- PeerFlows.h - What a device exchanges with its peers -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PEERFLOWS_H
#define MOE_LIB_PLANNING_PEERFLOWS_H

#include "moe/Planning/Accelerator.h"
#include <utility>

namespace moe::planning {

/// What one device sends, or receives, on the calibrated tier.
struct PeerFlows {
  /// The three heaviest flows, heaviest first.
  std::array<Bytes, 3> heaviest;
  Bytes total;
  int64_t peers = 0;

  void add(Bytes bytes) {
    total += bytes;
    ++peers;
    for (Bytes &place : heaviest) {
      if (bytes > place) {
        std::swap(bytes, place);
      }
    }
  }
};

/// The time of a device's exchange, see the head of CostModel.h.
Microseconds rampTime(const GroupRamps &ramps, const PeerFlows &flows);

/// The flows of a device that sends as much to each of its peers.
PeerFlows evenFlows(int64_t peers, Bytes total);

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PEERFLOWS_H
