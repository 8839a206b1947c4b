// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ImageDatum.h"

#include "../TranslateKernels.h"

#include "emulator/KernelImage.h"

using namespace mlir;
using namespace mlir::moe;

namespace {

/// Constants laid out as C does.
class DatumBuilder {
public:
  explicit DatumBuilder(llvm::Module &module)
      : module(module), context(module.getContext()),
        pointer(llvm::PointerType::get(context, 0)) {}

  llvm::Constant *number(uint32_t value) {
    return llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), value);
  }
  llvm::Constant *structure(ArrayRef<llvm::Constant *> members) {
    return llvm::ConstantStruct::getAnon(context, members);
  }
  llvm::GlobalVariable *global(llvm::Constant *value, const llvm::Twine &name) {
    auto *variable = new llvm::GlobalVariable(
        module, value->getType(), /*isConstant=*/true,
        llvm::GlobalValue::InternalLinkage, value, name);
    variable->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    return variable;
  }
  llvm::GlobalVariable *string(StringRef text) {
    llvm::GlobalVariable *&found = strings[text];
    if (!found) {
      found = global(llvm::ConstantDataArray::getString(context, text), "text");
    }
    return found;
  }
  /// The address of an array; null where it has no elements.
  llvm::Constant *array(ArrayRef<llvm::Constant *> elements,
                        const llvm::Twine &name) {
    if (elements.empty()) {
      return llvm::ConstantPointerNull::get(pointer);
    }
    auto *type =
        llvm::ArrayType::get(elements.front()->getType(), elements.size());
    return global(llvm::ConstantArray::get(type, elements), name);
  }

private:
  llvm::Module &module;
  llvm::LLVMContext &context;
  llvm::PointerType *pointer;
  llvm::StringMap<llvm::GlobalVariable *> strings;
};

} // namespace

void mlir::moe::addImageDatum(llvm::Module &module,
                              ArrayRef<KernelBody> kernels,
                              ArrayRef<std::string> sites,
                              StringRef sourceHash) {
  static_assert(MOERT_KERNEL_ABI == 1 && sizeof(moert_kernel_entry) == 32 &&
                    sizeof(moert_kernel_image) == 40,
                "the members below are those of this version");
  DatumBuilder builder(module);
  SmallVector<llvm::Constant *> entries;
  for (const KernelBody &kernel : kernels) {
    entries.push_back(builder.structure(
        {builder.string(kernel.name), kernel.function,
         builder.number(kernel.argumentCount), builder.number(kernel.threads),
         builder.number(kernel.staticSharedBytes)}));
  }
  SmallVector<llvm::Constant *> places;
  for (const std::string &site : sites) {
    places.push_back(builder.string(site));
  }
  llvm::Constant *hash = builder.string((sourceHashMark + sourceHash).str());
  llvm::Type *byte = llvm::Type::getInt8Ty(module.getContext());
  hash = llvm::ConstantExpr::getInBoundsGetElementPtr(
      byte, hash, builder.number(sourceHashMark.size()));
  llvm::GlobalVariable *image = builder.global(
      builder.structure(
          {builder.number(MOERT_KERNEL_ABI), builder.number(kernels.size()),
           builder.array(entries, "entries"), builder.number(sites.size()),
           builder.array(places, "sites"), hash}),
      MOERT_KERNEL_IMAGE_SYMBOL);
  image->setLinkage(llvm::GlobalValue::ExternalLinkage);
  image->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::None);
}
