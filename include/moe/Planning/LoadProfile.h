//===- LoadProfile.h - How much work each expert gets -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loads per layer and expert, in any unit: only their shares are used. They may
// be known for each source rank apart, or come from a trace of the choices of
// single tokens. Layers that no file names, and every layer of a run without a
// file, are uniform, and say so.
//
//   JSON   [[l, …], …]               [layer][expert]; also under "loads" or
//                                    "weight" of an object, whose "layers" may
//                                    list the layers' numbers
//          [[[l, …], …], …]          [source rank][layer][expert]
//          {"trace": [[[e, …], …], …]}  [token][layer][choice], -1 is none
//   NPY    the same as arrays of two or three dimensions
//   CSV    a header with `layer`, `expert` and `count`, and maybe `model`,
//          `domain` and `rank` (the source rank)
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_LOADPROFILE_H
#define MOE_PLANNING_LOADPROFILE_H

#include "moe/Planning/RoutingTrace.h"
#include "llvm/ADT/StringRef.h"
#include <map>
#include <memory>
#include <string>

namespace moe::planning {

/// What one layer's experts get.
struct ExpertShares {
  /// One share an expert; they sum to 1.
  std::vector<double> shares;
  /// Nothing was known of the layer, so that all shares are equal.
  bool isAssumedUniform = false;
  /// [source rank][expert], which sum to `shares`; empty where the sources are
  /// not known apart.
  std::vector<std::vector<double>> bySource = {};

  bool operator==(const ExpertShares &other) const {
    return shares == other.shares && bySource == other.bySource &&
           isAssumedUniform == other.isAssumedUniform;
  }
};

/// What one layer's experts get, as it was measured.
struct LayerLoads {
  /// One load an expert, over all sources.
  std::vector<double> loads;
  /// [source rank][expert]; empty where the sources are not known apart.
  std::vector<std::vector<double>> bySource;
  bool isAssumedUniform = false;
};

/// What a file of loads holds, and which part of it counts.
struct LoadSelection {
  enum class Content {
    Loads,
    /// Choices of tokens. JSON says by its key which of the two it holds.
    Trace
  };

  /// Of a CSV file; an empty name selects all, added up.
  std::string model;
  std::string domain;
  /// Of a three-dimensional NPY or plain JSON array.
  Content content = Content::Loads;
};

class LoadProfile {
public:
  /// No layer is known: all are uniform.
  LoadProfile() = default;

  /// Reads a file of any of the forms above; its first bytes say which. Errors
  /// are FileErrors.
  static llvm::Expected<LoadProfile> open(llvm::StringRef path,
                                          const LoadSelection &selection = {});
  /// `xxh3:…`, by which plans record the file that they were made for.
  static std::string digest(llvm::StringRef image);
  /// The same for what a file holds. Errors do not name the file; FileErrors
  /// say where in it.
  static llvm::Expected<LoadProfile> parse(llvm::StringRef image,
                                           const LoadSelection &selection = {});

  static llvm::Expected<LoadProfile>
  fromJson(llvm::StringRef text, const LoadSelection &selection = {});
  static llvm::Expected<LoadProfile>
  fromNumpy(llvm::StringRef image, const LoadSelection &selection = {});
  /// An expert without a line in a known layer has no load.
  static llvm::Expected<LoadProfile> fromCsv(llvm::StringRef text,
                                             const LoadSelection &selection);

  /// Loads that were computed. Layer i is the i-th list. Fails, naming layer
  /// and expert, unless all lists are as long, every load is finite and at
  /// least 0, and none sums to 0.
  static llvm::Expected<LoadProfile>
  fromLoads(std::vector<std::vector<double>> loads);
  /// [source rank][layer][expert]. The layers have ascending numbers, without
  /// which layer i is the i-th list.
  static llvm::Expected<LoadProfile>
  fromSources(std::vector<std::vector<std::vector<double>>> loads,
              llvm::ArrayRef<int64_t> numbers = {});
  static LoadProfile fromTrace(RoutingTrace trace);

  /// Whether no layer is known.
  bool isAssumedUniform() const { return !trace && layersByNumber.empty(); }
  /// The known layers, ascending.
  std::vector<int64_t> layers() const;
  /// Those of `wanted` that are not known.
  std::vector<int64_t> missingLayers(llvm::ArrayRef<int64_t> wanted) const;
  /// The number of experts that the first known layer has; of a trace, one more
  /// than the largest that was chosen. 0 when no layer is known.
  int64_t expertCount() const;
  /// The number of source ranks that are known apart; 0 for none, or any.
  int64_t sourceCount() const;
  /// The single tokens' choices, or null.
  const RoutingTrace *routingTrace() const { return trace.get(); }

  /// The layer's shares over `experts` experts. Fails when the layer is known
  /// with another number of experts.
  llvm::Expected<ExpertShares> sharesOf(int64_t layer, int64_t experts) const;

  /// The layer's loads for a group of `ranks` source ranks. Fails as sharesOf,
  /// and when the sources are known apart and are not `ranks`.
  llvm::Expected<LayerLoads> loadsOf(int64_t layer, int64_t experts,
                                     int64_t ranks) const;

private:
  using Sources = std::vector<std::vector<double>>;

  /// Adds a layer of one list (sources not known apart) or of one list a
  /// source.
  llvm::Error addLayer(int64_t layer, Sources sources);

  std::map<int64_t, Sources> layersByNumber;
  std::shared_ptr<const RoutingTrace> trace;
};

} // namespace moe::planning

#endif // MOE_PLANNING_LOADPROFILE_H
