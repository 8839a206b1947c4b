// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/ObjectCode.h"

#include "DefineSymbols.h"
#include "MemRefCopy.h"

#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"

#include <mutex>

using namespace mlir::moe;

llvm::Error mlir::moe::defineSymbols(llvm::orc::LLJIT &jit,
                                     const SymbolMap &symbols) {
  llvm::orc::SymbolMap addresses;
  auto define = [&](llvm::StringRef name, void *address) {
    addresses[jit.mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(address),
        llvm::JITSymbolFlags::Exported};
  };
  define("memrefCopy", reinterpret_cast<void *>(&moeMemRefCopy));
  for (const auto &entry : symbols) {
    define(entry.first(), entry.second);
  }
  llvm::orc::JITDylib &library = jit.getMainJITDylib();
  if (llvm::Error error =
          library.define(llvm::orc::absoluteSymbols(std::move(addresses)))) {
    return error;
  }
  // malloc, memcpy and what else code generation itself calls.
  llvm::Expected<std::unique_ptr<llvm::orc::DynamicLibrarySearchGenerator>>
      process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
          jit.getDataLayout().getGlobalPrefix());
  if (!process) {
    return process.takeError();
  }
  library.addGenerator(std::move(*process));
  return llvm::Error::success();
}

/// The bytes from a symbol to the end of its section.
static llvm::Expected<llvm::StringRef>
readFrom(const llvm::object::SymbolRef &symbol,
         const llvm::object::ObjectFile &file) {
  llvm::Expected<llvm::object::section_iterator> section = symbol.getSection();
  if (!section) {
    return section.takeError();
  }
  llvm::Expected<uint64_t> address = symbol.getAddress();
  if (!address) {
    return address.takeError();
  }
  if (*section == file.section_end()) {
    return llvm::StringRef();
  }
  llvm::Expected<llvm::StringRef> contents = (*section)->getContents();
  if (!contents) {
    return contents.takeError();
  }
  return contents->drop_front(std::min<uint64_t>(
      *address - (*section)->getAddress(), contents->size()));
}

llvm::Expected<std::string> mlir::moe::readStamp(llvm::MemoryBufferRef object) {
  llvm::Expected<std::unique_ptr<llvm::object::ObjectFile>> file =
      llvm::object::ObjectFile::createObjectFile(object);
  if (!file) {
    return file.takeError();
  }
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (!name) {
      return name.takeError();
    }
    if (*name != stampSymbol) {
      continue;
    }
    llvm::Expected<llvm::StringRef> bytes = readFrom(symbol, **file);
    if (!bytes) {
      return bytes.takeError();
    }
    return bytes->split('\0').first.str();
  }
  return llvm::createStringError("expected an object with a stamp");
}

ObjectCode::ObjectCode(std::unique_ptr<llvm::orc::LLJIT> linker)
    : linker(std::move(linker)) {}

ObjectCode::~ObjectCode() = default;

llvm::Expected<std::unique_ptr<ObjectCode>>
ObjectCode::load(llvm::MemoryBufferRef object, const SymbolMap &symbols) {
  // The linker asks the target's description for the layout of data.
  static std::once_flag initialized;
  std::call_once(initialized, [] { llvm::InitializeNativeTarget(); });
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> linker =
      llvm::orc::LLJITBuilder().create();
  if (!linker) {
    return linker.takeError();
  }
  if (llvm::Error error = defineSymbols(**linker, symbols)) {
    return std::move(error);
  }
  if (llvm::Error error =
          (*linker)->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(
              object.getBuffer(), object.getBufferIdentifier()))) {
    return std::move(error);
  }
  return std::unique_ptr<ObjectCode>(new ObjectCode(std::move(*linker)));
}

llvm::Expected<void *> ObjectCode::lookup(llvm::StringRef name) const {
  llvm::Expected<llvm::orc::ExecutorAddr> address = linker->lookup(name);
  if (!address) {
    return address.takeError();
  }
  return address->toPtr<void *>();
}
