//===- Mesh.h - Named axes over devices -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mesh numbers its positions row-major over its axes, the last axis
// innermost: position = (c0 * n1 + c1) * n2 + c2 for the coordinates c and the
// sizes n. The device order says which device sits at each position; a rank of
// the compiled program is a device id of the topology.
//
// A sub-axis is a run of an axis' digits. Axis "ep" of size n, written as
// [pre] x [size] x [rest], has the sub-axis `ep:(pre)size` with the coordinate
// (c / rest) mod size, where rest = n / (pre * size). `ep:(1)2` and `ep:(2)4`
// together are all of an "ep" of size 8.
//
// Axis names carry no meaning of their own.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_MESH_H
#define MOE_PLANNING_MESH_H

#include "moe/Planning/Topology.h"

namespace moe::planning {

struct MeshAxis {
  std::string name;
  int64_t size = 1;
};

/// A whole axis, or a run of its digits.
struct AxisRef {
  std::string axis;
  /// Product of the digits before the sub-axis.
  int64_t preSize = 1;
  /// Size of the sub-axis; 0 stands for all that follows `preSize`.
  int64_t size = 0;

  AxisRef(const char *axis) : axis(axis) {}
  AxisRef(llvm::StringRef axis) : axis(axis.str()) {}
  AxisRef(std::string axis) : axis(std::move(axis)) {}
  AxisRef(llvm::StringRef axis, int64_t preSize, int64_t size)
      : axis(axis.str()), preSize(preSize), size(size) {}

  /// `ep`, or `ep:(2)4` for a sub-axis.
  std::string toString() const;
};

/// Device ids in the order of their index within the group.
using DeviceGroup = std::vector<int64_t>;

class Mesh {
public:
  /// Checks the axes (at least one, distinct names, sizes of at least 1) and
  /// the order (a permutation of all positions; empty stands for the identity).
  static llvm::Expected<Mesh> create(std::vector<MeshAxis> axes,
                                     std::vector<int64_t> deviceOrder = {});

  /// Reads `dp=2,ep=4`.
  static llvm::Expected<Mesh> parse(llvm::StringRef text);

  llvm::ArrayRef<MeshAxis> axes() const { return axisList; }
  /// `deviceOrder()[position]` is the device there.
  llvm::ArrayRef<int64_t> deviceOrder() const { return order; }
  int64_t deviceCount() const { return order.size(); }
  int64_t deviceAt(int64_t position) const { return order[position]; }
  int64_t positionOf(int64_t device) const { return positions[device]; }

  /// The same axes over another order of the devices.
  llvm::Expected<Mesh> withDeviceOrder(std::vector<int64_t> order) const;

  /// Fails unless the mesh has as many devices as the topology; the error
  /// names both numbers.
  llvm::Error verifyOn(const Topology &topology) const;
  llvm::Error verifyDeviceCount(int64_t devices) const;

  /// Fails unless every axis exists, every sub-axis divides its axis, and none
  /// overlap. The functions below require what it checks.
  llvm::Error verifyAxes(llvm::ArrayRef<AxisRef> axes) const;

  /// The size of an axis or sub-axis.
  int64_t sizeOf(const AxisRef &axis) const;
  /// The number of devices in a group over `axes`.
  int64_t groupSize(llvm::ArrayRef<AxisRef> axes) const;

  int64_t coordinate(int64_t device, const AxisRef &axis) const;
  /// One coordinate an axis of the mesh.
  std::vector<int64_t> coordinates(int64_t device) const;

  /// The device's index in its group: row-major over `axes` in the order
  /// given, so {"dp","ep"} and {"ep","dp"} differ.
  int64_t indexInGroup(int64_t device, llvm::ArrayRef<AxisRef> axes) const;

  /// The groups of devices that differ in nothing but `axes`; they partition
  /// the devices. Groups are ordered by the position of their first member.
  std::vector<DeviceGroup> groups(llvm::ArrayRef<AxisRef> axes) const;

  /// The group that holds the device.
  DeviceGroup groupOf(int64_t device, llvm::ArrayRef<AxisRef> axes) const;

  /// `dp=2,ep=4`
  std::string toString() const;

private:
  /// A run of digits of the position number.
  struct Digits {
    int64_t stride = 1;
    int64_t size = 1;
  };

  Mesh() = default;
  std::optional<unsigned> findAxis(llvm::StringRef name) const;
  Digits digitsOf(const AxisRef &axis) const;
  DeviceGroup groupFrom(int64_t position, llvm::ArrayRef<AxisRef> axes) const;

  std::vector<MeshAxis> axisList;
  /// Distance in position between neighbours along each axis.
  std::vector<int64_t> strides;
  std::vector<int64_t> order;
  std::vector<int64_t> positions;
};

} // namespace moe::planning

#endif // MOE_PLANNING_MESH_H
