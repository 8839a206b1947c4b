// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/CUDAToolkit.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

#include <optional>

using namespace mlir::moe;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;
using llvm::StringRef;

static std::string inFolder(StringRef folder, const llvm::Twine &rest) {
  llvm::SmallString<128> result(folder);
  path::append(result, rest);
  return result.str().str();
}

/// The folder over the one that the program `name` on the PATH is in, behind
/// links; empty without such a program.
static std::string prefixOfProgram(StringRef name) {
  llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName(name);
  llvm::SmallString<128> real;
  if (!found || fs::real_path(*found, real)) {
    return "";
  }
  return path::parent_path(path::parent_path(real)).str();
}

static void addFolder(std::vector<std::string> &folders, std::string folder) {
  if (!folder.empty() && fs::is_directory(folder) &&
      !llvm::is_contained(folders, folder)) {
    folders.push_back(std::move(folder));
  }
}

/// The folders in `folder`, sorted: systems list them in any order.
static std::vector<std::string> listFolders(StringRef folder) {
  std::vector<std::string> folders;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end;
       !failure && entry != end; entry.increment(failure)) {
    addFolder(folders, entry->path());
  }
  llvm::sort(folders);
  return folders;
}

std::vector<std::string> mlir::moe::findToolkits() {
  std::vector<std::string> roots;
  if (std::optional<std::string> home =
          llvm::sys::Process::GetEnv("CUDA_HOME")) {
    addFolder(roots, *home);
  }
  addFolder(roots, prefixOfProgram("nvcc"));
  return roots;
}

std::vector<std::string> mlir::moe::findSitePackages() {
  std::vector<std::string> prefixes;
  if (std::optional<std::string> environment =
          llvm::sys::Process::GetEnv("VIRTUAL_ENV")) {
    addFolder(prefixes, *environment);
  }
  addFolder(prefixes, prefixOfProgram("python3"));
  std::vector<std::string> found;
  for (const std::string &prefix : prefixes) {
    for (const std::string &folder : listFolders(inFolder(prefix, "lib"))) {
      if (path::filename(folder).starts_with("python3")) {
        addFolder(found, inFolder(folder, "site-packages"));
      }
    }
  }
  return found;
}

/// Folders `name` in the packages of NVIDIA's wheels.
static std::vector<std::string> findInWheels(StringRef name) {
  std::vector<std::string> found;
  for (const std::string &site : findSitePackages()) {
    for (const std::string &package : listFolders(inFolder(site, "nvidia"))) {
      addFolder(found, inFolder(package, name));
    }
  }
  return found;
}

std::vector<std::string>
mlir::moe::findToolkitLibraries(llvm::ArrayRef<StringRef> names) {
  std::vector<std::string> folders;
  for (const std::string &root : findToolkits()) {
    addFolder(folders, inFolder(root, "lib64"));
  }
  llvm::append_range(folders, findInWheels("lib"));
  std::vector<std::string> found;
  for (const std::string &folder : folders) {
    for (StringRef name : names) {
      std::string file = inFolder(folder, name);
      if (fs::exists(file)) {
        found.push_back(std::move(file));
      }
    }
  }
  return found;
}

std::string mlir::moe::findToolkitProgram(StringRef name) {
  std::vector<std::string> folders;
  for (const std::string &root : findToolkits()) {
    addFolder(folders, inFolder(root, "bin"));
  }
  std::vector<std::string> wheels = findInWheels("bin");
  llvm::SmallVector<StringRef> first(folders.begin(), folders.end());
  llvm::SmallVector<StringRef> last(wheels.begin(), wheels.end());
  if (!first.empty()) {
    if (llvm::ErrorOr<std::string> found =
            llvm::sys::findProgramByName(name, first)) {
      return *found;
    }
  }
  if (llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName(name)) {
    return *found;
  }
  if (!last.empty()) {
    if (llvm::ErrorOr<std::string> found =
            llvm::sys::findProgramByName(name, last)) {
      return *found;
    }
  }
  return "";
}
