// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weights of a process: each part of a tensor that any rank or program
// needs is read and packed once and then shared by all of them.
#ifndef MOE_RUNNER_WEIGHTSTORE_H
#define MOE_RUNNER_WEIGHTSTORE_H

#include "moe/Runner/ProgramLayout.h"
#include "moe/Runner/RankPlatform.h"

#include <memory>
#include <optional>

namespace moe::runner {

/// A part of a weight, in the form that code reads it.
struct WeightPart {
  /// The `moe.weight`.
  std::string symbol;
  /// -1 for a weight that is one tensor.
  int64_t expert = -1;
  /// Packed for the target's products, or row-major.
  bool isPacked = true;
  /// A range for each dimension. Packed: of K, which must be whole, and of N.
  std::vector<planning::TokenRange> ranges;

  bool operator<(const WeightPart &other) const;
};

class WeightArena;

/// Bytes of one part, without padding to the next.
int64_t bytesOf(const WeightSymbol &weight, const WeightPart &part,
                ProgramTarget target = ProgramTarget::CPU);

/// Bytes of the parts that each rank of a program reads, by rank.
std::vector<int64_t> weightBytesByRank(const ProgramLayout &layout);

class WeightStore {
public:
  /// Weights beyond `memoryLimit` bytes lie in a file; without a limit those
  /// that most of the available memory cannot hold.
  explicit WeightStore(std::shared_ptr<const TensorSource> source,
                       std::optional<int64_t> memoryLimit = std::nullopt,
                       ProgramTarget target = ProgramTarget::CPU);
  ~WeightStore();

  /// Makes a weight known under its symbol. Fails, naming the tensor, when the
  /// source does not have it, or not in a type that can be read. Declaring the
  /// same symbol again does nothing.
  llvm::Error declare(const std::string &symbol, const WeightSymbol &weight);

  /// Asks for a part of a declared weight; `load` brings it.
  void request(const WeightPart &part);
  /// Reads and packs what was requested and is not there yet, by `threads`
  /// threads.
  llvm::Error load(unsigned threads);
  /// A part that was loaded; aligned to 64 bytes, valid as long as the store.
  const void *find(const WeightPart &part) const;

  /// Bytes of one part, without padding to the next.
  int64_t bytesOf(const WeightPart &part) const;
  /// Bytes of all loaded parts.
  int64_t loadedBytes() const;
  /// Whether memory did not hold all that was loaded, so that a file does.
  bool isOnDisk() const;

private:
  struct Weight;
  int64_t memoryForWeights() const;
  llvm::Error loadPart(const WeightPart &part, char *destination) const;
  llvm::Error packMatrix(const Weight &weight, const WeightPart &part,
                         char *destination) const;
  llvm::Error readTensor(const Weight &weight, const WeightPart &part,
                         char *destination) const;

  std::shared_ptr<const TensorSource> source;
  std::optional<int64_t> memoryLimit;
  const ProgramTarget target;
  std::map<std::string, std::unique_ptr<Weight>> weights;
  /// Null until it is loaded.
  std::map<WeightPart, char *> parts;
  std::vector<std::unique_ptr<WeightArena>> arenas;
};

} // namespace moe::runner

#endif // MOE_RUNNER_WEIGHTSTORE_H
