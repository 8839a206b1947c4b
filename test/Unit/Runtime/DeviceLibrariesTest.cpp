// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceLibrariesTest.cpp - Finding CUDA and NCCL at run time --------===//

#include "transports/nccl/DeviceLibraries.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

using namespace moert;

TEST(DeviceLibraries, AMissingLibraryIsNamed) {
  cuda::Driver driver;
  EXPECT_EQ(loadDriver("libno-such-driver.so.1", driver),
            "no CUDA driver: libno-such-driver.so.1: cannot open shared object "
            "file: No such file or directory");
  nccl::Library nccl;
  EXPECT_EQ(loadNccl("libno-such-nccl.so.2", nccl),
            "no NCCL: libno-such-nccl.so.2: cannot open shared object file: No "
            "such file or directory");
}

TEST(DeviceLibraries, ALibraryThatLacksASymbolIsNamed) {
  cuda::Driver driver;
  EXPECT_EQ(loadDriver("libm.so.6", driver),
            "CUDA driver too old: libm.so.6 has no cuInit");
  nccl::Library nccl;
  EXPECT_EQ(loadNccl("libm.so.6", nccl),
            "NCCL too old: libm.so.6 has no ncclGetVersion");
}

/// Without a driver this is one line that says so.
TEST(DeviceLibraries, TheMachineHasThemOrTheErrorSaysWhatIsMissing) {
  DeviceLibraries libraries;
  std::string error = findDeviceLibraries(libraries);
  if (error.empty()) {
    EXPECT_NE(libraries.driver->init, nullptr);
    EXPECT_NE(libraries.nccl->getVersion, nullptr);
    return;
  }
  EXPECT_TRUE(error.rfind("no CUDA d", 0) == 0 ||
              error.rfind("no NCCL", 0) == 0 ||
              error.find("too old") != std::string::npos)
      << error;
  EXPECT_EQ(error.find('\n'), std::string::npos);
}

/// NCCL's library loads without a driver, so its names can be checked anywhere.
TEST(DeviceLibraries, NcclHasEveryEntryPoint) {
  if (!dlopen("libnccl.so.2", RTLD_NOW)) {
    GTEST_SKIP() << "no NCCL on this machine: " << dlerror();
  }
  nccl::Library nccl;
  ASSERT_EQ(loadNccl("libnccl.so.2", nccl), "");
  int version = 0;
  ASSERT_EQ(nccl.getVersion(&version), nccl::Success);
  EXPECT_GE(version, 21800);
  EXPECT_EQ(nccl.allToAll != nullptr, version >= 22800) << version;
}
