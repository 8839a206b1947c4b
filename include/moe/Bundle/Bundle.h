// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled program in one file, which runs without the compiler: an archive,
// as `ar` reads it, of
//
//   manifest.json   Manifest.h
//   program.o       an object for the manifest's CPU, stamped with
//                   Manifest::fingerprint
//   reference.o     the program that was not partitioned, for --check
//   plan.json       where experts are, what travels and in which phases
//   SHA256SUMS      of all the others, as sha256sum writes and checks them
#ifndef MOE_BUNDLE_BUNDLE_H
#define MOE_BUNDLE_BUNDLE_H

#include "moe/Bundle/Manifest.h"

namespace moe::bundle {

struct Bundle {
  Manifest manifest;
  /// By ProgramKind's name.
  std::map<std::string, std::string> objects;
  /// JSON.
  std::string plan;
};

/// Whether a path names a bundle: by its first bytes, or, where it cannot be
/// read, by the suffix .moe.
bool isBundle(llvm::StringRef path);

/// Writes the file at once: it is whole or not there. The bytes depend on
/// nothing but the bundle.
llvm::Error writeBundle(llvm::StringRef path, const Bundle &bundle);

/// Fails, in one line that begins with the path, for what is cut off or
/// damaged, for another version, and for a manifest that is not the code's. The
/// errors are formats::FileError.
llvm::Expected<Bundle> readBundle(llvm::StringRef path);

} // namespace moe::bundle

#endif // MOE_BUNDLE_BUNDLE_H
