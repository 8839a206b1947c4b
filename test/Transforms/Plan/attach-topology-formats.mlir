// RUN: moe-opt %s --moe-attach-topology="topology=%inputs/topo/xml/aws_p4d-24xl-topo.xml nodes=2 nic-gbps=100" | FileCheck %s --check-prefix=XML
// RUN: moe-opt %s --moe-attach-topology="topology=%inputs/topo/matrix/b200_8x_cutlass_doc.txt gpu=B200 nodes=2 inter-node-gbps=800" | FileCheck %s --check-prefix=MATRIX
// RUN: moe-opt %s --moe-attach-topology="topology=%inputs/topo/astra-sim/hgx-h100.yml" | FileCheck %s --check-prefix=ASTRA
// RUN: not moe-opt %s --moe-attach-topology="topology=%inputs/topo/astra-sim/hgx-h100.yml nodes=2" 2>&1 | FileCheck %s --check-prefix=OPTIONS
// RUN: not moe-opt %s --moe-attach-topology="topology=%inputs/Topology/2-nodes-of-4.mlir nodes=2" 2>&1 | FileCheck %s --check-prefix=OPTIONS
// RUN: not moe-opt %s --moe-attach-topology="topology=%inputs/topo/matrix/h800_8x_9nic_nccl933.txt gpu=H800" 2>&1 | FileCheck %s --check-prefix=CUT
// RUN: not moe-opt %s --moe-attach-topology="topology=%inputs/topo/README.md" 2>&1 | FileCheck %s --check-prefix=NONE

// The format is told by the content.
// XML: comm.topology @cluster tiers [net: 2 x 12.0 GB/s 14.0 us, nvlink: 8 x 240.0 GB/s 3.4 us] node [
// MATRIX: comm.topology @cluster tiers [net: 2 x 100.0 GB/s 14.0 us, nvlink: 8 x 721.8 GB/s 3.4 us] node [
// ASTRA: comm.topology @cluster tiers [dim1: 8 x 400.0 GB/s 1.8725 us]
// OPTIONS: error: expected no options of machines (--gpu, --nodes, --nic-gbps, --inter-node-gbps): the file describes all of the cluster
// CUT: h800_8x_9nic_nccl933.txt:9:1: error: expected the row of GPU7, but the table ends here
// NONE: error: expected a topology: NCCL's XML, the table of `nvidia-smi topo -m`, ASTRA-sim's yml, or a module with a comm.topology
module {}
