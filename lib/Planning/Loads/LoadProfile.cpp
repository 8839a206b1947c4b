//===- LoadProfile.cpp - How much work each expert gets -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/LoadProfile.h"
#include "moe/Formats/FileError.h"
#include "moe/Planning/Placement.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/xxhash.h"
#include <cmath>
#include <numeric>

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

/// `source rank 2, layer 0, expert 7`, without what is not known apart.
static std::string nameOf(int64_t source, bool isApart, int64_t layer,
                          int64_t expert = -1) {
  std::string name = isApart ? formatv("source rank {0}, ", source).str() : "";
  name += formatv("layer {0}", layer).str();
  return expert < 0 ? name : name + formatv(", expert {0}", expert).str();
}

llvm::Error LoadProfile::addLayer(int64_t layer, Sources sources) {
  bool isApart = sources.size() > 1;
  double sum = 0;
  for (auto [source, loads] : llvm::enumerate(sources)) {
    for (auto [expert, load] : llvm::enumerate(loads)) {
      if (!std::isfinite(load) || load < 0) {
        return createStringError(
            formatv("{0}: expected a finite load of at least 0, but got {1}",
                    nameOf(source, isApart, layer, expert), load)
                .str());
      }
    }
    sum += std::accumulate(loads.begin(), loads.end(), 0.0);
  }
  if (!(sum > 0) || !std::isfinite(sum)) {
    return createStringError(
        formatv("layer {0}: expected a finite sum of loads above 0, but got "
                "{1}",
                layer, sum)
            .str());
  }
  layersByNumber[layer] = std::move(sources);
  return llvm::Error::success();
}

/// Fails unless there are as many numbers as layers, ascending.
static llvm::Error verifyNumbers(llvm::ArrayRef<int64_t> numbers,
                                 size_t layers) {
  if (numbers.size() != layers) {
    return createStringError(
        formatv("expected {0} numbers of layers, but got {1}", layers,
                numbers.size())
            .str());
  }
  for (size_t index = 1; index < numbers.size(); ++index) {
    if (numbers[index] <= numbers[index - 1]) {
      return createStringError(
          formatv("expected ascending numbers of layers, but got {0} after "
                  "{1}",
                  numbers[index], numbers[index - 1])
              .str());
    }
  }
  return llvm::Error::success();
}

llvm::Expected<LoadProfile>
LoadProfile::fromSources(std::vector<std::vector<std::vector<double>>> loads,
                         llvm::ArrayRef<int64_t> numbers) {
  LoadProfile profile;
  size_t layerCount = loads.empty() ? 0 : loads.front().size();
  size_t experts = layerCount == 0 ? 0 : loads.front().front().size();
  if (experts == 0 || experts > Placement::maxExperts) {
    return createStringError(
        formatv("expected loads of 1 to {0} experts, but got {1}",
                Placement::maxExperts, experts)
            .str());
  }
  if (!numbers.empty()) {
    if (llvm::Error error = verifyNumbers(numbers, layerCount)) {
      return std::move(error);
    }
  }
  auto numberOf = [&](size_t layer) -> int64_t {
    return numbers.empty() ? layer : numbers[layer];
  };
  bool isApart = loads.size() > 1;
  std::vector<Sources> byLayer(layerCount);
  for (auto [source, layers] : llvm::enumerate(loads)) {
    if (layers.size() != layerCount) {
      return createStringError(
          formatv("source rank {0}: expected {1} layers as of source rank 0, "
                  "but got {2}",
                  source, layerCount, layers.size())
              .str());
    }
    for (auto [layer, row] : llvm::enumerate(layers)) {
      if (row.size() != experts) {
        return createStringError(
            formatv("{0}: expected {1} loads as in layer {2}, but got {3}",
                    nameOf(source, isApart, numberOf(layer)), experts,
                    numberOf(0), row.size())
                .str());
      }
      byLayer[layer].push_back(std::move(row));
    }
  }
  for (auto [layer, sources] : llvm::enumerate(byLayer)) {
    if (llvm::Error error =
            profile.addLayer(numberOf(layer), std::move(sources))) {
      return std::move(error);
    }
  }
  return profile;
}

llvm::Expected<LoadProfile>
LoadProfile::fromLoads(std::vector<std::vector<double>> loads) {
  std::vector<std::vector<std::vector<double>>> sources;
  sources.push_back(std::move(loads));
  return fromSources(std::move(sources));
}

LoadProfile LoadProfile::fromTrace(RoutingTrace trace) {
  LoadProfile profile;
  profile.trace = std::make_shared<const RoutingTrace>(std::move(trace));
  return profile;
}

llvm::Expected<LoadProfile> LoadProfile::parse(llvm::StringRef image,
                                               const LoadSelection &selection) {
  // Some editors begin UTF-8 with a mark.
  image.consume_front("\xEF\xBB\xBF");
  if (image.starts_with("\x93NUMPY")) {
    return fromNumpy(image, selection);
  }
  llvm::StringRef text = image.ltrim();
  return text.starts_with("[") || text.starts_with("{")
             ? fromJson(image, selection)
             : fromCsv(image, selection);
}

llvm::Expected<LoadProfile> LoadProfile::open(llvm::StringRef path,
                                              const LoadSelection &selection) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false);
  if (!file) {
    return formats::inFile(path, llvm::errorCodeToError(file.getError()));
  }
  llvm::Expected<LoadProfile> profile = parse((*file)->getBuffer(), selection);
  if (!profile) {
    return formats::inFile(path, profile.takeError());
  }
  return profile;
}

std::string LoadProfile::digest(llvm::StringRef image) {
  return formatv("xxh3:{0:x-16}", llvm::xxh3_64bits(image)).str();
}

std::vector<int64_t> LoadProfile::layers() const {
  if (trace) {
    std::vector<int64_t> all(trace->layers());
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  auto known = llvm::make_first_range(layersByNumber);
  return std::vector<int64_t>(known.begin(), known.end());
}

std::vector<int64_t>
LoadProfile::missingLayers(llvm::ArrayRef<int64_t> wanted) const {
  std::vector<int64_t> missing;
  for (int64_t layer : wanted) {
    bool isKnown = trace ? layer >= 0 && layer < trace->layers()
                         : layersByNumber.count(layer) > 0;
    if (!isKnown) {
      missing.push_back(layer);
    }
  }
  return missing;
}

int64_t LoadProfile::expertCount() const {
  if (trace) {
    return trace->expertBound();
  }
  return layersByNumber.empty() ? 0
                                : layersByNumber.begin()->second.front().size();
}

int64_t LoadProfile::sourceCount() const {
  size_t sources =
      layersByNumber.empty() ? 1 : layersByNumber.begin()->second.size();
  return sources == 1 ? 0 : sources;
}

llvm::Expected<LayerLoads> LoadProfile::loadsOf(int64_t layer, int64_t experts,
                                                int64_t ranks) const {
  LayerLoads result;
  if (!missingLayers(layer).empty()) {
    result.loads.assign(experts, 1);
    result.isAssumedUniform = true;
    return result;
  }
  int64_t known =
      trace ? trace->expertBound() : layersByNumber.at(layer).front().size();
  // Nobody may have chosen the last experts of a trace.
  if (trace ? known > experts : known != experts) {
    return createStringError(
        formatv("layer {0}: expected loads of {1} experts, but got {2}", layer,
                experts, known)
            .str());
  }
  result.bySource = trace ? trace->loadsBySource(layer, experts, ranks)
                          : layersByNumber.at(layer);
  result.loads.resize(experts);
  for (const std::vector<double> &loads : result.bySource) {
    for (auto [sum, load] : llvm::zip_equal(result.loads, loads)) {
      sum += load;
    }
  }
  int64_t sources = result.bySource.size();
  if (!trace && sources == 1) {
    result.bySource.clear();
  } else if (sources != ranks) {
    return createStringError(
        formatv("layer {0}: expected loads of {1} source ranks, but got {2}",
                layer, ranks, sources)
            .str());
  }
  return result;
}

llvm::Expected<ExpertShares> LoadProfile::sharesOf(int64_t layer,
                                                   int64_t experts) const {
  bool isKnown = missingLayers(layer).empty();
  int64_t sources = !isKnown || trace ? 1 : layersByNumber.at(layer).size();
  llvm::Expected<LayerLoads> loads = loadsOf(layer, experts, sources);
  if (!loads) {
    return loads.takeError();
  }
  ExpertShares result;
  result.isAssumedUniform = loads->isAssumedUniform;
  double sum = std::accumulate(loads->loads.begin(), loads->loads.end(), 0.0);
  for (double load : loads->loads) {
    result.shares.push_back(load / sum);
  }
  return result;
}
