// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MpiAllToAllV.cpp - The same exchange through MPI_Alltoallv ---------===//
//
// Built by the benchmark's script only. Prints the lines of AllToAllV.cpp with
// the time of MPI_Alltoallv alone.
//
//===----------------------------------------------------------------------===//

#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

static constexpr int blocks = 40;

static void measure(int ranks, int rank, size_t bytesPerPair) {
  size_t total = bytesPerPair * size_t(ranks) * size_t(ranks);
  int turns = int(std::clamp<size_t>((size_t(64) << 20) / total, 4, 2000));
  size_t bytes = (bytesPerPair * size_t(ranks) + 4095) / 4096 * 4096;
  char *source = static_cast<char *>(std::aligned_alloc(4096, bytes));
  char *destination = static_cast<char *>(std::aligned_alloc(4096, bytes));
  std::memset(source, 1, bytes);
  std::memset(destination, 1, bytes);
  std::vector<int> counts;
  std::vector<int> offsets;
  for (int p = 0; p < ranks; ++p) {
    counts.push_back(int(bytesPerPair));
    offsets.push_back(int(bytesPerPair) * p);
  }
  std::vector<double> times;
  for (int block = 0; block < blocks; ++block) {
    MPI_Barrier(MPI_COMM_WORLD);
    double begin = MPI_Wtime();
    for (int turn = 0; turn < turns; ++turn) {
      MPI_Alltoallv(source, counts.data(), offsets.data(), MPI_BYTE,
                    destination, counts.data(), offsets.data(), MPI_BYTE,
                    MPI_COMM_WORLD);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    double own = (MPI_Wtime() - begin) * 1e6 / turns;
    double slowest = 0;
    MPI_Allreduce(&own, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    times.push_back(slowest);
  }
  if (rank == 0) {
    std::printf("%d %zu %.3f\n", ranks, bytesPerPair,
                *std::min_element(times.begin(), times.end()));
    std::fflush(stdout);
  }
  std::free(source);
  std::free(destination);
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int ranks = 0;
  int rank = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (size_t bytes = 64; bytes <= (size_t(1) << 20); bytes *= 4) {
    measure(ranks, rank, bytes);
  }
  MPI_Finalize();
  return 0;
}
