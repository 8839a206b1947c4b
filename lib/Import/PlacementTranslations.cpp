// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Import/PlacementTranslations.h"

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/LoadTopology.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Formats/FileError.h"
#include "moe/PlacementFiles/EngineFormats.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::moe;
namespace placement = ::moe::placement;
using llvm::formatv;

namespace {
struct PlacementFlags {
  llvm::cl::OptionCategory category{
      "Placements of engines (--export-placement, --import-placement)"};
  llvm::cl::opt<std::string> format{
      "placement-format", llvm::cl::value_desc("NAME"), llvm::cl::cat(category),
      llvm::cl::desc("moe-place, eplb, vllm, vllm-ascend, sglang, tensorrt-llm "
                     "or megatron; the same as --export-placement=NAME. "
                     "Imports tell it by the file")};
  llvm::cl::opt<long long> gpus{
      "gpus", llvm::cl::value_desc("P"), llvm::cl::cat(category),
      llvm::cl::desc("GPUs, for files that do not say")};
  llvm::cl::opt<long long> modelLayers{
      "model-layers", llvm::cl::value_desc("N"), llvm::cl::cat(category),
      llvm::cl::desc("Layers of the model, for sglang's file, which has a row "
                     "for each")};
  llvm::cl::opt<bool> fillEmptySlots{
      "fill-empty-slots", llvm::cl::cat(category),
      llvm::cl::desc("Give slots that were left empty, which engines cannot "
                     "have, the replica that brings the least load")};
};
} // namespace

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

/// The number at the end of a symbol's name, such as @p3; none without one.
static std::optional<int64_t> trailingNumber(StringRef name) {
  size_t digits = name.find_last_not_of("0123456789") + 1;
  int64_t number = 0;
  if (name.substr(digits).getAsInteger(10, number)) {
    return std::nullopt;
  }
  return number;
}

/// Placements by layer: those that handles use, or, without handles, those
/// whose names end in numbers.
static llvm::Expected<std::map<int64_t, PlacementOp>>
findPlacements(ModuleOp module) {
  std::map<int64_t, PlacementOp> byLayer;
  SymbolTable symbols(module);
  module.walk([&](UsePlacementOp use) {
    if (FlatSymbolRefAttr name = use.getPlacementAttr()) {
      if (auto op = symbols.lookup<PlacementOp>(name.getValue())) {
        byLayer[use.getLayer()] = op;
      }
    }
  });
  if (!byLayer.empty()) {
    return byLayer;
  }
  int64_t next = 0;
  for (auto op : module.getOps<PlacementOp>()) {
    int64_t layer = trailingNumber(op.getSymName()).value_or(next);
    if (!byLayer.insert({layer, op}).second) {
      return llvm::createStringError(
          formatv("two placements are of layer {0}", layer).str());
    }
    next = layer + 1;
  }
  if (byLayer.empty()) {
    return llvm::createStringError("expected a module with a moe.placement");
  }
  return byLayer;
}

static llvm::Expected<placement::PlacementFile> readModule(ModuleOp module) {
  llvm::Expected<std::map<int64_t, PlacementOp>> found = findPlacements(module);
  if (!found) {
    return found.takeError();
  }
  placement::PlacementFile file;
  for (auto [layer, op] : *found) {
    placement::LayerEntry &entry = file.layers.emplace_back();
    entry.layer = layer;
    entry.data = toPlacementData(op);
    if (entry.data.rankCount() != file.gpus()) {
      return llvm::createStringError(
          formatv("layer {0}: expected a placement over {1} ranks as in layer "
                  "{2}, but got {3}",
                  layer, file.gpus(), file.layers.front().layer,
                  entry.data.rankCount())
              .str());
    }
    file.policy = op.getPolicy().value_or("").str();
  }
  return file;
}

/// ` replicas [17: [on 0 from 0, on 5 from 4 class 40]]`, where there are
/// tables.
static void writeTables(const ::moe::planning::PlacementData &data,
                        raw_ostream &os) {
  constexpr int64_t classes = ::moe::planning::tokenClasses;
  std::vector<int64_t> ranks = placement::slotToGpu(data);
  std::vector<int64_t> counts = placement::logcnt(data);
  StringRef before = " replicas [";
  for (const auto &[expert, table] : data.replicaTables) {
    if (counts[expert] < 2) {
      continue;
    }
    os << before << expert << ": [";
    before = ", ";
    llvm::interleaveComma(
        table.runs(), os, [&](const ::moe::planning::ReplicaTable::Run &run) {
          os << "on " << ranks[run.slot] << " from " << run.begin / classes;
          if (run.begin % classes != 0) {
            os << " class " << run.begin % classes;
          }
        });
    os << ']';
  }
  if (before == ", ") {
    os << ']';
  }
}

/// A module with a mesh of one axis and a symbol for each layer.
static std::string writeModule(const placement::PlacementFile &file) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "comm.mesh @mesh <[\"ep\"=" << file.gpus() << "]>\n";
  for (const placement::LayerEntry &entry : file.layers) {
    os << "moe.placement @p" << entry.layer << " experts "
       << entry.data.expertCount << " over {\"ep\"} of @mesh slots [";
    llvm::interleaveComma(entry.data.expertsByRank, os,
                          [&](const std::vector<int64_t> &experts) {
                            os << '[';
                            llvm::interleaveComma(experts, os);
                            os << ']';
                          });
    os << ']';
    writeTables(entry.data, os);
    if (!file.policy.empty()) {
      os << " policy \"";
      llvm::printEscapedString(file.policy, os);
      os << '"';
    }
    os << '\n';
  }
  return text;
}

//===----------------------------------------------------------------------===//
// Translations
//===----------------------------------------------------------------------===//

/// Whether a text can only be a module.
static bool isModule(StringRef text) {
  return text.contains("moe.placement") || text.starts_with("ML\xefR");
}

static StringRef nameOf(const llvm::SourceMgr &sources) {
  return sources.getMemoryBuffer(sources.getMainFileID())
      ->getBufferIdentifier();
}

/// Says what is wrong with the input.
static LogicalResult fail(const llvm::SourceMgr &sources, MLIRContext *context,
                          llvm::Error error) {
  return emitFileError(
      context, ::moe::formats::inFile(nameOf(sources), std::move(error)));
}

static FailureOr<placement::PlacementFile>
readInput(llvm::SourceMgr &sources, const PlacementFlags &flags,
          MLIRContext *context) {
  const llvm::MemoryBuffer *buffer =
      sources.getMemoryBuffer(sources.getMainFileID());
  auto report = [&](llvm::Expected<placement::PlacementFile> file)
      -> FailureOr<placement::PlacementFile> {
    if (!file) {
      return fail(sources, context, file.takeError());
    }
    return std::move(*file);
  };
  if (!isModule(buffer->getBuffer())) {
    placement::ReaderFacts facts;
    facts.gpus = flags.gpus.getValue();
    return report(
        placement::readPlacement(buffer->getBuffer(), nameOf(sources), facts));
  }
  context->loadDialect<arith::ArithDialect, bufferization::BufferizationDialect,
                       comm::CommDialect, func::FuncDialect,
                       linalg::LinalgDialect, math::MathDialect, MoEDialect,
                       scf::SCFDialect, tensor::TensorDialect>();
  if (failed(
          checkBracketDepth(context, buffer->getBuffer(), nameOf(sources)))) {
    return failure();
  }
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, context);
  if (!module) {
    return failure();
  }
  return report(readModule(*module));
}

static LogicalResult exportTo(llvm::SourceMgr &sources,
                              const PlacementFlags &flags, raw_ostream &output,
                              MLIRContext *context) {
  std::optional<placement::PlacementFormat> format =
      placement::parsePlacementFormat(flags.format.getValue());
  if (!format) {
    return emitError(UnknownLoc::get(context))
           << "--export-placement: expected one of "
           << placement::knownPlacementFormats() << ", but got '"
           << flags.format.getValue() << "'";
  }
  FailureOr<placement::PlacementFile> file = readInput(sources, flags, context);
  if (failed(file)) {
    return failure();
  }
  llvm::Expected<placement::ExportedPlacement> written =
      placement::exportPlacement(
          *file, *format,
          {flags.modelLayers.getValue(), flags.fillEmptySlots.getValue()});
  if (!written) {
    return fail(sources, context, written.takeError());
  }
  for (const std::string &note : written->notes) {
    emitRemark(UnknownLoc::get(context)) << note;
  }
  output << written->text;
  return success();
}

static LogicalResult importFrom(llvm::SourceMgr &sources,
                                const PlacementFlags &flags,
                                raw_ostream &output, MLIRContext *context) {
  FailureOr<placement::PlacementFile> file = readInput(sources, flags, context);
  if (failed(file)) {
    return failure();
  }
  for (placement::LayerEntry &entry : file->layers) {
    for (const std::string &duplicate :
         ::moe::planning::mergeDuplicates(entry.data)) {
      emitRemark(UnknownLoc::get(context))
          << "layer " << entry.layer << ": " << duplicate
          << ": the copies are merged";
    }
    if (llvm::Error error = ::moe::planning::verify(entry.data)) {
      return fail(sources, context,
                  ::moe::formats::within(formatv("layer {0}", entry.layer),
                                         std::move(error)));
    }
  }
  context->loadDialect<comm::CommDialect, MoEDialect>();
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(writeModule(*file), context);
  if (!module) {
    return failure();
  }
  module->print(output);
  return success();
}

void mlir::moe::registerPlacementTranslations() {
  // Created here, so that only tools that register them have the flags.
  static PlacementFlags flags;
  static TranslateRegistration toEngine(
      "export-placement",
      "A module's moe.placement, or a placement of any format, to an engine's "
      "format (=moe-place|eplb|vllm|vllm-ascend|sglang|tensorrt-llm|megatron)",
      [](const std::shared_ptr<llvm::SourceMgr> &sources, raw_ostream &output,
         MLIRContext *context) {
        ScopedDiagnosticHandler handler(context, printOnOneLine);
        return exportTo(*sources, flags, output, context);
      });
  static TranslateRegistration fromEngine(
      "import-placement",
      "A placement of any of these formats to a module with a moe.placement "
      "for each layer",
      [](const std::shared_ptr<llvm::SourceMgr> &sources, raw_ostream &output,
         MLIRContext *context) {
        ScopedDiagnosticHandler handler(context, printOnOneLine);
        return importFrom(*sources, flags, output, context);
      });
}

std::vector<std::string>
mlir::moe::separatePlacementFormat(llvm::ArrayRef<const char *> words) {
  std::vector<std::string> separated;
  for (StringRef word : words) {
    auto [flag, format] = word.split('=');
    StringRef name = flag.ltrim('-');
    bool hasFormat = word.contains('=') && flag.starts_with("-") &&
                     (name == "export-placement" || name == "import-placement");
    separated.push_back((hasFormat ? flag : word).str());
    if (hasFormat) {
      separated.push_back("--placement-format=" + format.str());
    }
  }
  return separated;
}
