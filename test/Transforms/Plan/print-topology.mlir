// RUN: moe-opt %s --moe-print-topology | FileCheck %s
// RUN: moe-opt %s --moe-print-topology="format=json output=-" | %python -c "import json, sys; tables = json.load(sys.stdin)['tables']; print([(row['from'], row['to'], row['class'], row['bandwidth_gb_per_s'], row['over']) for row in tables[3]['rows'][:3]])" | FileCheck %s --check-prefix=JSON
// RUN: moe-opt %s --moe-print-topology=format=dot | FileCheck %s --check-prefix=DOT
// RUN: moe-opt %s --moe-print-topology=format=svg | %python -c "import sys, xml.dom.minidom as dom; print(sorted({node.firstChild.data for node in dom.parse(sys.stdin).getElementsByTagName('text')}))" | FileCheck %s --check-prefix=SVG
// RUN: moe-opt %s --moe-print-topology="output=%t.txt" | FileCheck %s --check-prefix=MODULE
// RUN: moe-opt %inputs/Topology/2-nodes-of-4.mlir --moe-print-topology | FileCheck %s --check-prefix=TIERS
// RUN: not moe-opt %s --moe-print-topology=format=html 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-print-topology 2>&1 | FileCheck %s --check-prefix=NONE

// CHECK:      topology box: 6 devices on 2 nodes of 3
// CHECK:      tiers, outermost first
// CHECK-NEXT:   tier    joins  bandwidth [GB/s]  latency [us]
// CHECK-NEXT:   net         2              10.0          14.0
// CHECK-NEXT:   socket      3              10.0           5.7
// CHECK:      GPUs of a node
// CHECK-NEXT:   device  GPU   bus id        model  NUMA  NIC   to NIC  out [GB/s]
// CHECK-NEXT:        0  gpu0  0000:01:00.0  L40       0  nic0  PHB           24.0
// CHECK-NEXT:        1  gpu1  -             -         0  nic0  PHB           24.0
// CHECK-NEXT:        2  gpu2  -             -         1  nic0  SYS           10.0
// CHECK:      NICs of a node
// CHECK-NEXT:   NIC   bus id  interface  NUMA  speed [GB/s]  GPUs
// CHECK-NEXT:   nic0  -       mlx5_0        0          25.0  gpu0, gpu1, gpu2
// CHECK:      between GPUs: path class and GB/s
// CHECK-NEXT:   from  gpu0       gpu1       gpu2
// CHECK-NEXT:   gpu0  -          NVL 112.5  SYS 10.0
// CHECK-NEXT:   gpu1  NVL 112.5  -          SYS 10.0
// CHECK-NEXT:   gpu2  SYS 10.0   SYS 10.0   -
// CHECK:        from  nic0
// CHECK-NEXT:   gpu0  PHB 24.0
// CHECK:        note: NVL: NVLink or xGMI
// CHECK-NEXT:   note: PHB: the host bridge of a CPU
// CHECK-NEXT:   note: SYS: between CPUs or NUMA domains
// CHECK-NEXT:   note: assumed: links are as in the drawing

// JSON: [('gpu0', 'gpu1', 'NVL', 112.5, 'gpu1'), ('gpu0', 'gpu2', 'SYS', 10, 'cpu0 cpu1 gpu2'), ('gpu0', 'nic0', 'PHB', 24, 'cpu0 nic0')]

// DOT:      graph topology {
// DOT:        "gpu0" [label = "gpu0\nL40\n0000:01:00.0", fillcolor = "#b7e1a1"];
// DOT:        "gpu0" -- "gpu1" [label = "112.5", color = "#3f8f1f"];

// SVG: ['0000:01:00.0', '10', '112.5', '24', '25 GB/s', 'L40', 'NUMA 0', 'NUMA 1', 'box: 6 devices, one of 2 nodes

// MODULE: comm.topology @box

// TIERS:      topology cluster: 8 devices
// TIERS:        ib          2              50.0           5.0
// TIERS-NOT:  GPUs

// FORMAT: error: expected a format of text, json, dot or svg, but got 'html'
// NONE: error: expected a comm.topology; run moe-attach-topology
comm.topology @box tiers [net: 2 x 10.0 GB/s 14.0 us, socket: 3 x 10.0 GB/s 5.7 us] node [
  gpu0: gpu bus "0000:01:00.0" model "L40",
  gpu1: gpu,
  gpu2: gpu,
  nic0: nic model "mlx5_0" speed 25.0 GB/s,
  cpu0: cpu numa 0,
  cpu1: cpu numa 1
] links [
  gpu0 to gpu1: nvlink 112.5 GB/s,
  gpu0 to cpu0: pcie 24.0 GB/s,
  gpu1 to cpu0: pcie 24.0 GB/s,
  gpu2 to cpu1: pcie 24.0 GB/s,
  nic0 to cpu0: pcie 24.0 GB/s,
  cpu0 to cpu1: socket 10.0 GB/s
] assumed [
  "links are as in the drawing"
]
