//===- TestSupport.h - Reading errors in planning tests ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_TEST_UNIT_PLANNING_TESTSUPPORT_H
#define MOE_TEST_UNIT_PLANNING_TESTSUPPORT_H

#include "moe/Planning/Mesh.h"
#include <gtest/gtest.h>

namespace moe::planning::test {

/// The message of a failure; empty for success.
inline std::string message(llvm::Error error) {
  return llvm::toString(std::move(error));
}
template <typename T> std::string message(llvm::Expected<T> result) {
  return result ? "" : llvm::toString(result.takeError());
}

/// Two nodes of four devices: InfiniBand outside, NVLink inside.
inline Topology twoNodes() {
  return llvm::cantFail(Topology::create(
      {{"ib", 2, GigabytesPerSecond(50), Microseconds(5)},
       {"nvlink", 4, GigabytesPerSecond(370.8), Microseconds(1.5)}}));
}

} // namespace moe::planning::test

#endif // MOE_TEST_UNIT_PLANNING_TESTSUPPORT_H
