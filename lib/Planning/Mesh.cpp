//===- Mesh.cpp - Named axes over devices ---------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Mesh.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include <cassert>
#include <numeric>

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

std::string AxisRef::toString() const {
  return preSize == 1 && size == 0
             ? axis
             : formatv("{0}:({1}){2}", axis, preSize, size).str();
}

/// The product of the axis sizes as people read it: `2 x 4 = 8`.
static std::string productText(llvm::ArrayRef<MeshAxis> axes, int64_t product) {
  std::string text = llvm::join(
      llvm::map_range(axes,
                      [](const MeshAxis &axis) {
                        return formatv("{0}={1}", axis.name, axis.size).str();
                      }),
      " x ");
  return axes.size() == 1 ? text : formatv("{0} = {1}", text, product).str();
}

/// Checks that `order` holds 0 … order.size() - 1, each once.
static llvm::Error verifyPermutation(llvm::ArrayRef<int64_t> order) {
  int64_t count = order.size();
  std::vector<bool> seen(count);
  for (int64_t device : order) {
    if (device < 0 || device >= count) {
      return createStringError(
          formatv(
              "expected a device order of the devices 0 to {0}, but got {1}",
              count - 1, device)
              .str());
    }
    if (seen[device]) {
      return createStringError(
          formatv("device {0} is twice in the device order", device).str());
    }
    seen[device] = true;
  }
  return llvm::Error::success();
}

llvm::Expected<Mesh> Mesh::create(std::vector<MeshAxis> axes,
                                  std::vector<int64_t> deviceOrder) {
  if (axes.empty()) {
    return createStringError("expected a mesh of at least one axis");
  }
  llvm::StringSet<> names;
  int64_t devices = 1;
  for (const MeshAxis &axis : axes) {
    if (axis.name.empty()) {
      return createStringError("expected every mesh axis to have a name");
    }
    if (!names.insert(axis.name).second) {
      return createStringError(
          formatv("mesh axis '{0}' is defined twice", axis.name).str());
    }
    if (axis.size < 1) {
      return createStringError(
          formatv("mesh axis '{0}': expected a size of at least 1, but got {1}",
                  axis.name, axis.size)
              .str());
    }
    if (axis.size > Topology::maxDevices / devices) {
      return createStringError(
          formatv("expected at most {0} devices, but mesh axis '{1}' makes it "
                  "more",
                  Topology::maxDevices, axis.name)
              .str());
    }
    devices *= axis.size;
  }
  if (deviceOrder.empty()) {
    deviceOrder.resize(devices);
    std::iota(deviceOrder.begin(), deviceOrder.end(), 0);
  }
  if (static_cast<int64_t>(deviceOrder.size()) != devices) {
    return createStringError(
        formatv(
            "expected a device order of {0} devices (mesh {1}), but got {2}",
            devices, productText(axes, devices), deviceOrder.size())
            .str());
  }
  if (llvm::Error error = verifyPermutation(deviceOrder)) {
    return std::move(error);
  }

  Mesh mesh;
  mesh.strides.resize(axes.size());
  int64_t stride = 1;
  for (size_t index = axes.size(); index-- > 0;) {
    mesh.strides[index] = stride;
    stride *= axes[index].size;
  }
  mesh.axisList = std::move(axes);
  mesh.positions.resize(devices);
  for (int64_t position = 0; position < devices; ++position) {
    mesh.positions[deviceOrder[position]] = position;
  }
  mesh.order = std::move(deviceOrder);
  return mesh;
}

llvm::Expected<Mesh> Mesh::parse(llvm::StringRef text) {
  std::vector<MeshAxis> axes;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',');
  for (llvm::StringRef part : parts) {
    llvm::StringRef name = part.split('=').first.trim();
    int64_t size = 0;
    if (part.split('=').second.trim().getAsInteger(10, size)) {
      return createStringError(
          formatv("mesh: expected 'axis=size', but got '{0}'", part.trim())
              .str());
    }
    axes.push_back({name.str(), size});
  }
  return create(std::move(axes));
}

llvm::Expected<Mesh> Mesh::withDeviceOrder(std::vector<int64_t> order) const {
  return create(axisList, std::move(order));
}

llvm::Error Mesh::verifyDeviceCount(int64_t devices) const {
  if (devices == deviceCount()) {
    return llvm::Error::success();
  }
  return createStringError(
      formatv("expected a mesh of {0} devices, but got {1}", devices,
              productText(axisList, deviceCount()))
          .str());
}

llvm::Error Mesh::verifyOn(const Topology &topology) const {
  return verifyDeviceCount(topology.deviceCount());
}

std::optional<unsigned> Mesh::findAxis(llvm::StringRef name) const {
  for (unsigned index = 0; index < axisList.size(); ++index) {
    if (axisList[index].name == name) {
      return index;
    }
  }
  return std::nullopt;
}

/// Checks a sub-axis against the size of its axis.
static llvm::Error verifySubAxis(const AxisRef &axis, int64_t axisSize) {
  int64_t size = axis.size == 0 ? 1 : axis.size;
  bool divides = axis.preSize >= 1 && size >= 1 && axis.preSize <= axisSize &&
                 size <= axisSize && axisSize % (axis.preSize * size) == 0;
  return divides ? llvm::Error::success()
                 : createStringError(
                       formatv("expected sub-axis '{0}' to divide its axis of "
                               "size {1}",
                               axis.toString(), axisSize)
                           .str());
}

llvm::Error Mesh::verifyAxes(llvm::ArrayRef<AxisRef> axes) const {
  std::vector<Digits> used;
  for (const AxisRef &axis : axes) {
    std::optional<unsigned> index = findAxis(axis.axis);
    if (!index) {
      return createStringError(
          formatv("mesh {0} has no axis '{1}'", toString(), axis.axis).str());
    }
    if (llvm::Error error = verifySubAxis(axis, axisList[*index].size)) {
      return error;
    }
    // Digits of size 1 hold no position, so they overlap with nothing.
    Digits digits = digitsOf(axis);
    for (const auto &[other, previous] : llvm::zip(used, axes)) {
      // Parts of one axis are independent where one is read from what the
      // other leaves.
      bool apart = digits.stride % (other.stride * other.size) == 0 ||
                   other.stride % (digits.stride * digits.size) == 0;
      bool isSame = previous.toString() == axis.toString();
      if ((digits.size > 1 && other.size > 1 && !apart) || isSame) {
        return createStringError(formatv("mesh axes '{0}' and '{1}' overlap",
                                         previous.toString(), axis.toString())
                                     .str());
      }
    }
    used.push_back(digits);
  }
  return llvm::Error::success();
}

Mesh::Digits Mesh::digitsOf(const AxisRef &axis) const {
  std::optional<unsigned> index = findAxis(axis.axis);
  assert(index && "no such axis");
  int64_t rest = axisList[*index].size / axis.preSize;
  int64_t size = axis.size == 0 ? rest : axis.size;
  return {strides[*index] * (rest / size), size};
}

int64_t Mesh::sizeOf(const AxisRef &axis) const { return digitsOf(axis).size; }

int64_t Mesh::groupSize(llvm::ArrayRef<AxisRef> axes) const {
  int64_t size = 1;
  for (const AxisRef &axis : axes) {
    size *= sizeOf(axis);
  }
  return size;
}

int64_t Mesh::coordinate(int64_t device, const AxisRef &axis) const {
  Digits digits = digitsOf(axis);
  return positions[device] / digits.stride % digits.size;
}

std::vector<int64_t> Mesh::coordinates(int64_t device) const {
  std::vector<int64_t> result;
  for (const auto &[axis, stride] : llvm::zip(axisList, strides)) {
    result.push_back(positions[device] / stride % axis.size);
  }
  return result;
}

int64_t Mesh::indexInGroup(int64_t device, llvm::ArrayRef<AxisRef> axes) const {
  int64_t index = 0;
  for (const AxisRef &axis : axes) {
    index = index * sizeOf(axis) + coordinate(device, axis);
  }
  return index;
}

/// The group whose member of index 0 sits at `position`.
DeviceGroup Mesh::groupFrom(int64_t position,
                            llvm::ArrayRef<AxisRef> axes) const {
  DeviceGroup members = {position};
  for (const AxisRef &axis : axes) {
    Digits digits = digitsOf(axis);
    DeviceGroup next;
    next.reserve(members.size() * digits.size);
    for (int64_t member : members) {
      for (int64_t digit = 0; digit < digits.size; ++digit) {
        next.push_back(member + digit * digits.stride);
      }
    }
    members = std::move(next);
  }
  for (int64_t &member : members) {
    member = order[member];
  }
  return members;
}

std::vector<DeviceGroup> Mesh::groups(llvm::ArrayRef<AxisRef> axes) const {
  std::vector<DeviceGroup> result;
  for (int64_t device : order) {
    if (indexInGroup(device, axes) == 0) {
      result.push_back(groupFrom(positions[device], axes));
    }
  }
  return result;
}

DeviceGroup Mesh::groupOf(int64_t device, llvm::ArrayRef<AxisRef> axes) const {
  int64_t position = positions[device];
  for (const AxisRef &axis : axes) {
    position -= coordinate(device, axis) * digitsOf(axis).stride;
  }
  return groupFrom(position, axes);
}

std::string Mesh::toString() const {
  std::string text;
  for (const MeshAxis &axis : axisList) {
    text +=
        formatv("{0}{1}={2}", text.empty() ? "" : ",", axis.name, axis.size);
  }
  return text;
}
