// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a model-level module to a planned one.

#ifndef MOE_PIPELINES_PLANPIPELINE_H
#define MOE_PIPELINES_PLANPIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::moe {

struct PlanPipelineOptions : PassPipelineOptions<PlanPipelineOptions> {
  Option<std::string> mesh{
      *this, "mesh",
      llvm::cl::desc("Axes and their sizes, such as dp=2,ep=8; needed unless "
                     "the module has a comm.mesh")};
  Option<std::string> topology{
      *this, "topology",
      llvm::cl::desc("The cluster: an MLIR file with a comm.topology, NCCL's "
                     "XML, `nvidia-smi topo -m` or ASTRA-sim's yml")};
  Option<std::string> gpu{
      *this, "gpu",
      llvm::cl::desc("GPUs of the topology where its file does not say")};
  Option<int64_t> nodes{
      *this, "nodes", llvm::cl::init(1),
      llvm::cl::desc("Copies of the node that the topology's file describes")};
  Option<double> nicGbps{*this, "nic-gbps", llvm::cl::init(0),
                         llvm::cl::desc("Speed of each NIC, in Gb/s")};
  Option<double> interNodeGbps{
      *this, "inter-node-gbps", llvm::cl::init(0),
      llvm::cl::desc("The same, and without NICs what a GPU can send to other "
                     "nodes")};
  Option<std::string> loads{
      *this, "loads",
      llvm::cl::desc("JSON, CSV or NPY file with the experts' loads, or a "
                     "trace of the choices of single tokens")};
  Option<std::string> loadsModel{
      *this, "loads-model",
      llvm::cl::desc("Lines of the CSV file to count, by 'model'")};
  Option<std::string> loadsDomain{
      *this, "loads-domain",
      llvm::cl::desc("Lines of the CSV file to count, by 'domain'")};
  Option<std::string> loadsContent{
      *this, "loads-content", llvm::cl::init("loads"),
      llvm::cl::desc("What a three-dimensional array holds: loads or trace")};
  Option<int64_t> traceRanks{
      *this, "trace-ranks", llvm::cl::init(1),
      llvm::cl::desc("Ranks that hold the tokens of a trace")};
  Option<std::string> placement{
      *this, "placement", llvm::cl::init("contiguous"),
      llvm::cl::desc(
          "Placement policy: contiguous, round_robin, eplb, joint or "
          "exhaustive")};
  Option<std::string> objective{
      *this, "objective", llvm::cl::init("auto"),
      llvm::cl::desc("What a placement is for: load, time, or auto, which is "
                     "time where there is a topology")};
  Option<int64_t> replicas{
      *this, "replicas", llvm::cl::init(0),
      llvm::cl::desc("Slots beyond one an expert, over all ranks of a group")};
  Option<int64_t> expertGroups{
      *this, "expert-groups", llvm::cl::init(1),
      llvm::cl::desc("Groups of experts that eplb keeps on a node")};
  Option<double> memoryGib{
      *this, "memory-gib", llvm::cl::init(0),
      llvm::cl::desc("Memory of a device that programs can use; 0 sets no "
                     "limit")};
  Option<std::string> exchange{
      *this, "exchange", llvm::cl::init("flat_exact"),
      llvm::cl::desc("Form of the exchanges: flat_exact, flat_bounded or "
                     "auto")};
  Option<int64_t> bound{
      *this, "bound", llvm::cl::init(0),
      llvm::cl::desc("Most rows that a rank may receive; 0 is the worst case")};
  ListOption<std::string> tokenAxes{
      *this, "token-axes",
      llvm::cl::desc("Axes that tokens are sharded over; every one but etp, tp "
                     "and pp by default")};
  ListOption<std::string> expertAxes{
      *this, "expert-axes",
      llvm::cl::desc("Axes whose ranks share out the experts; ep by default")};
  ListOption<std::string> expertTensorAxes{
      *this, "expert-tensor-axes",
      llvm::cl::desc("Axes that split the columns of each expert's matrices; "
                     "etp by default")};
  ListOption<std::string> tensorAxes{
      *this, "tensor-axes",
      llvm::cl::desc("Axes of the dense parts' tensor parallelism, which the "
                     "graph does not hold; tp by default")};
  ListOption<std::string> stageAxes{
      *this, "stage-axes",
      llvm::cl::desc("Axes whose ranks run layers one after the other; pp by "
                     "default")};
  Option<std::string> step{
      *this, "step", llvm::cl::init("inference"),
      llvm::cl::desc("What a step is, as traffic that the graph does not hold "
                     "is modelled: inference or training")};

  /// The names of all options, in their order.
  std::vector<std::string> names() const;
  /// Sets an option by its name, from a value that can be read; false where
  /// there is none of that name.
  bool set(llvm::StringRef name, llvm::StringRef value);
};

/// First what is known of the cluster comes in, then the axes of the mesh are
/// laid on its tiers, experts on the ranks, and the form of each exchange is
/// chosen; at the end the plan is verified. What the module has already
/// decided is kept.
void buildPlanPipeline(OpPassManager &manager,
                       const PlanPipelineOptions &options);

/// The part of it that reads the experts' loads, for a module of which only
/// some layers will be planned.
void addLoadsPass(OpPassManager &manager, const PlanPipelineOptions &options);

void registerPlanPipeline();

} // namespace mlir::moe

#endif // MOE_PIPELINES_PLANPIPELINE_H
