// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Pipelines/RankProgram.h"

#include "moe/Transforms/Bufferize/BufferizationModels.h"
#include "moe/Transforms/Exchange/Passes.h"
#include "moe/Transforms/Matmul/Passes.h"
#include "moe/Transforms/Partition/Passes.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::moe;

void mlir::moe::addPartitionPasses(OpPassManager &manager) {
  manager.addPass(createVerifyPlacedPass());
  manager.addPass(createPropagateShardingPass());
  manager.addPass(createInsertReshardPass());
  manager.addPass(createPartitionPass());
  manager.addPass(createVerifyPartitionedPass());
}

void mlir::moe::addCommunicationPasses(OpPassManager &manager,
                                       Overlap overlap) {
  manager.addPass(createInsertAllToAllPass());
  if (overlap == Overlap::Yes) {
    manager.addPass(createOverlapExchangePass());
  }
  manager.addPass(createVerifyCommunicationPass());
  manager.addPass(createVerifyUniformPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void mlir::moe::addBufferPasses(OpPassManager &manager) {
  manager.addPass(createPackWeightsPass());
  manager.addPass(createFuseEpiloguePass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  addBufferizationPasses(manager);
  manager.addPass(createVerifyInFlightPass());
  manager.addPass(createVerifyUniformPass());
}
