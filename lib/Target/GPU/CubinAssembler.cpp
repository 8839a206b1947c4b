// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/CubinAssembler.h"
#include "moe/Target/GPU/CUDAToolkit.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"

#include <dlfcn.h>

using namespace mlir::moe;
using llvm::StringRef;

namespace mlir::moe {

/// The entry points, as CUDA 12.0 to 13.x have them. A handle is opaque, a
/// result 0 for success.
struct NvJitLinkLibrary {
  using Handle = struct nvJitLink *;
  int (*version)(unsigned *major, unsigned *minor) = nullptr;
  int (*create)(Handle *, uint32_t count, const char **options) = nullptr;
  int (*destroy)(Handle *) = nullptr;
  int (*addData)(Handle, int type, const void *data, size_t size,
                 const char *name) = nullptr;
  int (*complete)(Handle) = nullptr;
  int (*cubinSize)(Handle, size_t *) = nullptr;
  int (*cubin)(Handle, void *) = nullptr;
  int (*errorLogSize)(Handle, size_t *) = nullptr;
  int (*errorLog)(Handle, char *) = nullptr;
  int (*infoLogSize)(Handle, size_t *) = nullptr;
  int (*infoLog)(Handle, char *) = nullptr;
};

} // namespace mlir::moe

/// nvJitLinkInputType: PTX text.
static constexpr int inputPTX = 2;

/// Whether all entry points were found. The library stays loaded: it would not
/// survive being closed by one user while another's handle is open.
static bool openLibrary(const std::string &file, NvJitLinkLibrary &library) {
  void *opened = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!opened) {
    return false;
  }
  bool complete = true;
  auto find = [&](auto &member, const char *name) {
    member =
        reinterpret_cast<std::decay_t<decltype(member)>>(dlsym(opened, name));
    complete = complete && member;
  };
  find(library.version, "nvJitLinkVersion");
  find(library.create, "nvJitLinkCreate");
  find(library.destroy, "nvJitLinkDestroy");
  find(library.addData, "nvJitLinkAddData");
  find(library.complete, "nvJitLinkComplete");
  find(library.cubinSize, "nvJitLinkGetLinkedCubinSize");
  find(library.cubin, "nvJitLinkGetLinkedCubin");
  find(library.errorLogSize, "nvJitLinkGetErrorLogSize");
  find(library.errorLog, "nvJitLinkGetErrorLog");
  find(library.infoLogSize, "nvJitLinkGetInfoLogSize");
  find(library.infoLog, "nvJitLinkGetInfoLog");
  return complete;
}

CubinAssembler::CubinAssembler(std::shared_ptr<const NvJitLinkLibrary> library)
    : library(std::move(library)) {}

llvm::Expected<CubinAssembler> CubinAssembler::load() {
  constexpr StringRef names[] = {"libnvJitLink.so.13", "libnvJitLink.so.12",
                                 "libnvJitLink.so"};
  std::vector<std::string> files = findToolkitLibraries(names);
  for (StringRef name : names) {
    files.push_back(name.str());
  }
  for (const std::string &file : files) {
    auto library = std::make_shared<NvJitLinkLibrary>();
    if (openLibrary(file, *library)) {
      return CubinAssembler(std::move(library));
    }
  }
  return llvm::createStringError(
      "no libnvJitLink in CUDA_HOME, beside nvcc on the PATH, in Python's "
      "site-packages (pip install nvidia-nvjitlink) or where the system looks "
      "for libraries");
}

std::string CubinAssembler::version() const {
  unsigned major = 0;
  unsigned minor = 0;
  library->version(&major, &minor);
  return "nvJitLink " + llvm::utostr(major) + "." + llvm::utostr(minor);
}

static std::string readText(NvJitLinkLibrary::Handle handle,
                            int (*size)(NvJitLinkLibrary::Handle, size_t *),
                            int (*read)(NvJitLinkLibrary::Handle, char *)) {
  size_t bytes = 0;
  if (size(handle, &bytes) || bytes == 0) {
    return "";
  }
  std::string text(bytes, '\0');
  if (read(handle, text.data())) {
    return "";
  }
  return StringRef(text).rtrim('\0').str();
}

/// What went wrong, on one line: the first thing that the assembler says.
static llvm::Error assemblyError(StringRef log, const GPUTarget &target) {
  StringRef line = log.split('\n').first.trim();
  return llvm::createStringError(
      "nvJitLink cannot assemble for " + target.chip + ": " +
      (line.empty() ? StringRef("it does not say why") : line));
}

llvm::Expected<Cubin> CubinAssembler::assemble(StringRef ptx,
                                               const GPUTarget &target) const {
  std::string arch = ("-arch=" + target.chip).str();
  const char *options[] = {arch.c_str(), "-verbose"};
  NvJitLinkLibrary::Handle handle = nullptr;
  if (library->create(&handle, std::size(options), options)) {
    return llvm::createStringError(version() + " does not know " + target.chip);
  }
  llvm::scope_exit close([&] { library->destroy(&handle); });
  size_t size = 0;
  if (library->addData(handle, inputPTX, ptx.data(), ptx.size(), "kernels") ||
      library->complete(handle) || library->cubinSize(handle, &size)) {
    return assemblyError(
        readText(handle, library->errorLogSize, library->errorLog), target);
  }
  Cubin cubin;
  cubin.bytes.resize(size);
  if (library->cubin(handle, cubin.bytes.data())) {
    return assemblyError("", target);
  }
  cubin.log = parseAssemblerLog(
      readText(handle, library->infoLogSize, library->infoLog));
  return cubin;
}
