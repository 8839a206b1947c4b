// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading of a config.json whose errors are diagnostics: every getter reports
// what is wrong at the position of the key, so that callers only pass failures
// on.

#ifndef MOE_LIB_IMPORT_CONFIG_H
#define MOE_LIB_IMPORT_CONFIG_H

#include "moe/Model/ExpertLayers.h"

#include "mlir/IR/Diagnostics.h"

namespace mlir::moe {

/// A ConfigObject in a context.
class Config {
public:
  /// The object that is the whole of `text`; failure is reported.
  static FailureOr<Config> parse(StringRef text, StringRef file,
                                 MLIRContext *context);

  /// Whether the key is there with another value than null.
  bool has(StringRef key) const;

  /// Fails on keys with another type than models have, read here or not.
  LogicalResult checkKnownKeys() const;

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

  /// Whether each layer has experts.
  FailureOr<SmallVector<bool>>
  readExpertLayers(const ::moe::model::LayerKeys &keys) const;

  /// Begins an error at `key`; names it.
  InFlightDiagnostic emitError(StringRef key) const;
  Location getLocation(StringRef key) const;

private:
  Config(::moe::model::ConfigObject object, MLIRContext *context)
      : object(std::move(object)), context(context) {}

  /// The value; emits the error and fails if there is none.
  template <typename T> FailureOr<T> report(llvm::Expected<T> value) const;
  template <typename T>
  FailureOr<SmallVector<T>>
  reportList(llvm::Expected<std::vector<T>> list) const;

  ::moe::model::ConfigObject object;
  MLIRContext *context;
};

} // namespace mlir::moe

#endif // MOE_LIB_IMPORT_CONFIG_H
