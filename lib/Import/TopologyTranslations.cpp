// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Import/TopologyTranslations.h"

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/LoadTopology.h"

#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
namespace topology = ::moe::topology;

namespace {
struct MachineFlags {
  llvm::cl::OptionCategory category{
      "Import of a machine (--import-nccl-topology, --import-nvidia-smi-topo)"};
  llvm::cl::opt<std::string> gpu{
      "gpu", llvm::cl::value_desc("NAME"), llvm::cl::cat(category),
      llvm::cl::desc("What the GPUs are, such as H100, \"A100 PCIe\" or sm_90, "
                     "where the file does not say")};
  llvm::cl::opt<long long> nodes{
      "nodes", llvm::cl::value_desc("N"), llvm::cl::cat(category),
      llvm::cl::init(1), llvm::cl::desc("Copies of the machine (default: 1)")};
  llvm::cl::opt<double> nicGbps{"nic-gbps", llvm::cl::value_desc("X"),
                                llvm::cl::cat(category),
                                llvm::cl::desc("Speed of each NIC, in Gb/s")};
  llvm::cl::opt<double> interNodeGbps{
      "inter-node-gbps", llvm::cl::value_desc("X"), llvm::cl::cat(category),
      llvm::cl::desc(
          "The same, and where the file has no NICs what one GPU can "
          "send to other nodes")};

  topology::TopologyOptions getOptions() const {
    topology::TopologyOptions options;
    options.gpu = gpu;
    options.nodes = nodes;
    if (nicGbps.getNumOccurrences() > 0) {
      options.nicGbps = nicGbps;
    }
    if (interNodeGbps.getNumOccurrences() > 0) {
      options.interNodeGbps = interNodeGbps;
    }
    return options;
  }
};
} // namespace

using Reader = llvm::Expected<planning::Topology> (*)(
    llvm::MemoryBufferRef, const topology::TopologyOptions &);

static llvm::MemoryBufferRef getFile(llvm::SourceMgr &sources) {
  return sources.getMemoryBuffer(sources.getMainFileID())->getMemBufferRef();
}

/// Reads a file and prints the module; what is assumed is printed beside it.
static LogicalResult importTopology(Reader reader, llvm::SourceMgr &sources,
                                    const topology::TopologyOptions &options,
                                    raw_ostream &output, MLIRContext *context) {
  ScopedDiagnosticHandler handler(context, printOnOneLine);
  llvm::MemoryBufferRef file = getFile(sources);
  llvm::Expected<planning::Topology> read = reader(file, options);
  if (!read) {
    return emitFileError(context, read.takeError());
  }
  OwningOpRef<ModuleOp> module =
      wrapTopology(context, file.getBufferIdentifier(), *read);
  for (llvm::StringRef assumption : read->assumptions()) {
    emitRemark(module->getLoc()) << "assumed: " << assumption;
  }
  module->print(output);
  return success();
}

void mlir::moe::registerTopologyTranslations() {
  // Created here, so that only tools that register the imports have the flags.
  static MachineFlags flags;
  auto import = [](Reader reader) {
    return [reader](const std::shared_ptr<llvm::SourceMgr> &sources,
                    raw_ostream &output, MLIRContext *context) {
      return importTopology(reader, *sources, flags.getOptions(), output,
                            context);
    };
  };
  static TranslateRegistration nccl("import-nccl-topology",
                                    "NCCL's or RCCL's topology XML to a module "
                                    "with a comm.topology",
                                    import(topology::readNcclXml));
  static TranslateRegistration matrix("import-nvidia-smi-topo",
                                      "Output of `nvidia-smi topo -m` to a "
                                      "module with a comm.topology",
                                      import(topology::readNvidiaSmiTopo));
  static TranslateRegistration astra("import-astra-sim",
                                     "ASTRA-sim's network yml to a module with "
                                     "a comm.topology",
                                     import(topology::readAstraSim));
  // From any format: a module may hold dialects that this tool does not know.
  static TranslateRegistration toAstra(
      "export-astra-sim",
      "A module's comm.topology, or a file of a machine, to ASTRA-sim's "
      "network "
      "yml",
      [](const std::shared_ptr<llvm::SourceMgr> &sources, raw_ostream &output,
         MLIRContext *context) -> LogicalResult {
        ScopedDiagnosticHandler handler(context, printOnOneLine);
        llvm::Expected<planning::Topology> read =
            topology::readTopology(getFile(*sources), flags.getOptions());
        if (!read) {
          return emitFileError(context, read.takeError());
        }
        output << topology::writeAstraSim(*read);
        return success();
      });
}
