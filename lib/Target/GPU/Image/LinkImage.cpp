// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinkImage.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

#include <array>

using namespace mlir::moe;
using llvm::StringRef;
namespace elf = llvm::ELF;
namespace object = llvm::object;

using ObjectFile = object::ELF64LEObjectFile;

static constexpr uint64_t pageBytes = 4096;

namespace {

/// Sections of one protection, which lie together and begin a page.
enum class Part { Constants, Code, Relocated };
constexpr std::array<Part, 3> parts = {Part::Constants, Part::Code,
                                       Part::Relocated};

/// The shared object: an offset in the file is an address in memory, so that
/// both are one number.
class ImageLinker {
public:
  ImageLinker(const ObjectFile &file, StringRef symbol)
      : file(file), symbol(symbol) {}

  llvm::Expected<std::string> link();

private:
  llvm::Error place();
  void countRelocations();
  llvm::Error relocate();
  llvm::Error relocate(const object::ELFSectionRef &target,
                       const object::RelocationRef &relocation);
  llvm::Expected<uint64_t> addressOf(const object::SymbolRef &used) const;
  llvm::Error writeHeaders();
  void writeDynamic(uint64_t exported, uint64_t exportedBytes);

  template <typename T> void put(uint64_t offset, const T &value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(&image[offset], &value, sizeof(T));
  }
  /// Addresses of the tables, in the order in which they lie in front of the
  /// constants.
  uint64_t symbolsBegin() const {
    return sizeof(elf::Elf64_Ehdr) + segmentCount * sizeof(elf::Elf64_Phdr);
  }
  uint64_t hashBegin() const {
    return symbolsBegin() + 2 * sizeof(elf::Elf64_Sym);
  }
  uint64_t relocationsBegin() const {
    return llvm::alignTo(hashBegin() + 5 * sizeof(uint32_t), 8);
  }
  uint64_t stringsBegin() const {
    return relocationsBegin() + addressCount * sizeof(elf::Elf64_Rela);
  }

  /// A segment for each part, PT_DYNAMIC, PT_GNU_STACK and PT_GNU_RELRO.
  static constexpr uint64_t segmentCount = parts.size() + 3;
  static constexpr uint64_t dynamicEntries = 11;

  const ObjectFile &file;
  StringRef symbol;
  std::string image;
  llvm::DenseMap<uint64_t, uint64_t> addresses; // of sections, by index
  uint64_t begins[parts.size()] = {};
  uint64_t ends[parts.size()] = {};
  uint64_t dynamicBegin = 0;
  /// Addresses in constants, which the loader adds its own to.
  uint64_t addressCount = 0;
  std::vector<elf::Elf64_Rela> relocations;
};

} // namespace

/// Where a section goes; nothing for those that are not loaded.
static std::optional<Part> partOf(const object::ELFSectionRef &section) {
  uint64_t flags = section.getFlags();
  // Bodies throw nothing: nobody unwinds.
  if (!(flags & elf::SHF_ALLOC) || section.getSize() == 0 ||
      llvm::cantFail(section.getName()) == ".eh_frame") {
    return std::nullopt;
  }
  if (flags & elf::SHF_EXECINSTR) {
    return Part::Code;
  }
  return flags & elf::SHF_WRITE ? Part::Relocated : Part::Constants;
}

/// How many addresses in constants there are, which decides how long the tables
/// are in front of everything.
void ImageLinker::countRelocations() {
  for (const object::ELFSectionRef section : file.sections()) {
    for (const object::RelocationRef &relocation : section.relocations()) {
      addressCount += relocation.getType() == elf::R_X86_64_64;
    }
  }
}

llvm::Error ImageLinker::place() {
  uint64_t end = stringsBegin() + 1 + symbol.size() + 1;
  for (Part part : parts) {
    auto index = static_cast<size_t>(part);
    if (part != Part::Constants) {
      end = llvm::alignTo(end, pageBytes);
      begins[index] = end;
    }
    for (const object::ELFSectionRef section : file.sections()) {
      if (partOf(section) != part) {
        continue;
      }
      if (section.isBSS() ||
          llvm::cantFail(section.getName()).starts_with(".data.rel.ro") !=
              (part == Part::Relocated)) {
        return llvm::createStringError("kernels keep variables");
      }
      end = llvm::alignTo(end, section.getAlignment());
      addresses[section.getIndex()] = end;
      end += section.getSize();
    }
    if (part == Part::Relocated) {
      end = llvm::alignTo(end, alignof(elf::Elf64_Dyn));
      dynamicBegin = end;
      end += dynamicEntries * sizeof(elf::Elf64_Dyn);
    }
    ends[index] = end;
  }
  image.resize(end);
  return llvm::Error::success();
}

llvm::Expected<uint64_t>
ImageLinker::addressOf(const object::SymbolRef &used) const {
  llvm::Expected<object::section_iterator> section = used.getSection();
  if (!section) {
    return section.takeError();
  }
  if (*section == file.section_end()) {
    llvm::Expected<StringRef> name = used.getName();
    return llvm::createStringError(
        "kernels call '" + (name ? *name : StringRef()) +
        "', which the emulated device does not have");
  }
  llvm::Expected<uint64_t> offset = used.getValue();
  if (!offset) {
    return offset.takeError();
  }
  return addresses.lookup((*section)->getIndex()) + *offset;
}

llvm::Error ImageLinker::relocate(const object::ELFSectionRef &target,
                                  const object::RelocationRef &relocation) {
  llvm::Expected<uint64_t> used = addressOf(*relocation.getSymbol());
  if (!used) {
    return used.takeError();
  }
  llvm::Expected<int64_t> addend =
      object::ELFRelocationRef(relocation).getAddend();
  if (!addend) {
    return addend.takeError();
  }
  uint64_t place = addresses.lookup(target.getIndex()) + relocation.getOffset();
  uint64_t value = *used + *addend;
  switch (relocation.getType()) {
  case elf::R_X86_64_64: {
    elf::Elf64_Rela entry = {};
    entry.r_offset = place;
    entry.setSymbolAndType(0, elf::R_X86_64_RELATIVE);
    entry.r_addend = static_cast<int64_t>(value);
    relocations.push_back(entry);
    return llvm::Error::success();
  }
  case elf::R_X86_64_PC32:
  case elf::R_X86_64_PLT32:
    put(place, static_cast<uint32_t>(value - place));
    return llvm::Error::success();
  default:
    llvm::SmallString<32> name;
    relocation.getTypeName(name);
    return llvm::createStringError("unexpected relocation " + name);
  }
}

llvm::Error ImageLinker::relocate() {
  for (const object::ELFSectionRef section : file.sections()) {
    auto found = addresses.find(section.getIndex());
    if (found != addresses.end()) {
      llvm::Expected<StringRef> contents = section.getContents();
      if (!contents) {
        return contents.takeError();
      }
      std::memcpy(&image[found->second], contents->data(), contents->size());
    }
  }
  // ELF keeps relocations in sections of their own.
  for (const object::ELFSectionRef section : file.sections()) {
    llvm::Expected<object::section_iterator> target =
        section.getRelocatedSection();
    if (!target) {
      return target.takeError();
    }
    if (*target == file.section_end() ||
        !addresses.contains((*target)->getIndex())) {
      continue;
    }
    for (const object::RelocationRef &relocation : section.relocations()) {
      if (llvm::Error error =
              relocate(object::ELFSectionRef(**target), relocation)) {
        return error;
      }
    }
  }
  return llvm::Error::success();
}

void ImageLinker::writeDynamic(uint64_t exported, uint64_t exportedBytes) {
  elf::Elf64_Sym entry = {};
  entry.st_name = 1;
  entry.setBindingAndType(elf::STB_GLOBAL, elf::STT_OBJECT);
  // Not undefined is all that a loader asks of the section.
  entry.st_shndx = elf::SHN_ABS - 1;
  entry.st_value = exported;
  entry.st_size = exportedBytes;
  put(symbolsBegin() + sizeof(entry), entry);
  // One bucket with the one symbol, whatever its hash.
  put(hashBegin(), std::array<uint32_t, 5>{1, 2, 1, 0, 0});
  for (const auto &[index, relocation] : llvm::enumerate(relocations)) {
    put(relocationsBegin() + index * sizeof(relocation), relocation);
  }
  std::memcpy(&image[stringsBegin() + 1], symbol.data(), symbol.size());
  const std::pair<int64_t, uint64_t> entries[dynamicEntries] = {
      {elf::DT_HASH, hashBegin()},
      {elf::DT_SYMTAB, symbolsBegin()},
      {elf::DT_SYMENT, sizeof(elf::Elf64_Sym)},
      {elf::DT_STRTAB, stringsBegin()},
      {elf::DT_STRSZ, 1 + symbol.size() + 1},
      {elf::DT_RELA, relocationsBegin()},
      {elf::DT_RELASZ, relocations.size() * sizeof(elf::Elf64_Rela)},
      {elf::DT_RELAENT, sizeof(elf::Elf64_Rela)},
      {elf::DT_RELACOUNT, relocations.size()},
      {elf::DT_FLAGS, elf::DF_BIND_NOW},
      {elf::DT_NULL, 0}};
  for (const auto &[index, tag] : llvm::enumerate(entries)) {
    elf::Elf64_Dyn dynamic = {};
    dynamic.d_tag = tag.first;
    dynamic.d_un.d_val = tag.second;
    put(dynamicBegin + index * sizeof(dynamic), dynamic);
  }
}

static elf::Elf64_Phdr makeSegment(uint32_t type, uint32_t flags,
                                   uint64_t begin, uint64_t end,
                                   uint64_t alignment) {
  elf::Elf64_Phdr segment = {};
  segment.p_type = type;
  segment.p_flags = flags;
  segment.p_offset = segment.p_vaddr = segment.p_paddr = begin;
  segment.p_filesz = segment.p_memsz = end - begin;
  segment.p_align = alignment;
  return segment;
}

llvm::Error ImageLinker::writeHeaders() {
  elf::Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, elf::ElfMagic, 4);
  header.e_ident[elf::EI_CLASS] = elf::ELFCLASS64;
  header.e_ident[elf::EI_DATA] = elf::ELFDATA2LSB;
  header.e_ident[elf::EI_VERSION] = elf::EV_CURRENT;
  header.e_type = elf::ET_DYN;
  header.e_machine = elf::EM_X86_64;
  header.e_version = elf::EV_CURRENT;
  header.e_phoff = sizeof(header);
  header.e_ehsize = sizeof(header);
  header.e_phentsize = sizeof(elf::Elf64_Phdr);
  header.e_phnum = segmentCount;
  header.e_shentsize = sizeof(elf::Elf64_Shdr);
  put(0, header);
  auto segmentOf = [&](Part part, uint32_t flags) {
    auto index = static_cast<size_t>(part);
    return makeSegment(elf::PT_LOAD, flags, begins[index], ends[index],
                       pageBytes);
  };
  uint64_t relocated = begins[static_cast<size_t>(Part::Relocated)];
  const elf::Elf64_Phdr segments[segmentCount] = {
      segmentOf(Part::Constants, elf::PF_R),
      segmentOf(Part::Code, elf::PF_R | elf::PF_X),
      segmentOf(Part::Relocated, elf::PF_R | elf::PF_W),
      makeSegment(elf::PT_DYNAMIC, elf::PF_R | elf::PF_W, dynamicBegin,
                  image.size(), alignof(elf::Elf64_Dyn)),
      makeSegment(elf::PT_GNU_STACK, elf::PF_R | elf::PF_W, 0, 0, 0),
      makeSegment(elf::PT_GNU_RELRO, elf::PF_R, relocated, image.size(), 1)};
  put(sizeof(header), segments);
  for (const object::ELFSymbolRef defined : file.symbols()) {
    llvm::Expected<StringRef> name = defined.getName();
    if (!name) {
      return name.takeError();
    }
    if (*name == symbol) {
      llvm::Expected<uint64_t> address = addressOf(defined);
      if (!address) {
        return address.takeError();
      }
      writeDynamic(*address, defined.getSize());
      return llvm::Error::success();
    }
  }
  return llvm::createStringError("no symbol '" + symbol + "'");
}

llvm::Expected<std::string> ImageLinker::link() {
  countRelocations();
  if (llvm::Error error = place()) {
    return std::move(error);
  }
  if (llvm::Error error = relocate()) {
    return std::move(error);
  }
  if (llvm::Error error = writeHeaders()) {
    return std::move(error);
  }
  return std::move(image);
}

llvm::Expected<std::string>
mlir::moe::linkImage(llvm::MemoryBufferRef objectFile, StringRef symbol) {
  llvm::Expected<ObjectFile> file = ObjectFile::create(objectFile);
  if (!file) {
    return file.takeError();
  }
  return ImageLinker(*file, symbol).link();
}
