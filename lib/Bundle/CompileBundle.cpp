// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Bundle/CompileBundle.h"

#include "moe/Bundle/DescribePlan.h"
#include "moe/Runner/ModuleSource.h"

using namespace moe::bundle;
using namespace moe::runner;

llvm::Expected<Bundle> moe::bundle::compileBundle(const SessionOptions &options,
                                                  llvm::StringRef project) {
  llvm::Expected<std::unique_ptr<ModuleSource>> source =
      ModuleSource::create(options);
  if (!source) {
    return source.takeError();
  }
  Bundle bundle;
  Manifest &manifest = bundle.manifest;
  manifest.project = project.str();
  manifest.target = (*source)->target();
  manifest.overlaps = options.overlaps;
  manifest.setPlan((*source)->planned());
  manifest.topology = (*source)->printTopology();
  for (ProgramKind kind : {ProgramKind::Partitioned, ProgramKind::Reference}) {
    llvm::Expected<ObjectProgram> program = (*source)->emit(kind);
    if (!program) {
      return program.takeError();
    }
    std::string name = nameOf(kind).str();
    manifest.programs[name] = {
        std::move(program->entry), std::move(program->layout.handles),
        std::move(program->layout.groups), std::move(program->functions)};
    bundle.objects[name] = std::move(program->object);
  }
  if (llvm::Error error = describePlan(bundle)) {
    return std::move(error);
  }
  return bundle;
}
