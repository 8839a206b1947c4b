//===- AstraSim.cpp - ASTRA-sim's network files ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The input of ASTRA-sim's analytical network backend
// (astra-sim/astra-network-analytical, common/network-parser):
//
//   topology: [ Ring, FullyConnected, Switch ]   a dimension each, innermost
//   npus_count: [ 2, 8, 4 ]                      first
//   bandwidth: [ 200.0, 100.0, 50.0 ]            GB/s, a link and direction
//   latency: [ 50.0, 500.0, 2000.0 ]             ns, a link
//
// A message crosses two links of a switch and one of the others, so a switch's
// latency counts twice.
//
//===----------------------------------------------------------------------===//

#include "NodeAssembly.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace moe::topology;
using namespace moe::planning;
using llvm::formatv;

namespace {
/// A word of a list, with its place.
struct YamlWord {
  std::string text;
  FilePlace place;
};

class AstraSimReader {
public:
  explicit AstraSimReader(llvm::MemoryBufferRef file) : file(file) {}

  llvm::Expected<Topology> read();

private:
  llvm::Error readDocument(llvm::yaml::Document &document);
  llvm::Error readEntry(llvm::yaml::KeyValueNode &entry);
  llvm::Error readList(const FilePlace &key, llvm::yaml::Node *value,
                       std::vector<YamlWord> &words);
  llvm::Expected<Topology> makeTopology();
  llvm::Expected<double> number(const YamlWord &word, double least) const;
  FilePlace placeOf(llvm::SMLoc location) const;
  static void keepFirst(const llvm::SMDiagnostic &diagnostic, void *reader);

  llvm::MemoryBufferRef file;
  llvm::SourceMgr sources;
  std::string problem;
  FilePlace problemPlace;
  std::vector<YamlWord> shapes, sizes, bandwidths, latencies;
};
} // namespace

FilePlace AstraSimReader::placeOf(llvm::SMLoc location) const {
  FilePlace place{file.getBufferIdentifier().str()};
  if (location.isValid()) {
    auto [line, column] = sources.getLineAndColumn(location);
    place.line = line;
    place.column = column;
  }
  return place;
}

void AstraSimReader::keepFirst(const llvm::SMDiagnostic &diagnostic,
                               void *reader) {
  AstraSimReader &self = *static_cast<AstraSimReader *>(reader);
  if (self.problem.empty()) {
    llvm::StringRef message = diagnostic.getMessage().split('\n').first;
    self.problem = ("expected YAML: " + message.take_front(1).lower() +
                    message.drop_front(1).rtrim('.'))
                       .str();
    self.problemPlace = self.placeOf(diagnostic.getLoc());
  }
}

llvm::Error AstraSimReader::readList(const FilePlace &key,
                                     llvm::yaml::Node *value,
                                     std::vector<YamlWord> &words) {
  auto *list = llvm::dyn_cast_or_null<llvm::yaml::SequenceNode>(value);
  if (!list) {
    return fileError(key, "expected a list, one entry a dimension");
  }
  // Four tiers and more are rare; what has thousands is no network.
  constexpr size_t most = 64;
  for (llvm::yaml::Node &entry : *list) {
    auto *scalar = llvm::dyn_cast<llvm::yaml::ScalarNode>(&entry);
    if (!scalar || words.size() == most) {
      return fileError(
          placeOf(entry.getSourceRange().Start),
          scalar ? formatv("expected at most {0} dimensions", most).str()
                 : "expected a word or a number");
    }
    llvm::SmallString<32> storage;
    words.push_back({scalar->getValue(storage).str(),
                     placeOf(entry.getSourceRange().Start)});
  }
  return llvm::Error::success();
}

llvm::Error AstraSimReader::readEntry(llvm::yaml::KeyValueNode &entry) {
  auto *key = llvm::dyn_cast_or_null<llvm::yaml::ScalarNode>(entry.getKey());
  if (!key) {
    return fileError(placeOf(entry.getSourceRange().Start),
                     "expected a key such as topology");
  }
  llvm::SmallString<32> storage;
  llvm::StringRef name = key->getValue(storage);
  std::vector<YamlWord> *words =
      llvm::StringSwitch<std::vector<YamlWord> *>(name)
          .Case("topology", &shapes)
          .Case("npus_count", &sizes)
          .Case("bandwidth", &bandwidths)
          .Case("latency", &latencies)
          .Default(nullptr);
  if (!words) {
    // Other keys are other tools' business.
    if (llvm::yaml::Node *value = entry.getValue()) {
      value->skip();
    }
    return llvm::Error::success();
  }
  FilePlace place = placeOf(key->getSourceRange().Start);
  if (!words->empty()) {
    return fileError(place,
                     formatv("expected '{0}' once, but got it twice", name));
  }
  return readList(place, entry.getValue(), *words);
}

llvm::Error AstraSimReader::readDocument(llvm::yaml::Document &document) {
  auto *root =
      llvm::dyn_cast_or_null<llvm::yaml::MappingNode>(document.getRoot());
  if (!root) {
    return fileError(
        {file.getBufferIdentifier().str(), 1, 1},
        "expected ASTRA-sim's keys topology, npus_count, bandwidth "
        "and latency");
  }
  for (llvm::yaml::KeyValueNode &entry : *root) {
    if (llvm::Error error = readEntry(entry)) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Expected<double> AstraSimReader::number(const YamlWord &word,
                                              double least) const {
  double value = 0;
  if (llvm::StringRef(word.text).getAsDouble(value) || !std::isfinite(value) ||
      value < least) {
    return fileError(word.place,
                     formatv("expected a number of at least {0}, but got '{1}'",
                             decimal(least), word.text));
  }
  return value;
}

static std::optional<TierShape> shapeOf(llvm::StringRef word) {
  return llvm::StringSwitch<std::optional<TierShape>>(word)
      .Case("Ring", TierShape::Ring)
      .Case("Switch", TierShape::Switch)
      .Case("FullyConnected", TierShape::FullyConnected)
      .Default(std::nullopt);
}

static llvm::StringRef wordOf(TierShape shape) {
  return shape == TierShape::Ring     ? "Ring"
         : shape == TierShape::Switch ? "Switch"
                                      : "FullyConnected";
}

llvm::Expected<Topology> AstraSimReader::makeTopology() {
  FilePlace place{file.getBufferIdentifier().str()};
  for (auto [key, words] :
       {std::pair("topology", &shapes), std::pair("npus_count", &sizes),
        std::pair("bandwidth", &bandwidths),
        std::pair("latency", &latencies)}) {
    if (words->empty()) {
      return fileError(place, formatv("expected the key '{0}'", key));
    }
    if (words->size() != shapes.size()) {
      return fileError(words->front().place,
                       formatv("expected {0} entries in '{1}', as in "
                               "'topology', but got {2}",
                               shapes.size(), key, words->size()));
    }
  }
  std::vector<Tier> tiers;
  for (size_t index = shapes.size(); index-- > 0;) {
    std::optional<TierShape> shape = shapeOf(shapes[index].text);
    if (!shape) {
      return fileError(shapes[index].place,
                       formatv("expected Ring, FullyConnected or Switch, but "
                               "got '{0}'",
                               shapes[index].text));
    }
    int64_t size = 0;
    if (llvm::StringRef(sizes[index].text).getAsInteger(10, size) || size < 1) {
      return fileError(sizes[index].place,
                       formatv("expected a whole number of at least 1, but got "
                               "'{0}'",
                               sizes[index].text));
    }
    llvm::Expected<double> bandwidth = number(bandwidths[index], 0);
    if (!bandwidth) {
      return bandwidth.takeError();
    }
    llvm::Expected<double> latency = number(latencies[index], 0);
    if (!latency) {
      return latency.takeError();
    }
    double links = *shape == TierShape::Switch ? 2 : 1;
    Tier tier{"dim" + std::to_string(index + 1), size,
              GigabytesPerSecond(*bandwidth),
              Microseconds(*latency * links / 1000)};
    tier.shape = *shape;
    tiers.push_back(std::move(tier));
  }
  llvm::Expected<Topology> topology = Topology::create(std::move(tiers));
  if (!topology) {
    return fileError(place, llvm::toString(topology.takeError()));
  }
  return topology;
}

llvm::Expected<Topology> AstraSimReader::read() {
  size_t bad = 0;
  if (!llvm::json::isUTF8(file.getBuffer(), &bad)) {
    unsigned line = file.getBuffer().take_front(bad).count('\n') + 1;
    return fileError({file.getBufferIdentifier().str(), line},
                     "expected UTF-8 text, but got other bytes");
  }
  sources.setDiagHandler(keepFirst, this);
  llvm::yaml::Stream stream(file, sources, /*ShowColors=*/false);
  llvm::yaml::document_iterator document = stream.begin();
  llvm::Error error = document == stream.end()
                          ? fileError({file.getBufferIdentifier().str()},
                                      "expected YAML, but the file is empty")
                          : readDocument(*document);
  // The parser's own complaint comes first; what follows from it says less.
  if (!problem.empty()) {
    llvm::consumeError(std::move(error));
    return fileError(problemPlace, problem);
  }
  if (error) {
    return std::move(error);
  }
  return makeTopology();
}

llvm::Expected<Topology>
moe::topology::readAstraSim(llvm::MemoryBufferRef file,
                            const TopologyOptions &options) {
  if (!options.isDefault()) {
    return expectNoOptions(file.getBufferIdentifier().str());
  }
  return AstraSimReader(file).read();
}

/// `[ a, b ]` of what `word` prints for each tier, innermost first. ASTRA-sim
/// wants dimensions of more than one part.
static std::string listOf(llvm::ArrayRef<Tier> tiers,
                          llvm::function_ref<std::string(const Tier &)> word) {
  std::string text;
  for (const Tier &tier : llvm::reverse(tiers)) {
    if (tier.size > 1) {
      text += (text.empty() ? "" : ", ") + word(tier);
    }
  }
  return "[ " + text + " ]";
}

std::string moe::topology::writeAstraSim(const Topology &topology) {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto list = [&](llvm::function_ref<std::string(const Tier &)> word) {
    return listOf(topology.tiers(), word);
  };
  os << "# Dimensions, innermost first: "
     << list([](const Tier &tier) { return tier.name; }) << ".\n";
  for (const Tier &tier : topology.tiers()) {
    if (tier.devicesPerPort > 1) {
      os << "# " << tier.name << ": " << tier.devicesPerPort
         << " devices share a port; here each has its part of it.\n";
    }
  }
  if (topology.node()) {
    os << "# Inside a node the source has a link graph. Here each of its tiers "
          "is as fast as\n# its slowest pair.\n";
  }
  for (llvm::StringRef assumption : topology.assumptions()) {
    os << "# Assumed: " << assumption << ".\n";
  }
  os << "topology: "
     << list([](const Tier &tier) { return wordOf(tier.shape).str(); })
     << "\nnpus_count: "
     << list([](const Tier &tier) { return std::to_string(tier.size); })
     << "\nbandwidth: " << list([](const Tier &tier) {
          double share = static_cast<double>(tier.devicesPerPort);
          return decimal(tier.bandwidth.value() / share);
        })
     << "  # GB/s\nlatency: " << list([](const Tier &tier) {
          double links = tier.shape == TierShape::Switch ? 2 : 1;
          return decimal(tier.latency.value() * 1000 / links);
        })
     << "  # ns\n";
  return text;
}
