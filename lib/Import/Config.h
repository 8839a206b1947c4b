// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Typed reading of a config.json. Every getter reports what is wrong at the
// position of the key, so that callers only pass failures on.

#ifndef MOE_LIB_IMPORT_CONFIG_H
#define MOE_LIB_IMPORT_CONFIG_H

#include "JSONKeys.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/JSON.h"

#include <memory>

namespace mlir::moe {

/// An object of a JSON file: the file's own, or one inside of it. A key whose
/// value is null counts as absent.
class Config {
public:
  /// The object that is the whole of `text`; failure is reported.
  static FailureOr<Config> parse(StringRef text, StringRef file,
                                 MLIRContext *context);

  bool has(StringRef key) const;

  /// An integer of at least `minimum`.
  FailureOr<int64_t> getInteger(StringRef key, int64_t minimum = 1) const;
  FailureOr<int64_t> getIntegerOr(StringRef key, int64_t otherwise,
                                  int64_t minimum = 1) const;
  /// An integer of at least 0, or 0 for an explicit null.
  FailureOr<int64_t> getIntegerOrNull(StringRef key) const;
  FailureOr<double> getPositiveNumber(StringRef key) const;
  FailureOr<double> getPositiveNumberOr(StringRef key, double otherwise) const;
  FailureOr<bool> getFlag(StringRef key) const;
  FailureOr<bool> getFlagOr(StringRef key, bool otherwise) const;
  /// A string, one of `known`.
  FailureOr<StringRef> getChoice(StringRef key,
                                 ArrayRef<StringRef> known) const;
  FailureOr<StringRef> getChoiceOr(StringRef key, ArrayRef<StringRef> known,
                                   StringRef otherwise) const;
  FailureOr<StringRef> getString(StringRef key) const;
  /// Integers of at least `minimum`; none where the key is absent.
  FailureOr<SmallVector<int64_t>> getIntegers(StringRef key,
                                              int64_t minimum) const;
  /// Strings; none where the key is absent.
  FailureOr<SmallVector<std::string>> getStrings(StringRef key) const;
  FailureOr<Config> getObject(StringRef key) const;

  /// Begins an error at `key`; names it.
  InFlightDiagnostic emitError(StringRef key) const;
  Location getLocation(StringRef key) const;

private:
  struct File {
    llvm::json::Value root;
    JSONKeys keys;
    std::string name;
    MLIRContext *context;
  };

  Config(std::shared_ptr<const File> file, const llvm::json::Object *object,
         std::string path)
      : file(std::move(file)), object(object), path(std::move(path)) {}

  /// The value of `key`; reports its absence.
  const llvm::json::Value *find(StringRef key) const;
  /// Reports that `key` holds `got` instead of `expected`.
  LogicalResult emitMismatch(StringRef key, const Twine &expected,
                             const llvm::json::Value &got) const;

  std::shared_ptr<const File> file;
  const llvm::json::Object *object;
  std::string path;
};

/// `"a", "b" or "c"`.
std::string quotedAlternatives(ArrayRef<StringRef> names);

} // namespace mlir::moe

#endif // MOE_LIB_IMPORT_CONFIG_H
