// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Bundle/CompileBundle.h"

#include "moe/Bundle/DescribePlan.h"
#include "moe/Runner/ModuleSource.h"

using namespace moe::bundle;
using namespace moe::runner;

static constexpr ProgramKind kinds[] = {ProgramKind::Partitioned,
                                        ProgramKind::Reference};

llvm::Expected<Bundle>
moe::bundle::compileBundle(const SessionOptions &options) {
  llvm::Expected<std::unique_ptr<ModuleSource>> source =
      ModuleSource::create(options);
  if (!source) {
    return source.takeError();
  }
  Bundle bundle;
  Manifest &manifest = bundle.manifest;
  manifest.target = (*source)->target();
  manifest.overlaps = options.overlaps;
  manifest.setPlan((*source)->planned());
  manifest.topology = (*source)->printTopology();
  // Objects are stamped with what all of them have fixed.
  std::vector<LoweredObject> lowered;
  for (ProgramKind kind : kinds) {
    llvm::Expected<LoweredObject> program = (*source)->lower(kind);
    if (!program) {
      return program.takeError();
    }
    manifest.programs[nameOf(kind).str()] = {
        program->entry(), program->layout().handles, program->layout().groups,
        program->functions()};
    lowered.push_back(std::move(*program));
  }
  std::string fingerprint = manifest.fingerprint();
  for (auto [kind, program] : llvm::zip_equal(kinds, lowered)) {
    llvm::Expected<std::string> object = program.emit(fingerprint);
    if (!object) {
      return object.takeError();
    }
    bundle.objects[nameOf(kind).str()] = std::move(*object);
  }
  if (llvm::Error error = describePlan(bundle)) {
    return std::move(error);
  }
  return bundle;
}
