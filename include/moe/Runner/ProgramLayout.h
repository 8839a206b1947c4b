// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compiled layer expects of who calls it, as plain data: the tensors
// that go in and out, what each handle of the frame stands for, which ranks
// form groups. Read once from the module; everything after needs no MLIR.
//
// Ranks are positions of the mesh (row-major over its axes).
#ifndef MOE_RUNNER_PROGRAMLAYOUT_H
#define MOE_RUNNER_PROGRAMLAYOUT_H

#include "moe/Planning/Mesh.h"
#include "moe/Planning/Placement.h"
#include "moe/Planning/TokenSplit.h"
#include "moe/Runner/TensorSource.h"

#include <map>
#include <optional>

namespace moe::runner {

/// An ordered list of mesh axes; empty: whole on every rank.
using Axes = std::vector<planning::AxisRef>;

/// An argument or a result of the program: [rows, columns].
struct Port {
  enum class Role { Tokens, Output, Expert, Weight };
  Role role = Role::Tokens;
  /// F32, BF16 or I32.
  ElementType type = ElementType::F32;
  int64_t columns = 0;
  /// The number of rows, where the program is compiled for one; else there is
  /// one a token.
  std::optional<int64_t> rows;
  /// What each of the two dimensions is split over.
  Axes rowAxes;
  Axes columnAxes;
};

/// A `moe.weight`.
struct WeightSymbol {
  /// The checkpoint's name, with "{e}" for the expert's number.
  std::string pattern;
  /// Experts: [experts, K, N]; else the tensor's shape in the checkpoint.
  TensorShape shape;
  ElementType type = ElementType::F32;
  /// Whether it is one matrix an expert.
  bool isExperts = false;
  /// Whether the checkpoint has [K, N] matrices and not [N, K].
  bool isInByOut = false;
};

/// What the program reads through an entry of its frame's handles.
struct Handle {
  enum class Kind { Experts, Tensor, Placement };
  Kind kind = Kind::Tensor;
  /// The `moe.weight`; empty for a placement.
  std::string weight;
  /// The `moe.placement`; empty for a tensor, and for experts that stand in
  /// slots of their own numbers.
  std::string placement;
  /// Whether a tensor is packed for a matrix product.
  bool isPacked = false;
  /// Axes by dimension of the weight; empty: whole.
  std::vector<Axes> sharding;
};

struct PlacementSymbol {
  planning::Placement placement;
  Axes axes;
  /// Slots that every rank's code works on: at least the placement's.
  int64_t localSlots = 1;
};

/// A program and how it sees its ranks.
struct ProgramLayout {
  /// Ranks by position: the device order is the identity.
  planning::Mesh ranks;
  std::vector<Port> arguments;
  std::vector<Port> results;
  std::vector<Handle> handles;
  /// One entry a group set of the frame.
  std::vector<Axes> groups;
  std::map<std::string, WeightSymbol> weights;
  std::map<std::string, PlacementSymbol> placements;

  const Port *findArgument(Port::Role role) const;
  const Port *findResult(Port::Role role) const;
};

/// The same program where one rank holds everything: its slots are the experts,
/// in their order.
ProgramLayout onOneRank(ProgramLayout layout);

/// The rows and columns of a port that a rank holds.
struct Rectangle {
  planning::TokenRange rows;
  planning::TokenRange columns;
};
Rectangle rectangleOf(const planning::Mesh &ranks, int64_t rank,
                      const Port &port, int64_t tokens);

/// Bytes of one element of a port's type.
int64_t elementBytes(ElementType type);

} // namespace moe::runner

#endif // MOE_RUNNER_PROGRAMLAYOUT_H
