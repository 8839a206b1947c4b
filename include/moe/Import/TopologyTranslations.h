// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptions of clusters in the formats of other programs.

#ifndef MOE_IMPORT_TOPOLOGYTRANSLATIONS_H
#define MOE_IMPORT_TOPOLOGYTRANSLATIONS_H

namespace mlir::moe {

/// Registers `--import-nccl-topology`, `--import-nvidia-smi-topo`,
/// `--import-astra-sim` and `--export-astra-sim` with their flags for
/// mlirTranslateMain.
void registerTopologyTranslations();

} // namespace mlir::moe

#endif // MOE_IMPORT_TOPOLOGYTRANSLATIONS_H
