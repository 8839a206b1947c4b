// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The backward pass of a layer, by hand in the program's own operations,
// against the gradient that test/Reference/layer_gradient.py has made in
// float64: within 2e-5 of it, and the same bits on any number of ranks.

#include "moe/Formats/NumpyArray.h"
#include "moe/Runner/Session.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

#include "gtest/gtest.h"
#include <cmath>

using namespace moe::formats;
using namespace moe::runner;
using llvm::formatv;

static constexpr uint64_t seed = 3;
static constexpr int64_t tokens = 23;

static TokenArray readGolden(const char *name) {
  NumpyArray array = llvm::cantFail(NumpyArray::open(
      formatv("{0}/Reference/goldens/gradient.{1}.npy", MOE_TEST_FOLDER, name)
          .str()));
  return TokenArray::fromFloats(array.values<float>(), array.shape()[0],
                                array.shape()[1], ElementType::F32);
}

static void replaceAll(std::string &text, llvm::StringRef from,
                       const std::string &to) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(from.str(), at)) != std::string::npos;
       at += to.size(), ++count) {
    text.replace(at, from.size(), to);
  }
  ASSERT_NE(count, 0u) << from.str();
}

/// The module, which is planned for two ranks, for another number of them.
static std::string makeModule(int64_t ranks, const char *slots,
                              int64_t localSlots) {
  auto file = llvm::MemoryBuffer::getFile(MOE_TEST_FOLDER
                                          "/Inputs/programs/backward.mlir");
  std::string text = (*file)->getBuffer().str();
  replaceAll(text, "<[\"ep\"=2]>", formatv("<[\"ep\"={0}]>", ranks));
  replaceAll(text, "[[0, 1, 2], [3, 4]]", slots);
  replaceAll(text, "<2 ranks x 3 slots>",
             formatv("<{0} ranks x {1} slots>", ranks, localSlots));
  return text;
}

static llvm::Expected<std::vector<TokenArray>>
run(int64_t ranks, const char *slots, int64_t localSlots) {
  SessionOptions options;
  options.modulePath = "backward.mlir";
  options.moduleText = makeModule(ranks, slots, localSlots);
  options.seed = seed;
  auto session = Session::create(options);
  if (!session) {
    return session.takeError();
  }
  EXPECT_EQ((*session)->facts().ranks, ranks);
  auto run = (*session)->run(
      {tokens, {readGolden("input"), readGolden("output")}, std::nullopt});
  if (!run) {
    return run.takeError();
  }
  EXPECT_TRUE((*session)->layers().empty()) << "written by hand";
  return std::move(run->result.outputs);
}

static const char *const names[] = {"x", "router", "gate", "up", "down"};

/// The largest difference, of the golden's largest value.
static double errorOf(const TokenArray &result, const TokenArray &golden) {
  std::vector<float> values = result.toFloats(), expected = golden.toFloats();
  EXPECT_EQ(values.size(), expected.size());
  double largest = 0, difference = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    largest = std::max<double>(largest, std::abs(expected[i]));
    difference =
        std::max<double>(difference, std::abs(double(values[i]) - expected[i]));
    EXPECT_FALSE(std::isnan(values[i])) << i;
  }
  return difference / largest;
}

TEST(Backward, IsTheGradientWithTheSameBitsOnAnyMesh) {
  std::vector<TokenArray> one = llvm::cantFail(run(1, "[[0, 1, 2, 3, 4]]", 5));
  ASSERT_EQ(one.size(), std::size(names));
  for (auto [name, result] : llvm::zip_equal(names, one)) {
    double error = errorOf(result, readGolden(name));
    EXPECT_LE(error, 2e-5) << name;
    RecordProperty(name, formatv("{0}", error).str());
  }
  std::vector<TokenArray> two =
      llvm::cantFail(run(2, "[[0, 1, 2], [3, 4]]", 3));
  std::vector<TokenArray> three =
      llvm::cantFail(run(3, "[[0, 1], [2, 3], [4]]", 2));
  for (auto [name, a, b, c] : llvm::zip_equal(names, one, two, three)) {
    EXPECT_TRUE(a.bytes == b.bytes) << name << " on 2 ranks";
    EXPECT_TRUE(a.bytes == c.bytes) << name << " on 3 ranks";
  }
}

/// Slots that are not the experts in their order.
TEST(Backward, RefusesSumsOfSplitExperts) {
  for (const char *slots : {"[[0, 1, 3], [2, 4]]", "[[0, 1, 2], [3, 4, 0]]"}) {
    auto result = run(2, slots, 3);
    ASSERT_FALSE(result) << slots;
    std::string message = llvm::toString(result.takeError());
    EXPECT_NE(message.find("expected a placement that shares out experts in "
                           "their order, each on one rank"),
              std::string::npos)
        << message;
  }
}
