//===- NvidiaSmiTopo.h - The matrix of nvidia-smi topo -m -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two steps: TopoMatrix is the table as it stands, checked to be whole and
// symmetric; makeNode finds hardware that has these classes.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_TOPOLOGYFILES_NVIDIASMITOPO_H
#define MOE_LIB_TOPOLOGYFILES_NVIDIASMITOPO_H

#include "GpuProduct.h"
#include "NodeAssembly.h"

namespace moe::topology {

/// nvidia-smi's classes, nearest first. They are not NCCL's.
enum class MatrixClass : uint8_t {
  /// The device itself.
  X,
  NV,
  PIX,
  PXB,
  PHB,
  /// Between host bridges of one NUMA domain; NCCL knows it as PHB.
  NODE,
  SYS
};

struct MatrixCell {
  MatrixClass matrixClass = MatrixClass::X;
  /// Of NV.
  int64_t nvlinks = 0;

  bool operator==(const MatrixCell &other) const {
    return matrixClass == other.matrixClass && nvlinks == other.nvlinks;
  }
};

struct MatrixDevice {
  /// As the table has it: GPU0, NIC2, mlx5_0.
  std::string label;
  bool isGpu = true;
  /// What the NIC legend calls it, else empty.
  std::string name = {};
  /// Only where the table gives one domain.
  std::optional<int64_t> numaNode = std::nullopt;
};

class TopoMatrix {
public:
  static llvm::Expected<TopoMatrix> parse(llvm::MemoryBufferRef file);

  llvm::ArrayRef<MatrixDevice> devices() const { return deviceList; }
  const MatrixCell &at(size_t row, size_t column) const {
    return cells[row * deviceList.size() + column];
  }

private:
  friend class TopoMatrixReader;
  std::vector<MatrixDevice> deviceList;
  std::vector<MatrixCell> cells;
};

/// Adds hardware to `node` in which NCCL finds the classes of the matrix.
llvm::Error makeNode(const TopoMatrix &matrix, const GpuProduct &product,
                     NodeAssembly &node, llvm::StringRef file);

} // namespace moe::topology

#endif // MOE_LIB_TOPOLOGYFILES_NVIDIASMITOPO_H
