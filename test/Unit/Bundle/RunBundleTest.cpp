// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RunBundleTest.cpp - A layer runs without the compiler --------------===//

#include "moe/Bundle/BundleSource.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

using namespace moe::bundle;
using namespace moe::runner;

TEST(RunBundle, NeedsNoMLIR) {
  SessionOptions options;
  options.modulePath = MOE_TEST_BUNDLE;
  std::unique_ptr<Session> session = llvm::cantFail(
      Session::create(llvm::cantFail(BundleSource::open(options)), options));
  EXPECT_EQ(session->facts().ranks, 4);
  ProgramInput input = llvm::cantFail(session->randomInput(11));
  ProgramRun run = llvm::cantFail(session->run(input));
  ProgramResult expected = llvm::cantFail(session->runReference(input));
  EXPECT_FALSE(compareResults(expected, run.result));
  EXPECT_EQ(run.result.outputs[0].rows, 11);
  EXPECT_EQ(dlopen("libMLIR.so.22.1", RTLD_LAZY | RTLD_NOLOAD), nullptr)
      << "this program has the compiler in it";
}
