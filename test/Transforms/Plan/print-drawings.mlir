// Plans as drawings.
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=ep=8 topology=%inputs/Topology/2-nodes-of-4.mlir loads=%inputs/Loads/2-layers.json placement=joint replicas=2" -o %t.mlir
// RUN: moe-opt %t.mlir --moe-print-placement="format=dot output=-" | FileCheck %s --check-prefix=PLACEMENT
// RUN: moe-opt %t.mlir --moe-print-placement="format=svg output=-" | %python -c "import sys, xml.dom.minidom; print(len(xml.dom.minidom.parse(sys.stdin).getElementsByTagName('rect')) > 20)" | FileCheck %s --check-prefix=SVG
// RUN: moe-opt %t.mlir --moe-print-traffic="format=dot output=-" | FileCheck %s --check-prefix=TRAFFIC
// RUN: moe-opt %t.mlir --moe-print-traffic="format=svg output=-" | %python -c "import sys, xml.dom.minidom; print(len(xml.dom.minidom.parse(sys.stdin).getElementsByTagName('path')) == 10)" | FileCheck %s --check-prefix=SVG
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=4" --moe-choose-placement --moe-print-traffic=format=dot 2>&1 | FileCheck %s --check-prefix=UNPLANNED
// RUN: not moe-opt %t.mlir --moe-print-traffic=format=pdf 2>&1 | FileCheck %s --check-prefix=FORMAT

// PLACEMENT: graph placement {
// PLACEMENT: "layer 0 rank 0" [label = "device 0\nload {{.*}} of the mean\n
// PLACEMENT: subgraph cluster_0 {
// PLACEMENT-NEXT: label = "layer 0, node 0"
// TRAFFIC: graph traffic {
// TRAFFIC: "ib 0" [label = "devices 0-3\nout {{.*}}\nin {{.*}}"
// TRAFFIC: "all" -- "ib 0" [{{.*}}penwidth
// TRAFFIC: "ib 0" -- "nvlink 0"
// SVG: True
// UNPLANNED: error: 'moe.experts' op expected an exchange; run moe-choose-exchange
// FORMAT: error: expected a format of text, json, html, dot or svg, but got 'pdf'
