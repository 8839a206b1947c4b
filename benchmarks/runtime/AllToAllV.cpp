// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AllToAllV.cpp - all_to_all_v over threads against memcpy -----------===//
//
// For the given number of ranks and 64 B … 1 MiB a pair, prints one line
//   <ranks> <bytes a pair> <us of all_to_all_v> <us of memcpy by one thread>
//   <us of memcpy by all cores>
// They take turns in short blocks, and each figure is the best block's, which
// neighbours on the machine have disturbed the least. memcpy is the same blocks
// between the same buffers, round by round. By all cores it is as fast as the
// machine can: as many threads as there are cores share out the receivers, and
// none waits for another before the last round. (Were each rank's thread to
// copy all its rounds at a stretch, ranks beyond the cores would copy from
// their caches.)
//
//===----------------------------------------------------------------------===//

#include "moert/threads.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sched.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int blocks = 40;

struct Buffer {
  explicit Buffer(size_t bytes)
      : data(static_cast<char *>(std::aligned_alloc(4096, bytes))) {
    std::memset(data, 1, bytes);
  }
  ~Buffer() { std::free(data); }
  char *data;
};

/// What the ranks of one measurement share.
struct Measurement {
  int ranks;
  int cores;
  size_t bytesPerPair;
  int turns;
  std::vector<std::unique_ptr<Buffer>> sources;
  std::vector<std::unique_ptr<Buffer>> destinations;
  std::vector<std::vector<double>> exchangeUs;
  std::vector<std::vector<double>> oneThreadUs;
  std::vector<std::vector<double>> allCoresUs;
};

} // namespace

static double microseconds(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double, std::micro>(end - begin).count();
}

static void check(moert_status status) {
  if (status != MOERT_OK) {
    std::fprintf(stderr, "error: %s\n", moert_status_name(status));
    std::exit(1);
  }
}

static void copyReceives(const Measurement &m, int rank) {
  char *to = m.destinations[rank]->data;
  for (int step = 0; step < m.ranks; ++step) {
    int sender = (rank + step) % m.ranks;
    std::memcpy(to + sender * m.bytesPerPair,
                m.sources[sender]->data + rank * m.bytesPerPair,
                m.bytesPerPair);
  }
}

/// This rank's part of a block of copies that the first `threads` ranks share.
static void copyBlock(const Measurement &m, int rank, int threads) {
  for (int turn = 0; turn < m.turns; ++turn) {
    for (int r = rank; rank < threads && r < m.ranks; r += threads) {
      copyReceives(m, r);
    }
  }
}

/// The cores of the calling thread; a rank's thread is bound to one.
static int availableCores() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

static moert_status measureRank(moert_context *context, void *user) {
  Measurement &m = *static_cast<Measurement *>(user);
  int rank = moert_context_rank(context);
  moert_comm *comm = nullptr;
  check(moert_context_comm(context, MOERT_WORLD, &comm));
  std::vector<int32_t> offsets;
  for (int p = 0; p <= m.ranks; ++p) {
    offsets.push_back(p);
  }
  moert_collective exchange = {};
  exchange.struct_size = sizeof(exchange);
  exchange.kind = MOERT_ALL_TO_ALL_V;
  exchange.layer = -1;
  exchange.src = m.sources[rank]->data;
  exchange.dst = m.destinations[rank]->data;
  exchange.src_offsets = exchange.dst_offsets = offsets.data();
  exchange.row_bytes = int64_t(m.bytesPerPair);
  moert_collective barrier = exchange;
  barrier.kind = MOERT_BARRIER;

  for (int block = 0; block < blocks; ++block) {
    check(moert_comm_run(comm, &barrier));
    Clock::time_point begin = Clock::now();
    for (int turn = 0; turn < m.turns; ++turn) {
      check(moert_comm_run(comm, &exchange));
    }
    check(moert_comm_run(comm, &barrier));
    Clock::time_point exchanged = Clock::now();
    copyBlock(m, rank, 1);
    check(moert_comm_run(comm, &barrier));
    Clock::time_point copiedByOne = Clock::now();
    copyBlock(m, rank, m.cores);
    check(moert_comm_run(comm, &barrier));
    Clock::time_point copiedByAll = Clock::now();
    m.exchangeUs[rank].push_back(microseconds(begin, exchanged) / m.turns);
    m.oneThreadUs[rank].push_back(microseconds(exchanged, copiedByOne) /
                                  m.turns);
    m.allCoresUs[rank].push_back(microseconds(copiedByOne, copiedByAll) /
                                 m.turns);
  }
  return MOERT_OK;
}

/// The best block's time of the slowest rank.
static double summarize(const std::vector<std::vector<double>> &byRank) {
  std::vector<double> slowest(blocks, 0.0);
  for (const std::vector<double> &times : byRank) {
    for (int block = 0; block < blocks; ++block) {
      slowest[block] = std::max(slowest[block], times[block]);
    }
  }
  return *std::min_element(slowest.begin(), slowest.end());
}

static void measure(int ranks, size_t bytesPerPair) {
  Measurement m;
  m.ranks = ranks;
  m.cores = std::min(ranks, availableCores());
  m.bytesPerPair = bytesPerPair;
  size_t total = bytesPerPair * size_t(ranks) * size_t(ranks);
  m.turns = int(std::clamp<size_t>((size_t(64) << 20) / total, 4, 2000));
  for (int rank = 0; rank < ranks; ++rank) {
    size_t bytes = (bytesPerPair * size_t(ranks) + 4095) / 4096 * 4096;
    m.sources.push_back(std::make_unique<Buffer>(bytes));
    m.destinations.push_back(std::make_unique<Buffer>(bytes));
  }
  m.exchangeUs.resize(ranks);
  m.oneThreadUs.resize(ranks);
  m.allCoresUs.resize(ranks);
  moert_threads_options options = {};
  options.struct_size = sizeof(options);
  options.ranks = ranks;
  check(moert_threads_run(&options, measureRank, &m, nullptr));
  std::printf("%d %zu %.3f %.3f %.3f\n", ranks, bytesPerPair,
              summarize(m.exchangeUs), summarize(m.oneThreadUs),
              summarize(m.allCoresUs));
  std::fflush(stdout);
}

int main(int argc, char **argv) {
  int ranks = argc > 1 ? int(std::strtol(argv[1], nullptr, 10)) : 0;
  if (ranks < 1) {
    std::fprintf(stderr, "usage: %s <ranks>\n", argv[0]);
    return 1;
  }
  for (size_t bytes = 64; bytes <= (size_t(1) << 20); bytes *= 4) {
    measure(ranks, bytes);
  }
  return 0;
}
