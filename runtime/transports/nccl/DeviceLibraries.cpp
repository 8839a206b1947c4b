// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceLibraries.cpp ------------------------------------------------===//

#include "transports/nccl/DeviceLibraries.h"

#include <dlfcn.h>

namespace moert {

namespace {

/// A library that is opened, and the first symbol that it lacks.
class OpenLibrary {
public:
  OpenLibrary(const char *what, const char *file) : what(what), file(file) {
    handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      const char *reason = dlerror();
      error = std::string("no ") + what + ": " + (reason ? reason : file);
    }
  }

  template <typename Function>
  void find(Function *&member, const char *symbol, bool required = true) {
    void *address = handle ? dlsym(handle, symbol) : nullptr;
    member = reinterpret_cast<Function *>(address);
    if (!address && required && error.empty()) {
      error = std::string(what) + " too old: " + file + " has no " + symbol;
    }
  }

  std::string error;

private:
  const char *what;
  const char *file;
  void *handle;
};

} // namespace

std::string loadDriver(const char *file, cuda::Driver &driver) {
  OpenLibrary library("CUDA driver", file);
#define MOERT_FIND(member, symbol, parameters)                                 \
  library.find(driver.member, #symbol);
  MOERT_CUDA_DRIVER_SYMBOLS(MOERT_FIND)
#undef MOERT_FIND
  return library.error;
}

std::string loadNccl(const char *file, nccl::Library &nccl) {
  OpenLibrary library("NCCL", file);
#define MOERT_FIND(member, symbol, result, parameters)                         \
  library.find(nccl.member, #symbol);
  MOERT_NCCL_SYMBOLS(MOERT_FIND)
#undef MOERT_FIND
#define MOERT_FIND(member, symbol, result, parameters)                         \
  library.find(nccl.member, #symbol, false);
  MOERT_NCCL_OPTIONAL_SYMBOLS(MOERT_FIND)
#undef MOERT_FIND
  return library.error;
}

std::string explain(const cuda::Driver &driver, cuda::Result result) {
  const char *name = nullptr;
  const char *text = nullptr;
  driver.getErrorName(result, &name);
  driver.getErrorString(result, &text);
  return name ? std::string(name) + " (" + (text ? text : "") + ")"
              : "CUDA error " + std::to_string(result);
}

namespace {

/// What findDeviceLibraries has found. Loaded libraries are a fact of the
/// process, like the dynamic linker's own list of them.
struct FoundLibraries {
  cuda::Driver driver;
  nccl::Library nccl;
  std::string error;

  FoundLibraries() : error(loadDriver("libcuda.so.1", driver)) {
    if (error.empty()) {
      cuda::Result result = driver.init(0);
      if (result != cuda::Success) {
        error = "no CUDA device: cuInit: " + explain(driver, result);
      }
    }
    if (error.empty()) {
      error = loadNccl("libnccl.so.2", nccl);
    }
  }
};

} // namespace

std::string findDeviceLibraries(DeviceLibraries &libraries) {
  static const FoundLibraries found;
  libraries = {&found.driver, &found.nccl};
  return found.error;
}

} // namespace moert
