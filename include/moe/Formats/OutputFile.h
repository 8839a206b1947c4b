// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files that long work ends in. Whether a file can be written is asked before
// the work, and readers see the whole file or what was there before: it is
// written beside its place and then renamed.
#ifndef MOE_FORMATS_OUTPUTFILE_H
#define MOE_FORMATS_OUTPUTFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace moe::formats {

/// Fails with a FileError unless a file could be put there now. Leaves nothing
/// behind. `-` is the standard output.
llvm::Error expectWritable(llvm::StringRef path);

/// Lets `write` fill the file. Devices, pipes and `-` are written in place.
/// Fails with a FileError, and leaves no part of a file.
llvm::Error writeFile(llvm::StringRef path,
                      llvm::function_ref<void(llvm::raw_ostream &)> write);

/// The same for what can only be given a path: `write` gets the path of a file
/// beside the place, and its error is handed on.
llvm::Error writeFileAt(llvm::StringRef path,
                        llvm::function_ref<llvm::Error(llvm::StringRef)> write);

} // namespace moe::formats

#endif // MOE_FORMATS_OUTPUTFILE_H
