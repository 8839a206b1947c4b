//===- VerifyFile.h - Do a placement and its figures hold -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checks a placement from anywhere, and every figure that its file states,
// against figures that are counted anew, cell by cell, without any solver's
// help (planning::auditPlacement).
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLACEMENTTOOL_VERIFYFILE_H
#define MOE_PLACEMENTTOOL_VERIFYFILE_H

#include "moe/PlacementTool/Workload.h"

namespace moe::placement {

/// Fails, naming path, layer and field, on a placement that loses an expert or
/// names what is not there, and on lists that contradict each other. Several
/// replicas on one GPU are no error; a sentence for each is added to
/// `warnings`.
llvm::Error verifyLists(const PlacementFile &file, llvm::StringRef path,
                        std::vector<std::string> &warnings);

/// What the placements of a file are for: sizes that the options leave out are
/// the file's, loads too. Fails as readWorkload does, and where options and
/// file disagree.
llvm::Expected<Workload> workloadOf(const PlacementFile &file,
                                    llvm::StringRef path,
                                    WorkloadOptions options);

/// The file with all figures counted anew, as far as the workload tells them;
/// its notes say what could not be. The lists must be verified.
llvm::Expected<PlacementFile> recount(const PlacementFile &file,
                                      llvm::StringRef path,
                                      const Workload &workload);

/// Fails, naming path, layer and field, where a figure that the file states is
/// not the counted one. What is unknown on either side is not compared.
llvm::Error compareFigures(const PlacementFile &file, llvm::StringRef path,
                           const PlacementFile &counted);

/// All of the above: the file with its figures counted anew.
llvm::Expected<PlacementFile> verifyFile(const PlacementFile &file,
                                         llvm::StringRef path,
                                         const WorkloadOptions &options);

} // namespace moe::placement

#endif // MOE_PLACEMENTTOOL_VERIFYFILE_H
