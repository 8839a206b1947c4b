// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/LoadTopology.h"

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"

#include "mlir/IR/Builders.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
namespace topology = ::moe::topology;

OwningOpRef<ModuleOp>
mlir::moe::wrapTopology(MLIRContext *context, StringRef file,
                        const planning::Topology &topology) {
  context->loadDialect<comm::CommDialect>();
  OpBuilder builder(context);
  Location location = FileLineColLoc::get(context, file, 0, 0);
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, location);
  builder.setInsertionPointToStart(module->getBody());
  createTopology(builder, location, "cluster", topology);
  return module;
}

/// Parses a module, as text or bytecode, that must have a topology.
static OwningOpRef<ModuleOp>
parseTopology(MLIRContext *context,
              std::unique_ptr<llvm::MemoryBuffer> buffer) {
  if (failed(checkBracketDepth(context, buffer->getBuffer(),
                               buffer->getBufferIdentifier()))) {
    return nullptr;
  }
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, context);
  if (!module) {
    return nullptr;
  }
  FailureOr<comm::TopologyOp> found = findTopology(*module);
  if (failed(found)) {
    return nullptr;
  }
  if (!*found) {
    emitError(module->getLoc(), "expected a comm.topology in this file");
    return nullptr;
  }
  return module;
}

OwningOpRef<ModuleOp>
mlir::moe::loadTopology(MLIRContext *context, StringRef path,
                        const topology::TopologyOptions &options) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!file) {
    (void)emitFileError(
        context, topology::fileError({path.str()},
                                     "topology: " + file.getError().message()));
    return nullptr;
  }
  std::unique_ptr<llvm::MemoryBuffer> buffer = std::move(*file);
  llvm::Expected<topology::TopologyFormat> format =
      topology::detectFormat(buffer->getMemBufferRef());
  // What has none of the formats may be a module all the same: bytecode, or
  // text that begins otherwise than those that we print.
  bool isModule = !format || *format == topology::TopologyFormat::CommTopology;
  if (isModule && !options.isDefault()) {
    llvm::consumeError(format.takeError());
    (void)emitFileError(context, topology::expectNoOptions(path.str()));
    return nullptr;
  }
  bool isText = !buffer->getBuffer().contains('\0');
  if (!format && isText && !buffer->getBuffer().contains("comm.")) {
    (void)emitFileError(context, format.takeError());
    return nullptr;
  }
  if (isModule) {
    llvm::consumeError(format.takeError());
    return parseTopology(context, std::move(buffer));
  }
  llvm::Expected<planning::Topology> topology =
      topology::readTopology(buffer->getMemBufferRef(), options);
  if (!topology) {
    (void)emitFileError(context, topology.takeError());
    return nullptr;
  }
  return wrapTopology(context, path, *topology);
}
