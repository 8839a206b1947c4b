//===- LoadProfile.h - How much work each expert gets -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loads per layer and expert, in any unit: only their shares are used. Layers
// that no file names, and every layer of a run without a file, are uniform, and
// say so.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_LOADPROFILE_H
#define MOE_PLANNING_LOADPROFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace moe::planning {

/// What one layer's experts get.
struct ExpertShares {
  /// One share an expert; they sum to 1.
  std::vector<double> shares;
  /// Nothing was known of the layer, so that all shares are equal.
  bool isAssumedUniform = false;
};

/// Which rows of a CSV file count; an empty name selects all, added up.
struct LoadSelection {
  std::string model;
  std::string domain;
};

class LoadProfile {
public:
  /// No layer is known: all are uniform.
  LoadProfile() = default;

  /// Reads `[[…], …]`, layers × experts, or `{"loads": [[…], …]}`. Layer i is
  /// the i-th list.
  static llvm::Expected<LoadProfile> fromJson(llvm::StringRef text);

  /// Reads lines of comma-separated values under a header that names at least
  /// `layer`, `expert` and `count`, and may name `model` and `domain`. An
  /// expert without a line in a known layer has no load.
  static llvm::Expected<LoadProfile> fromCsv(llvm::StringRef text,
                                             const LoadSelection &selection);

  /// Whether no layer is known.
  bool isAssumedUniform() const { return loadsByLayer.empty(); }
  /// The known layers, ascending.
  std::vector<int64_t> layers() const;

  /// The layer's shares over `experts` experts. Fails when the layer is known
  /// with another number of experts.
  llvm::Expected<ExpertShares> sharesOf(int64_t layer, int64_t experts) const;

private:
  llvm::Error addLayer(int64_t layer, std::vector<double> loads);

  std::map<int64_t, std::vector<double>> loadsByLayer;
};

} // namespace moe::planning

#endif // MOE_PLANNING_LOADPROFILE_H
