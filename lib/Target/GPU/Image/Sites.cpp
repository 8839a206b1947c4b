// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Sites.h"

#include "emulator/KernelImage.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/IR/DebugLoc.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::moe;

namespace {
/// What a location says to people.
struct Place {
  StringRef name;
  FileLineColLoc file;
};
} // namespace

/// The outermost name and the first position in a file.
static void readPlace(Location location, Place &place) {
  if (auto named = dyn_cast<NameLoc>(location)) {
    if (place.name.empty()) {
      place.name = named.getName();
    }
    readPlace(named.getChildLoc(), place);
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations()) {
      if (!place.file) {
        readPlace(part, place);
      }
    }
  } else if (auto call = dyn_cast<CallSiteLoc>(location)) {
    readPlace(call.getCallee(), place);
  } else if (auto file = dyn_cast<FileLineColLoc>(location)) {
    place.file = file;
  }
}

static std::string describe(Operation &op, StringRef function) {
  Place place;
  readPlace(op.getLoc(), place);
  std::string text = (place.name.empty() ? function : place.name).str();
  if (place.file) {
    // The folder depends on the machine, and the image's bytes must not.
    text += llvm::formatv(" at {0}:{1}:{2}",
                          llvm::sys::path::filename(place.file.getFilename()),
                          place.file.getLine(), place.file.getColumn())
                .str();
  }
  return text + " (" + op.getName().stripDialect().str() + ")";
}

/// Whether an image may have to tell where `op` is: it touches memory or other
/// threads.
static bool isSite(Operation &op) {
  return isa<NVVM::NVVMDialect>(op.getDialect()) || !isMemoryEffectFree(&op);
}

/// Line numbers are translated only inside of a described function.
static void describeFunction(LLVM::LLVMFuncOp function) {
  MLIRContext *context = function.getContext();
  auto file = LLVM::DIFileAttr::get(context, "kernels", "");
  auto unit = LLVM::DICompileUnitAttr::get(
      DistinctAttr::create(UnitAttr::get(context)), llvm::dwarf::DW_LANG_C,
      file, StringAttr(), /*isOptimized=*/true,
      LLVM::DIEmissionKind::LineTablesOnly, LLVM::DINameTableKind::None);
  auto type = LLVM::DISubroutineTypeAttr::get(context, {});
  auto subprogram = LLVM::DISubprogramAttr::get(
      context, DistinctAttr::create(UnitAttr::get(context)), unit, file,
      function.getNameAttr(), function.getNameAttr(), file, /*line=*/1,
      /*scopeLine=*/1, LLVM::DISubprogramFlags::Definition, type,
      /*retainedNodes=*/{}, /*annotations=*/{});
  function->setLoc(FusedLoc::get(
      context, {FileLineColLoc::get(context, "kernels", 1, 1)}, subprogram));
}

std::vector<std::string> mlir::moe::numberSites(ModuleOp module) {
  std::vector<std::string> sites;
  module.walk([&](LLVM::LLVMFuncOp function) {
    function.walk([&](Operation *op) {
      if (op == function) {
        return;
      }
      unsigned line = 0;
      if (isSite(*op)) {
        sites.push_back(describe(*op, function.getName()));
        line = sites.size();
      }
      op->setLoc(
          FileLineColLoc::get(op->getContext(), "kernels", line, /*column=*/1));
    });
    if (!function.isExternal()) {
      describeFunction(function);
    }
  });
  return sites;
}

uint32_t mlir::moe::siteOf(const llvm::Instruction &instruction) {
  unsigned line =
      instruction.getDebugLoc() ? instruction.getDebugLoc().getLine() : 0;
  return line ? line - 1 : MOERT_KERNEL_NO_SITE;
}
