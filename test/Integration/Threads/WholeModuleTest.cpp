// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A whole module by hand: three layers of experts with dense parts, residuals
// and functions of the host between them. N ranks = one rank = the program that
// was never partitioned, bit for bit.

#include "moe/Runner/RandomTensor.h"
#include "moe/Runner/Session.h"

#include "gtest/gtest.h"
#include <atomic>
#include <cmath>
#include <cstring>

using namespace moe::runner;

static float *at(const moert_matrix *matrix, int64_t row, int64_t column) {
  return static_cast<float *>(matrix->data) + matrix->offset +
         row * matrix->strides[0] + column * matrix->strides[1];
}

/// Rows in all calls of `blend`: each token once in each of two calls, on some
/// rank.
static std::atomic<int64_t> blendedRows;

/// y = x + tanh(z), token by token.
static void blend(moert_frame *, const moert_matrix *x, const moert_matrix *z,
                  int64_t, moert_matrix *y) {
  for (int64_t row = 0; row < x->sizes[0]; ++row) {
    for (int64_t column = 0; column < x->sizes[1]; ++column) {
      *at(y, row, column) =
          *at(x, row, column) + std::tanh(*at(z, row, column));
    }
  }
  blendedRows += x->sizes[0];
}

/// y[t] = the mean of x[0 … t]: of all tokens, or it ends the job.
static void runningMean(moert_frame *frame, const moert_matrix *x,
                        int64_t tokens, moert_matrix *y) {
  if (x->sizes[0] != tokens || y->sizes[0] != tokens) {
    moert_context_abort(frame->context, MOERT_ABORTED, "expected all tokens");
    return;
  }
  for (int64_t column = 0; column < x->sizes[1]; ++column) {
    double sum = 0;
    for (int64_t row = 0; row < tokens; ++row) {
      sum += *at(x, row, column);
      *at(y, row, column) = static_cast<float>(sum / double(row + 1));
    }
  }
}

static HostFunctions hostFunctions() {
  return {{"blend", reinterpret_cast<void *>(&blend)},
          {"running_mean", reinterpret_cast<void *>(&runningMean)}};
}

static SessionOptions makeOptions(const char *mesh,
                                  const char *expertAxes = nullptr) {
  SessionOptions options;
  options.modulePath = MOE_TEST_FOLDER "/Inputs/programs/three-layers.mlir";
  options.plan.options["mesh"] = mesh;
  if (expertAxes) {
    options.plan.options["expert-axes"] = expertAxes;
  }
  options.functions = hostFunctions();
  options.seed = 5;
  return options;
}

static TokenArray makeTokens(int64_t count) {
  TokenArray array(ElementType::F32, count, 24);
  RandomTensor::tokens(/*seed=*/5)
      .fill(0, count * 24, ElementType::F32, array.bytes.data());
  return array;
}

static ProgramInput makeInput(int64_t tokens) {
  return {tokens, {makeTokens(tokens)}, std::nullopt};
}

/// Where two results differ; "" where they do not.
static std::string differenceOf(const Session &session,
                                const ProgramResult &expected,
                                const ProgramResult &result) {
  std::optional<Difference> difference = compareResults(expected, result);
  return difference
             ? toString(*difference,
                        session.slotOf(*difference, result.outputs[0].rows))
             : "";
}

namespace {
struct Plan {
  const char *mesh;
  const char *expertAxes = nullptr;
};
class WholeModule : public testing::TestWithParam<Plan> {};
} // namespace

TEST_P(WholeModule, HasTheBitsOfOneRank) {
  auto alone = llvm::cantFail(Session::create(makeOptions("ep=1")));
  auto session = llvm::cantFail(
      Session::create(makeOptions(GetParam().mesh, GetParam().expertAxes)));
  ASSERT_EQ(session->layers().size(), 3u);
  EXPECT_EQ(session->layers()[1].experts, 6);
  for (int64_t tokens : {77, 5, 0}) {
    SCOPED_TRACE(std::to_string(tokens) + " tokens");
    ProgramInput input = makeInput(tokens);
    blendedRows = 0;
    ProgramRun run = llvm::cantFail(session->run(input));
    EXPECT_EQ(blendedRows, 2 * tokens) << "each token at home on one rank";
    EXPECT_EQ(differenceOf(*session, llvm::cantFail(alone->run(input)).result,
                           run.result),
              "");
    EXPECT_EQ(differenceOf(*session, llvm::cantFail(alone->runReference(input)),
                           run.result),
              "")
        << "against the program that was not partitioned";
    EXPECT_EQ(llvm::cantFail(session->checkTraffic(run)), "");
    EXPECT_FALSE(tokens &&
                 run.result.outputs[0].bytes == input.arguments[0].bytes);
    ASSERT_EQ(run.result.routings.size(), 3u);
    EXPECT_EQ(run.result.routings[1].choices, 1);
    EXPECT_EQ(run.result.routings[2].tokens, tokens);
  }
}

TEST(WholeModuleComparison, NamesTheLayer) {
  auto session = llvm::cantFail(Session::create(makeOptions("ep=2")));
  session->corruptExpert(3);
  ProgramInput input = makeInput(40);
  ProgramRun run = llvm::cantFail(session->run(input));
  std::string text = differenceOf(
      *session, llvm::cantFail(session->runReference(input)), run.result);
  EXPECT_NE(text.find(" in layer 1; "), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Meshes, WholeModule,
    testing::Values(Plan{"dp=2,ep=4"}, Plan{"dp=2,ep=4", "dp,ep"},
                    Plan{"ep=3"}),
    [](const testing::TestParamInfo<Plan> &info) {
      std::string name;
      for (char c : info.param.mesh + ("_" + llvm::Twine(info.index)).str()) {
        name += std::isalnum(c) ? c : '_';
      }
      return name;
    });

static std::string errorOf(const SessionOptions &options) {
  auto session = llvm::cantFail(Session::create(options));
  auto result = session->run(makeInput(3));
  return result ? "" : llvm::toString(result.takeError());
}

TEST(WholeModuleErrors, NamesAFunctionThatTheHostLacks) {
  SessionOptions options = makeOptions("ep=2");
  options.functions.erase("running_mean");
  EXPECT_EQ(errorOf(options),
            options.modulePath +
                ":25:3: expected the host to bring the function "
                "'running_mean', which the module declares and does not "
                "define");
}

TEST(WholeModuleErrors, EndsTheJobWhenAFunctionDoes) {
  SessionOptions options = makeOptions("ep=2");
  options.functions["running_mean"] = reinterpret_cast<void *>(
      +[](moert_frame *frame, const moert_matrix *, int64_t, moert_matrix *) {
        moert_context_abort(frame->context, MOERT_ABORTED, "no mean today");
      });
  EXPECT_NE(errorOf(options).find("no mean today"), std::string::npos)
      << errorOf(options);
}

TEST(WholeModuleErrors, RefusesWhatTheFunctionDoesNotTake) {
  auto session = llvm::cantFail(Session::create(makeOptions("ep=2")));
  auto fails = [&](int64_t tokens, const std::vector<TokenArray> &input,
                   const char *message) {
    auto result = session->run({tokens, input, std::nullopt});
    ASSERT_FALSE(result) << message;
    EXPECT_EQ(llvm::toString(result.takeError()), message);
  };
  fails(3, {}, "expected 1 arguments, but got 0");
  fails(3, {makeTokens(4)},
        "expected argument 0 to be F32 [3, 24], but got F32 [4, 24]");
  fails(81, {makeTokens(81)},
        "expected at most 80 tokens (moe.max_tokens), but got 81");
}
