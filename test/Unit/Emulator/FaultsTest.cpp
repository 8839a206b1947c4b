// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FaultsTest.cpp - Each fault in a kernel is found -------------------===//

#include "TiledProduct.h"

#include <map>

using namespace moert;
using namespace moert::emulator;

namespace {
struct Seeded {
  Fault fault;
  const char *name;
  Found found;
};
} // namespace

static const Seeded faults[] = {
#define MOE_FAULT(name, found) {Fault::name, #name, Found::found},
    MOE_PRODUCT_FAULTS(MOE_FAULT)
#undef MOE_FAULT
};

static Found howItIsFound(const ProductRun &run) {
  Found how = Found::Result;
  for (const Finding &finding : run.findings) {
    if (finding.kind == FindingKind::Deadlock) {
      return Found::Deadlock;
    }
    how = Found::Check;
  }
  EXPECT_TRUE(how == Found::Check || !run.isRight) << "is not found";
  return how;
}

/// Whatever the order in which threads run.
TEST(EmulatedFaults, EachIsFoundByEverySeed) {
  std::map<Found, int> counts;
  for (const Seeded &seeded : faults) {
    SCOPED_TRACE(seeded.name);
    for (uint64_t seed = 0; seed < 3; ++seed) {
      MachineOptions options;
      options.seed = seed;
      ProductRun run = runProduct(options, seeded.fault, 128, 64, 96);
      EXPECT_EQ(int(howItIsFound(run)), int(seeded.found))
          << (run.findings.empty() ? "no finding" : run.findings[0].text);
    }
    ++counts[seeded.found];
  }
  RecordProperty("byResult", counts[Found::Result]);
  RecordProperty("byCheck", counts[Found::Check]);
  RecordProperty("byDeadlock", counts[Found::Deadlock]);
}
