// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AccessLogTest.cpp - Races by range and clock -----------------------===//

#include "emulator/AccessLog.h"

#include <gtest/gtest.h>

using namespace moert::emulator;

/// A step of an actor that knows its own past, and what `clock` knows.
static Step take(size_t actor, Clock &clock) {
  clock.advance(actor);
  return {actor, clock.of(actor), std::make_shared<const std::string>("step")};
}

TEST(AccessLog, AWriteRacesWithAReadThatItDoesNotKnow) {
  AccessLog log(100);
  Clock a, b;
  EXPECT_FALSE(log.add(0, 50, AccessKind::Read, take(1, a), a).what);
  EXPECT_FALSE(log.add(50, 100, AccessKind::Write, take(2, b), b).what);
  EXPECT_TRUE(log.add(49, 60, AccessKind::Write, take(2, b), b).what);
}

TEST(AccessLog, WhatIsKnownDoesNotRace) {
  AccessLog log(100);
  Clock a, b;
  log.add(0, 50, AccessKind::Write, take(1, a), a);
  b.join(a);
  EXPECT_FALSE(log.add(10, 20, AccessKind::Write, take(2, b), b).what);
  // The rest of the range is still actor 1's alone.
  EXPECT_FALSE(log.add(20, 50, AccessKind::Read, take(1, a), a).what);
  EXPECT_TRUE(log.add(0, 50, AccessKind::Read, take(1, a), a).what);
}

TEST(AccessLog, ReadsDoNotRace) {
  AccessLog log(8);
  Clock a, b, c;
  log.add(0, 8, AccessKind::Read, take(1, a), a);
  EXPECT_FALSE(log.add(0, 8, AccessKind::Read, take(2, b), b).what);
  c.join(b);
  // Of two readers it knows but one.
  EXPECT_TRUE(log.add(0, 8, AccessKind::Write, take(3, c), c).what);
}
