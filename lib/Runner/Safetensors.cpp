// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/Safetensors.h"
#include "moe/Formats/FileError.h"
#include "moe/Formats/JSONCursor.h"
#include "moe/Formats/QuotedText.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

#include <set>

using namespace moe::formats;
using namespace moe::runner;

static llvm::Error fail(llvm::StringRef path, const llvm::Twine &message) {
  return llvm::createStringError(path + ": " + message);
}

static std::string join(llvm::StringRef directory, llvm::StringRef file) {
  llvm::SmallString<256> path(directory);
  llvm::sys::path::append(path, file);
  return path.str().str();
}

llvm::Expected<Safetensors> Safetensors::open(llvm::StringRef path) {
  Safetensors result;
  result.rootPath = path.str();
  llvm::Error error = llvm::Error::success();
  if (llvm::sys::fs::is_directory(path)) {
    error = llvm::joinErrors(std::move(error), result.addDirectory(path));
  } else if (path.ends_with(".json")) {
    error = llvm::joinErrors(std::move(error), result.addIndex(path));
  } else {
    error = llvm::joinErrors(std::move(error), result.addFile(path));
  }
  if (error) {
    return std::move(error);
  }
  return std::move(result);
}

llvm::Error Safetensors::addFile(llvm::StringRef path) {
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file) {
    return file.takeError();
  }
  llvm::Expected<std::map<std::string, TensorView>> tensors =
      parseSafetensors(file->bytes(), path);
  if (!tensors) {
    return tensors.takeError();
  }
  for (auto &[name, view] : *tensors) {
    auto [entry, isNew] = entries.try_emplace(name);
    if (!isNew) {
      return fail(path, "expected tensor " + quoted(name) +
                            " in one file, but got it in '" +
                            entry->second.file + "' too");
    }
    entry->second = {path.str(), true, std::move(view)};
  }
  files.push_back(std::move(*file));
  return llvm::Error::success();
}

/// Reads an index: `weightMap` becomes tensor -> file name.
static llvm::Error readIndex(llvm::StringRef text,
                             std::map<std::string, std::string> &weightMap) {
  JSONCursor cursor(text);
  bool found = false;
  llvm::Error error = cursor.object([&](llvm::StringRef key) -> llvm::Error {
    if (key != "weight_map") {
      return cursor.skip();
    }
    found = true;
    return cursor.object([&](llvm::StringRef tensor) -> llvm::Error {
      llvm::Expected<std::string> file = cursor.string();
      if (!file) {
        return file.takeError();
      }
      // Only a file beside the index: an index is data from elsewhere.
      if (file->empty() || llvm::sys::path::filename(*file) != *file ||
          *file == ".." || !llvm::all_of(*file, llvm::isPrint)) {
        return llvm::createStringError(
            "tensor " + quoted(tensor) +
            ": expected a file name without a folder, but got " +
            quoted(*file));
      }
      weightMap[tensor.str()] = *file;
      return llvm::Error::success();
    });
  });
  if (error) {
    return error;
  }
  if (llvm::Error error = cursor.end()) {
    return error;
  }
  if (!found) {
    return llvm::createStringError(
        "expected the key 'weight_map', but got none");
  }
  return llvm::Error::success();
}

llvm::Error Safetensors::addIndex(llvm::StringRef path) {
  llvm::Expected<MappedFile> index = MappedFile::open(path);
  if (!index) {
    return index.takeError();
  }
  std::map<std::string, std::string> weightMap;
  if (llvm::Error error = readIndex(index->bytes(), weightMap)) {
    return inFile(path, std::move(error));
  }
  std::set<std::string> fileNames;
  for (const auto &[tensor, file] : weightMap) {
    fileNames.insert(file);
  }
  llvm::StringRef directory = llvm::sys::path::parent_path(path);
  for (const std::string &file : fileNames) {
    std::string filePath = join(directory, file);
    if (llvm::sys::fs::exists(filePath)) {
      if (llvm::Error error = addFile(filePath)) {
        return error;
      }
    }
  }
  for (const auto &[tensor, file] : weightMap) {
    std::string filePath = join(directory, file);
    auto [entry, isNew] = entries.try_emplace(tensor);
    if (isNew) {
      entry->second.file = filePath;
    } else if (entry->second.file != filePath) {
      return fail(path, "tensor " + quoted(tensor) + ": expected it in '" +
                            filePath + "', but got it in '" +
                            entry->second.file + "'");
    }
  }
  return llvm::Error::success();
}

llvm::Error Safetensors::addDirectory(llvm::StringRef path) {
  std::string index = join(path, "model.safetensors.index.json");
  if (llvm::sys::fs::exists(index)) {
    return addIndex(index);
  }
  std::string single = join(path, "model.safetensors");
  if (llvm::sys::fs::exists(single)) {
    return addFile(single);
  }
  std::set<std::string> found;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator entry(path, code), last;
       !code && entry != last; entry.increment(code)) {
    if (llvm::StringRef(entry->path()).ends_with(".safetensors")) {
      found.insert(entry->path());
    }
  }
  if (code) {
    return fail(path, code.message());
  }
  if (found.empty()) {
    return fail(path, "expected *.safetensors files, but got none");
  }
  for (const std::string &file : found) {
    if (llvm::Error error = addFile(file)) {
      return error;
    }
  }
  return llvm::Error::success();
}

bool Safetensors::contains(llvm::StringRef name) const {
  return entries.find(name) != entries.end();
}

llvm::Expected<TensorView> Safetensors::lookup(llvm::StringRef name) const {
  auto found = entries.find(name);
  if (found == entries.end()) {
    return fail(rootPath,
                "expected a tensor " + quoted(name) + ", but there is none");
  }
  const Entry &entry = found->second;
  if (!entry.loaded) {
    return fail(entry.file, "expected a tensor " + quoted(name) + ", but the " +
                                (llvm::sys::fs::exists(entry.file)
                                     ? "file does not hold it"
                                     : "file does not exist"));
  }
  return entry.view;
}

std::vector<std::string> Safetensors::names() const {
  std::vector<std::string> result;
  for (const auto &[name, entry] : entries) {
    result.push_back(name);
  }
  return result;
}
