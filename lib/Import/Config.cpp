// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Config.h"

#include "moe/Model/KnownKeys.h"

#include "mlir/IR/Location.h"

using namespace mlir;
using namespace mlir::moe;
using ::moe::model::ConfigError;
using ::moe::model::ConfigObject;
using ::moe::model::TextPosition;

static Location at(MLIRContext *context, StringRef file,
                   TextPosition position) {
  return FileLineColLoc::get(context, file, position.line, position.column);
}

// Emits what is wrong at its place.
static void emitConfigError(llvm::Error error, StringRef file,
                            MLIRContext *context) {
  llvm::handleAllErrors(std::move(error), [&](const ConfigError &wrong) {
    mlir::emitError(at(context, file, wrong.getPosition())) << wrong.getText();
  });
}

template <typename T>
FailureOr<T> Config::report(llvm::Expected<T> value) const {
  if (value) {
    return std::move(*value);
  }
  emitConfigError(value.takeError(), object.getFile(), context);
  return failure();
}

template <typename T>
FailureOr<SmallVector<T>>
Config::reportList(llvm::Expected<std::vector<T>> list) const {
  FailureOr<std::vector<T>> values = report(std::move(list));
  if (failed(values)) {
    return failure();
  }
  return SmallVector<T>(values->begin(), values->end());
}

FailureOr<Config> Config::parse(StringRef text, StringRef file,
                                MLIRContext *context) {
  llvm::Expected<ConfigObject> object = ConfigObject::parse(text, file);
  if (!object) {
    emitConfigError(object.takeError(), file, context);
    return failure();
  }
  return Config(std::move(*object), context);
}

Location Config::getLocation(StringRef key) const {
  return at(context, object.getFile(), object.getPosition(key));
}

InFlightDiagnostic Config::emitError(StringRef key) const {
  return std::move(mlir::emitError(getLocation(key))
                   << "key \"" << object.getPath(key) << "\": ");
}

bool Config::has(StringRef key) const { return object.has(key); }

FailureOr<int64_t> Config::getInteger(StringRef key, int64_t minimum) const {
  return report(object.getInteger(key, minimum));
}

FailureOr<int64_t> Config::getIntegerOr(StringRef key, int64_t otherwise,
                                        int64_t minimum) const {
  return report(object.getIntegerOr(key, otherwise, minimum));
}

FailureOr<int64_t> Config::getIntegerOrNull(StringRef key) const {
  return report(object.getIntegerOrNull(key));
}

FailureOr<double> Config::getPositiveNumber(StringRef key) const {
  return report(object.getPositiveNumber(key));
}

FailureOr<double> Config::getPositiveNumberOr(StringRef key,
                                              double otherwise) const {
  return report(object.getPositiveNumberOr(key, otherwise));
}

FailureOr<bool> Config::getFlag(StringRef key) const {
  return report(object.getFlag(key));
}

FailureOr<bool> Config::getFlagOr(StringRef key, bool otherwise) const {
  return report(object.getFlagOr(key, otherwise));
}

FailureOr<StringRef> Config::getString(StringRef key) const {
  return report(object.getString(key));
}

FailureOr<StringRef> Config::getChoice(StringRef key,
                                       ArrayRef<StringRef> known) const {
  return report(object.getChoice(key, known));
}

FailureOr<StringRef> Config::getChoiceOr(StringRef key,
                                         ArrayRef<StringRef> known,
                                         StringRef otherwise) const {
  return report(object.getChoiceOr(key, known, otherwise));
}

FailureOr<SmallVector<int64_t>> Config::getIntegers(StringRef key,
                                                    int64_t minimum) const {
  return reportList(object.getIntegers(key, minimum));
}

FailureOr<SmallVector<std::string>> Config::getStrings(StringRef key) const {
  return reportList(object.getStrings(key));
}

FailureOr<Config> Config::getObject(StringRef key) const {
  FailureOr<ConfigObject> inner = report(object.getObject(key));
  if (failed(inner)) {
    return failure();
  }
  return Config(std::move(*inner), context);
}

LogicalResult Config::checkKnownKeys() const {
  if (llvm::Error error = ::moe::model::checkKnownKeys(object)) {
    emitConfigError(std::move(error), object.getFile(), context);
    return failure();
  }
  return success();
}

FailureOr<SmallVector<bool>>
Config::readExpertLayers(const ::moe::model::LayerKeys &keys) const {
  return reportList(::moe::model::readExpertLayers(object, keys));
}
