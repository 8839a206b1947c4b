// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Bundle/Bundle.h"

#include "moe/Formats/FileError.h"
#include "moe/Formats/OutputFile.h"
#include "moe/Target/CPU/ObjectCode.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/Magic.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"

using namespace moe::bundle;
using moe::runner::ProgramKind;

static constexpr llvm::StringLiteral manifestName = "manifest.json";
static constexpr llvm::StringLiteral planName = "plan.json";
static constexpr llvm::StringLiteral sumsName = "SHA256SUMS";

/// The members of an archive, by name.
using Members = std::map<std::string, std::string>;

static std::string objectName(ProgramKind kind) {
  return (nameOf(kind) + ".o").str();
}

bool moe::bundle::isBundle(llvm::StringRef path) {
  llvm::file_magic magic;
  if (llvm::identify_magic(path, magic)) {
    return path.ends_with(".moe");
  }
  return magic == llvm::file_magic::archive || path.ends_with(".moe");
}

/// "hash  name", a line for each member.
static std::string sumUp(const Members &members) {
  std::string lines;
  for (const auto &[name, bytes] : members) {
    auto hash = llvm::SHA256::hash(llvm::arrayRefFromStringRef(bytes));
    lines += llvm::toHex(hash, /*LowerCase=*/true) + "  " + name + "\n";
  }
  return lines;
}

llvm::Error moe::bundle::writeBundle(llvm::StringRef path,
                                     const Bundle &bundle) {
  Members members = {{manifestName.str(), bundle.manifest.toJson()},
                     {planName.str(), bundle.plan}};
  for (const auto &[name, object] : bundle.objects) {
    members[name + ".o"] = object;
  }
  std::string sums = sumUp(members);
  std::vector<llvm::NewArchiveMember> written;
  for (const auto &[name, bytes] : members) {
    written.emplace_back(llvm::MemoryBufferRef(bytes, name));
  }
  written.emplace_back(llvm::MemoryBufferRef(sums, sumsName));
  // LLVM's writer of files would put one in the place of a device.
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> archive =
      llvm::writeArchiveToBuffer(written, llvm::SymtabWritingMode::NoSymtab,
                                 llvm::object::Archive::K_GNU,
                                 /*Deterministic=*/true, /*Thin=*/false);
  if (!archive) {
    return llvm::createStringError(path + ": " +
                                   llvm::toString(archive.takeError()));
  }
  return formats::writeFile(
      path, [&](llvm::raw_ostream &os) { os << (*archive)->getBuffer(); });
}

/// Adds a member, whole as it must be.
static llvm::Error addMember(const llvm::object::Archive::Child &child,
                             llvm::MemoryBufferRef file, Members &members) {
  llvm::Expected<llvm::StringRef> name = child.getName();
  if (!name) {
    return name.takeError();
  }
  llvm::Expected<llvm::StringRef> bytes = child.getBuffer();
  if (!bytes) {
    return bytes.takeError();
  }
  // LLVM looks at a member's size when it goes on to the next one only.
  if (bytes->size() > size_t(file.getBufferEnd() - bytes->data())) {
    return llvm::createStringError(*name + " ends behind the file");
  }
  if (!members.emplace(name->str(), bytes->str()).second) {
    return llvm::createStringError("it has " + *name + " twice");
  }
  return llvm::Error::success();
}

static llvm::Expected<Members> readMembers(llvm::MemoryBufferRef file) {
  llvm::Expected<std::unique_ptr<llvm::object::Archive>> archive =
      llvm::object::Archive::create(file);
  if (!archive) {
    return archive.takeError();
  }
  if ((*archive)->isThin()) {
    return llvm::createStringError("members are in other files");
  }
  Members members;
  llvm::Error walk = llvm::Error::success();
  for (const llvm::object::Archive::Child &child : (*archive)->children(walk)) {
    if (llvm::Error error = addMember(child, file, members)) {
      llvm::consumeError(std::move(walk));
      return std::move(error);
    }
  }
  if (walk) {
    return std::move(walk);
  }
  return members;
}

/// Fails unless the members are those that were summed up, byte for byte.
static llvm::Error verifySums(Members &members) {
  auto sums = members.find(sumsName.str());
  if (sums == members.end()) {
    return llvm::createStringError("it has no " + sumsName);
  }
  std::string stated = std::move(sums->second);
  members.erase(sums);
  if (sumUp(members) != stated) {
    return llvm::createStringError("its contents are not those that " +
                                   sumsName + " states");
  }
  return llvm::Error::success();
}

/// An object of the manifest's program, stamped with what the manifest says of
/// it: nothing else can be called by it.
static llvm::Error verifyObject(const Manifest &manifest,
                                const std::string &name,
                                const std::string &object) {
  llvm::Expected<std::string> stamp =
      mlir::moe::readStamp(llvm::MemoryBufferRef(object, name));
  if (!stamp) {
    return llvm::createStringError(name +
                                   ".o: " + llvm::toString(stamp.takeError()));
  }
  return *stamp == manifest.fingerprint()
             ? llvm::Error::success()
             : llvm::createStringError(
                   name + ".o: expected code that was compiled with " +
                   manifestName + ", but got other code");
}

static llvm::Expected<Bundle> makeBundle(Members members) {
  llvm::Expected<Manifest> manifest =
      Manifest::fromJson(members[manifestName.str()]);
  if (!manifest) {
    return llvm::createStringError(manifestName + ": " +
                                   llvm::toString(manifest.takeError()));
  }
  Bundle bundle{std::move(*manifest), {}, std::move(members[planName.str()])};
  for (ProgramKind kind : {ProgramKind::Partitioned, ProgramKind::Reference}) {
    auto object = members.find(objectName(kind));
    std::string name = nameOf(kind).str();
    if (object == members.end() || !bundle.manifest.programs.count(name)) {
      return llvm::createStringError("expected the program '" + name +
                                     "', but got none");
    }
    if (llvm::Error error =
            verifyObject(bundle.manifest, name, object->second)) {
      return std::move(error);
    }
    bundle.objects[name] = std::move(object->second);
  }
  return bundle;
}

/// One line of UTF-8, whatever a damaged file has put into an error.
static std::string toLine(llvm::Error error) {
  std::string text = llvm::json::fixUTF8(llvm::toString(std::move(error)));
  for (char &c : text) {
    c = llvm::isPrint(c) || static_cast<unsigned char>(c) > 0x7f ? c : ' ';
  }
  return text;
}

llvm::Expected<Bundle> moe::bundle::readBundle(llvm::StringRef path) {
  auto fail = [&](const llvm::Twine &what) {
    return formats::fileError({path.str()}, what);
  };
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file) {
    return fail(file.getError().message());
  }
  llvm::Expected<Members> members = readMembers(**file);
  llvm::Error error = members ? verifySums(*members) : members.takeError();
  if (error) {
    return fail("expected a whole bundle, but got one that is cut off or "
                "damaged: " +
                toLine(std::move(error)));
  }
  llvm::Expected<Bundle> bundle = makeBundle(std::move(*members));
  if (!bundle) {
    return fail(toLine(bundle.takeError()));
  }
  return bundle;
}
