// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Placements in the formats of serving engines (docs/PlacementFormats.md).

#ifndef MOE_IMPORT_PLACEMENTTRANSLATIONS_H
#define MOE_IMPORT_PLACEMENTTRANSLATIONS_H

#include "llvm/ADT/ArrayRef.h"

#include <string>
#include <vector>

namespace mlir::moe {

/// Registers `--export-placement` and `--import-placement` with their flags for
/// mlirTranslateMain.
void registerPlacementTranslations();

/// `--export-placement=NAME` and `--import-placement=NAME` as two flags each,
/// since translations take no values: the words to parse instead.
std::vector<std::string>
separatePlacementFormat(llvm::ArrayRef<const char *> words);

} // namespace mlir::moe

#endif // MOE_IMPORT_PLACEMENTTRANSLATIONS_H
