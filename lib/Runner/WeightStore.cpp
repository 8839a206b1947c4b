// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/WeightStore.h"

#include "WeightArena.h"
#include "WeightPacking.h"

#include "moe/Report/Progress.h"
#include "moe/Runner/ExpertTensors.h"
#include "moe/Target/CPU/PackedLayout.h"

#include <atomic>
#include <thread>
#include <tuple>

using namespace moe::runner;
using mlir::moe::PackedLayout;
using moe::planning::TokenRange;

bool WeightPart::operator<(const WeightPart &other) const {
  auto key = [](const WeightPart &part) {
    std::vector<int64_t> bounds;
    for (const TokenRange &range : part.ranges) {
      bounds.push_back(range.begin);
      bounds.push_back(range.end);
    }
    return std::make_tuple(part.symbol, part.expert, part.isPacked, bounds);
  };
  return key(*this) < key(other);
}

struct WeightStore::Weight {
  WeightSymbol symbol;
  /// For experts.
  std::optional<ExpertTensors> experts;
};

/// The part of the available memory that weights may take: tokens, code and
/// everything else need some, too.
static constexpr double weightsShareOfMemory = 0.8;

WeightStore::WeightStore(std::shared_ptr<const TensorSource> source,
                         std::optional<int64_t> memoryLimit,
                         ProgramTarget target)
    : source(std::move(source)), memoryLimit(memoryLimit), target(target) {}

int64_t WeightStore::memoryForWeights() const {
  if (memoryLimit) {
    return *memoryLimit;
  }
  std::optional<int64_t> available = availableMemory();
  return available ? static_cast<int64_t>(*available * weightsShareOfMemory)
                   : std::numeric_limits<int64_t>::max();
}

WeightStore::~WeightStore() = default;

llvm::Error WeightStore::declare(const std::string &symbol,
                                 const WeightSymbol &weight) {
  if (weights.count(symbol)) {
    return llvm::Error::success();
  }
  auto entry = std::make_unique<Weight>();
  entry->symbol = weight;
  if (weight.isExperts) {
    int64_t k = weight.shape[1], n = weight.shape[2];
    TensorShape stored =
        weight.isInByOut ? TensorShape{k, n} : TensorShape{n, k};
    llvm::Expected<ExpertTensors> experts = ExpertTensors::resolve(
        *source, weight.pattern, weight.shape[0], stored);
    if (!experts) {
      return experts.takeError();
    }
    entry->experts = std::move(*experts);
  } else {
    llvm::Expected<ElementType> type =
        source->check({weight.pattern, weight.shape}, weight.type);
    if (!type) {
      return type.takeError();
    }
  }
  weights[symbol] = std::move(entry);
  return llvm::Error::success();
}

void WeightStore::request(const WeightPart &part) {
  assert(weights.count(part.symbol) && "a weight that was not declared");
  parts.try_emplace(part, nullptr);
}

static WeightPacking packingOf(const WeightSymbol &weight,
                               const WeightPart &part, ProgramTarget target) {
  assert(part.ranges.size() == 2 && part.ranges[0].begin == 0 &&
         "a product sums over all of K");
  return {target, part.ranges[0].size(), part.ranges[1].size(), weight.type};
}

int64_t moe::runner::bytesOf(const WeightSymbol &weight, const WeightPart &part,
                             ProgramTarget target) {
  if (part.isPacked) {
    return packingOf(weight, part, target).bytes();
  }
  int64_t bytes = elementBytes(weight.type);
  for (const TokenRange &range : part.ranges) {
    bytes *= range.size();
  }
  return bytes;
}

int64_t WeightStore::bytesOf(const WeightPart &part) const {
  return runner::bytesOf(weights.at(part.symbol)->symbol, part, target);
}

static int64_t roundUp(int64_t bytes) {
  return llvm::alignTo(bytes, PackedLayout::alignment);
}

/// Calls `task` for 0 … count - 1 from several threads and returns the error
/// of the smallest index that failed.
static llvm::Error
forEachInParallel(size_t count, unsigned threads,
                  llvm::function_ref<llvm::Error(size_t)> task) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  size_t failedAt = count;
  std::string message;
  auto work = [&] {
    for (size_t index = next++; index < count; index = next++) {
      if (llvm::Error error = task(index)) {
        std::lock_guard<std::mutex> lock(mutex);
        std::string text = llvm::toString(std::move(error));
        if (index < failedAt) {
          failedAt = index;
          message = text;
        }
        next = count;
      }
    }
  };
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min<size_t>(threads, count); ++i) {
    helpers.emplace_back(work);
  }
  work();
  for (std::thread &helper : helpers) {
    helper.join();
  }
  return failedAt < count ? llvm::createStringError(message)
                          : llvm::Error::success();
}

llvm::Error WeightStore::load(unsigned threads) {
  std::vector<std::map<WeightPart, char *>::iterator> missing;
  int64_t bytes = 0;
  for (auto entry = parts.begin(); entry != parts.end(); ++entry) {
    if (!entry->second) {
      missing.push_back(entry);
      bytes += roundUp(bytesOf(entry->first));
    }
  }
  if (missing.empty()) {
    return llvm::Error::success();
  }
  llvm::Expected<std::unique_ptr<WeightArena>> arena =
      WeightArena::create(std::max<int64_t>(bytes, 1), memoryForWeights());
  if (!arena) {
    return arena.takeError();
  }
  std::vector<char *> places;
  for (auto entry : missing) {
    places.push_back((*arena)->take(roundUp(bytesOf(entry->first))));
  }
  moe::report::Progress progress("packing weights");
  std::atomic<int64_t> done = 0;
  llvm::Error error =
      forEachInParallel(missing.size(), threads, [&](size_t index) {
        llvm::Error result = loadPart(missing[index]->first, places[index]);
        progress.update(++done, missing.size());
        return result;
      });
  if (error) {
    return error;
  }
  for (auto [entry, place] : llvm::zip_equal(missing, places)) {
    entry->second = place;
  }
  arenas.push_back(std::move(*arena));
  return llvm::Error::success();
}

const void *WeightStore::find(const WeightPart &part) const {
  auto entry = parts.find(part);
  assert(entry != parts.end() && entry->second && "a part that is not loaded");
  return entry->second;
}

int64_t WeightStore::loadedBytes() const {
  int64_t bytes = 0;
  for (const std::unique_ptr<WeightArena> &arena : arenas) {
    bytes += arena->used();
  }
  return bytes;
}

bool WeightStore::isOnDisk() const {
  return llvm::any_of(arenas, [](const std::unique_ptr<WeightArena> &arena) {
    return arena->isOnDisk();
  });
}

llvm::Error WeightStore::loadPart(const WeightPart &part,
                                  char *destination) const {
  const Weight &weight = *weights.at(part.symbol);
  return part.isPacked ? packMatrix(weight, part, destination)
                       : readTensor(weight, part, destination);
}

llvm::Error WeightStore::packMatrix(const Weight &weight,
                                    const WeightPart &part,
                                    char *destination) const {
  const WeightSymbol &symbol = weight.symbol;
  WeightPacking packing = packingOf(symbol, part, target);
  TokenRange columns = part.ranges[1];
  size_t rank = symbol.shape.size();
  int64_t k = weight.experts ? symbol.shape[1] : symbol.shape[rank - 1];
  int64_t n = weight.experts ? symbol.shape[2] : symbol.shape[rank - 2];
  int64_t rowLength = symbol.isInByOut ? n : k;

  TensorRequest request{symbol.pattern, symbol.shape};
  const void *view = weight.experts
                         ? weight.experts->view(part.expert, symbol.type)
                         : source->view(request, symbol.type);
  if (view) {
    packing.pack({view, rowLength, 0, columns.begin}, symbol.isInByOut,
                 destination);
    return llvm::Error::success();
  }
  // Only the columns that are wanted are read.
  ExpertTensors::Range range{columns.begin, columns.size(), 0, k};
  if (symbol.isInByOut) {
    range = {0, k, columns.begin, columns.size()};
  }
  std::vector<char> matrix(range.rows * range.columns *
                           elementBytes(symbol.type));
  llvm::Error error =
      weight.experts
          ? weight.experts->read(part.expert, range, symbol.type, matrix.data())
          : source->read(request,
                         {range.firstRow * rowLength + range.firstColumn,
                          range.rows, range.columns, rowLength},
                         symbol.type, matrix.data());
  if (error) {
    return error;
  }
  packing.pack({matrix.data(), range.columns, 0, 0}, symbol.isInByOut,
               destination);
  return llvm::Error::success();
}

llvm::Error WeightStore::readTensor(const Weight &weight,
                                    const WeightPart &part,
                                    char *destination) const {
  const WeightSymbol &symbol = weight.symbol;
  TensorWindow window = TensorWindow::whole(symbol.shape);
  if (symbol.shape.size() == 1) {
    window.first = part.ranges[0].begin;
    window.columns = part.ranges[0].size();
  } else if (symbol.shape.size() == 2) {
    window.first =
        part.ranges[0].begin * window.rowLength + part.ranges[1].begin;
    window.rows = part.ranges[0].size();
    window.columns = part.ranges[1].size();
  } else if (bytesOf(part) / elementBytes(symbol.type) !=
             window.rows * window.columns) {
    return llvm::createStringError(
        "expected a vector or a matrix where ranks hold parts, but '" +
        symbol.pattern + "' is " + toString(symbol.shape));
  }
  if (window.rows * window.columns == 0) {
    return llvm::Error::success();
  }
  return source->read({symbol.pattern, symbol.shape}, window, symbol.type,
                      destination);
}
