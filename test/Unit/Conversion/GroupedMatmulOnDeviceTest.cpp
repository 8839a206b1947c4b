// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledLoops.h"
#include "TestDevice.h"

#include "moe/Target/GPU/GPUPackedLayout.h"

#include <algorithm>
#include <numeric>
#include <type_traits>

using namespace mlir::moe;
using namespace mlir::moe::test;

static constexpr char productModule[] = R"(
func.func @product(%x: memref<$Rx$Kx$T>, %t: memref<?xi64>, %o: memref<$Oxi32>, %y: memref<$Rx$Nx$U>) {
  %w = builtin.unrealized_conversion_cast %t : memref<?xi64> to !moe.weights<$Gx$Kx$Nx$T>
  moe.grouped_matmul %x by %w at %o into %y
      : (memref<$Rx$Kx$T>, !moe.weights<$Gx$Kx$Nx$T>, memref<$Oxi32>, memref<$Rx$Nx$U>) -> ()
  return
}
)";

static constexpr char gatedModule[] = R"(
func.func @gated(%x: memref<$Rx$Kx$T>, %t: memref<?xi64>, %s: memref<?xi64>, %o: memref<$Oxi32>, %y: memref<$Rx$Nx$T>) {
  %w = builtin.unrealized_conversion_cast %t : memref<?xi64> to !moe.weights<$Gx$Kx$Nx$T>
  %v = builtin.unrealized_conversion_cast %s : memref<?xi64> to !moe.weights<$Gx$Kx$Nx$T>
  %one = arith.constant 1.0 : f32
  moe.grouped_matmul %x by %w, %v at %o into %y
      : (memref<$Rx$Kx$T>, !moe.weights<$Gx$Kx$Nx$T>, !moe.weights<$Gx$Kx$Nx$T>, memref<$Oxi32>, memref<$Rx$Nx$T>) -> () epilogue {
  ^bb0(%a: f32, %b: f32):
    %n = arith.negf %a : f32
    %e = math.exp %n : f32
    %d = arith.addf %one, %e : f32
    %q = arith.divf %a, %d : f32
    %p = arith.mulf %q, %b : f32
    $narrow
    moe.yield $result : $T
  }
  return
}
)";

namespace {

/// Matrices of all groups, packed on the device, and a table of them.
template <typename T> class Weights {
public:
  Weights(int64_t groups, int64_t k, int64_t n, uint32_t seed, bool whole)
      : table({groups}), k(k), n(n), values(groups * k * n) {
    Random random(seed);
    for (T &value : values) {
      value = whole ? T(float(random.below(9) - 4)) : T(random.level(4096));
    }
    GPUPackedLayout layout{k, n,
                           sizeof(T) == 2 ? PackedType::bf16 : PackedType::f32};
    std::vector<unsigned char> packed(layout.bytes());
    for (int64_t group = 0; group < groups; ++group) {
      packFromColumns(layout, {&at(group, 0, 0), n}, {0, layout.paddedN()},
                      packed.data());
      table(group) = static_cast<int64_t>(
          TestDevice::get().upload(packed.data(), packed.size()));
    }
  }

  T &at(int64_t group, int64_t row, int64_t column) {
    return values[(group * k + row) * n + column];
  }

  Buffer<int64_t, 1> table;

private:
  int64_t k, n;
  std::vector<T> values;
};

struct Problem {
  int64_t k;
  int64_t n;
  /// Rows of each group.
  std::vector<int64_t> rows;
};

} // namespace

/// The code for it; `extent` rows are known to be there, "?" any number.
static CompiledLoops &codeFor(const char *module, const Problem &problem,
                              const std::string &type, const std::string &out,
                              const std::string &extent) {
  auto text = [](int64_t value) { return std::to_string(value); };
  bool narrow = type == "bf16";
  return CompiledLoops::get(
      module, {{"K", text(problem.k)},
               {"N", text(problem.n)},
               {"G", text(problem.rows.size())},
               {"O", text(problem.rows.size() + 1)},
               {"R", extent},
               {"T", type},
               {"U", out},
               {"narrow", narrow ? "%r = arith.truncf %p : f32 to bf16" : ""},
               {"result", narrow ? "%r" : "%p"}});
}

static void fillOffsets(const Problem &problem, Buffer<int32_t, 1> &offsets) {
  std::partial_sum(problem.rows.begin(), problem.rows.end(),
                   offsets.begin() + 1);
}

/// Two steps, the second of which ends early; columns that do not fit.
static const Problem oddProblem{50, 33, {5, 0, 17, 1}};
/// Groups without rows at both ends, tiles that are full and just not.
static const Problem raggedProblem{64, 48, {0, 128, 129, 1, 0}};
/// Several tiles across, more steps than stages.
static const Problem longProblem{288, 200, {16, 40}};

/// Compares with sums of whole numbers, which are the same in every order.
/// `extent` is what is known of the number of rows.
template <typename T>
static void expectSums(const Problem &problem, const std::string &type,
                       const std::string &extent) {
  int64_t groups = problem.rows.size();
  int64_t rows =
      std::accumulate(problem.rows.begin(), problem.rows.end(), int64_t(0));
  Weights<T> weights(groups, problem.k, problem.n, 1, /*whole=*/true);
  Buffer<T, 2> x({rows, problem.k});
  Buffer<float, 2> y({rows, problem.n}, -99);
  Buffer<int32_t, 1> offsets({groups + 1});
  Random random(2);
  for (T &value : x) {
    value = T(float(random.below(9) - 4));
  }
  fillOffsets(problem, offsets);
  codeFor(productModule, problem, type, "f32", extent)
      .call("product", x, weights.table, offsets, y);
  for (int64_t group = 0; group < groups; ++group) {
    for (int64_t r = offsets(group); r < offsets(group + 1); ++r) {
      for (int64_t n = 0; n < problem.n; ++n) {
        float sum = 0;
        for (int64_t k = 0; k < problem.k; ++k) {
          sum += float(x(r, k)) * float(weights.at(group, k, n));
        }
        ASSERT_EQ(y(r, n), sum)
            << "group " << group << ", row " << r << ", column " << n;
      }
    }
  }
}

// Tiles of 128 rows where nothing is known, of 16 and 64 where rows are few.
TEST(GroupedMatmulOnDevice, SumsOfBF16) {
  expectSums<BF16>(oddProblem, "bf16", "?");
  expectSums<BF16>(oddProblem, "bf16", "23");
  expectSums<BF16>(raggedProblem, "bf16", "?");
  expectSums<BF16>(longProblem, "bf16", "56");
}

TEST(GroupedMatmulOnDevice, SumsOfF32) {
  expectSums<float>(oddProblem, "f32", "?");
  expectSums<float>(longProblem, "f32", "56");
  expectSums<float>(raggedProblem, "f32", "?");
}

TEST(GroupedMatmulOnDevice, F32IsFusedWithKAscending) {
  const Problem &problem = oddProblem;
  Weights<float> weights(4, problem.k, problem.n, 3, /*whole=*/false);
  Buffer<float, 2> x({23, problem.k}), y({23, problem.n});
  Buffer<int32_t, 1> offsets({5});
  Random random(4);
  for (float &value : x) {
    value = random.level(4096);
  }
  fillOffsets(problem, offsets);
  codeFor(productModule, problem, "f32", "f32", "?")
      .call("product", x, weights.table, offsets, y);
  for (int64_t group = 0; group < 4; ++group) {
    for (int64_t r = offsets(group); r < offsets(group + 1); ++r) {
      for (int64_t n = 0; n < problem.n; ++n) {
        float sum = 0;
        for (int64_t k = 0; k < problem.k; ++k) {
          sum = std::fma(x(r, k), weights.at(group, k, n), sum);
        }
        ASSERT_TRUE(sameBits(y(r, n), sum));
      }
    }
  }
}

// The tile that a row falls in depends on what is known of the extents and on
// the rows before it; its bits must not.
TEST(GroupedMatmulOnDevice, BitsDoNotDependOnTheTile) {
  Problem problem{96, 64, {9, 70}};
  Weights<BF16> weights(2, problem.k, problem.n, 5, /*whole=*/false);
  Buffer<BF16, 2> x({79, problem.k});
  Buffer<int32_t, 1> offsets({3});
  Random random(6);
  for (BF16 &value : x) {
    value = BF16(random.level(4096));
  }
  fillOffsets(problem, offsets);
  Buffer<float, 2> any({79, problem.n}), known({79, problem.n});
  codeFor(productModule, problem, "bf16", "f32", "?")
      .call("product", x, weights.table, offsets, any);
  codeFor(productModule, problem, "bf16", "f32", "79")
      .call("product", x, weights.table, offsets, known);
  EXPECT_TRUE(std::equal(any.begin(), any.end(), known.begin(), sameBits));
  // One row of each group alone, in tiles of 16 rows.
  Problem single{96, 64, {1, 1}};
  Buffer<BF16, 2> rows({2, problem.k});
  std::copy_n(&x(8, 0), problem.k, &rows(0, 0));
  std::copy_n(&x(78, 0), problem.k, &rows(1, 0));
  Buffer<float, 2> alone({2, problem.n});
  fillOffsets(single, offsets);
  codeFor(productModule, single, "bf16", "f32", "2")
      .call("product", rows, weights.table, offsets, alone);
  EXPECT_TRUE(
      std::equal(&alone(0, 0), &alone(0, 0) + problem.n, &any(8, 0), sameBits));
  EXPECT_TRUE(std::equal(&alone(1, 0), &alone(1, 0) + problem.n, &any(78, 0),
                         sameBits));
}

template <typename T>
static void expectGated(const std::string &type, float tolerance) {
  Problem problem{64, 40, {20, 3}};
  Weights<T> gate(2, problem.k, problem.n, 7, /*whole=*/false);
  Weights<T> up(2, problem.k, problem.n, 8, /*whole=*/false);
  Buffer<T, 2> x({23, problem.k}), y({23, problem.n});
  Buffer<int32_t, 1> offsets({3});
  Random random(9);
  for (T &value : x) {
    value = T(random.level(4096));
  }
  fillOffsets(problem, offsets);
  codeFor(gatedModule, problem, type, type, "?")
      .call("gated", x, gate.table, up.table, offsets, y);
  for (int64_t r = 0; r < 23; ++r) {
    int64_t group = r < offsets(1) ? 0 : 1;
    for (int64_t n = 0; n < problem.n; ++n) {
      double a = 0, b = 0;
      for (int64_t k = 0; k < problem.k; ++k) {
        a += double(float(x(r, k))) * float(gate.at(group, k, n));
        b += double(float(x(r, k))) * float(up.at(group, k, n));
      }
      double expected = a / (1 + std::exp(-a)) * b;
      ASSERT_NEAR(float(y(r, n)), expected,
                  tolerance * std::max(1.0, std::fabs(expected)));
    }
  }
}

TEST(GroupedMatmulOnDevice, GateAndUpMeetInTheEpilogue) {
  expectGated<float>("f32", 1e-5f);
  expectGated<BF16>("bf16", 1.0f / 128);
}
