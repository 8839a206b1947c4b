// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-loops --split-input-file | FileCheck %s

// A row is copied in whole cache lines; what is left in smaller vectors.

// CHECK-LABEL: @spread_rows
// CHECK-SAME: (%[[X:.*]]: memref<?x72xbf16>, %[[P:.*]]: memref<?x3xi32>, %[[Y:.*]]: memref<?x72xbf16>)
// CHECK: scf.for %[[T:.*]] = %{{.*}} to %{{.*}} step
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %c3{{.*}} step
// CHECK: %[[PLACE:.*]] = memref.load %[[P]][%[[T]], %[[J]]]
// CHECK: %[[TAKEN:.*]] = arith.cmpi sge, %[[PLACE]]
// CHECK: scf.if %[[TAKEN]]
// CHECK: %[[TO:.*]] = arith.index_cast %[[PLACE]]
// CHECK: scf.for %[[H:.*]] = %c0{{.*}} to %c64{{.*}} step %c32
// CHECK: %[[PART:.*]] = vector.load %[[X]][%[[T]], %[[H]]] : memref<?x72xbf16>, vector<32xbf16>
// CHECK: vector.store %[[PART]], %[[Y]][%[[TO]], %[[H]]]
// CHECK: vector.load %[[X]][%[[T]], %c64{{.*}}] : memref<?x72xbf16>, vector<8xbf16>
// CHECK-NOT: moe.
func.func @spread_rows(%x: memref<?x72xbf16>, %p: memref<?x3xi32>, %y: memref<?x72xbf16>) {
  moe.spread_rows %x to %p into %y : (memref<?x72xbf16>, memref<?x3xi32>, memref<?x72xbf16>) -> ()
  return
}

// -----

// Never more rows than there are, whatever the offsets say.

// CHECK-LABEL: @permute_rows
// CHECK-SAME: (%[[X:.*]]: memref<?x16xf32>, %[[I:.*]]: memref<?xi32>, %[[O:.*]]: memref<5xi32>, %[[Y:.*]]: memref<?x16xf32>)
// CHECK: %[[ALL:.*]] = memref.load %[[O]]
// CHECK: %[[COUNT:.*]] = arith.index_cast %[[ALL]]
// CHECK: %[[ROOM:.*]] = memref.dim %[[I]]
// CHECK: %[[END:.*]] = arith.minsi %[[COUNT]], %[[ROOM]]
// CHECK: scf.for %[[ROW:.*]] = %{{.*}} to %[[END]] step
// CHECK: %[[PLACE:.*]] = memref.load %[[I]][%[[ROW]]]
// CHECK: %[[TO:.*]] = arith.index_cast %[[PLACE]]
// CHECK: vector.load %[[X]][%[[ROW]], %{{.*}}] : memref<?x16xf32>, vector<16xf32>
// CHECK: vector.store %{{.*}}, %[[Y]][%[[TO]], %{{.*}}]
func.func @permute_rows(%x: memref<?x16xf32>, %i: memref<?xi32>, %o: memref<5xi32>, %y: memref<?x16xf32>) {
  moe.permute_rows %x to %i up_to %o into %y : (memref<?x16xf32>, memref<?xi32>, memref<5xi32>, memref<?x16xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: @permute_rows_inverse
// CHECK-SAME: (%[[X:.*]]: memref<?x16xf32>, %{{.*}}, %{{.*}}, %[[Y:.*]]: memref<?x16xf32>)
// CHECK: scf.for %[[ROW:.*]] =
// CHECK: vector.load %[[X]][%[[FROM:.*]], %{{.*}}]
// CHECK: vector.store %{{.*}}, %[[Y]][%[[ROW]], %{{.*}}]
func.func @permute_rows_inverse(%x: memref<?x16xf32>, %i: memref<?xi32>, %o: memref<5xi32>, %y: memref<?x16xf32>) {
  moe.permute_rows inverse %x to %i up_to %o into %y : (memref<?x16xf32>, memref<?xi32>, memref<5xi32>, memref<?x16xf32>) -> ()
  return
}

// -----

// Products and sums stay apart, in f32.

// CHECK-LABEL: @combine_rows
// CHECK-SAME: (%[[X:.*]]: memref<?x64xbf16>, %[[P:.*]]: memref<?x2xi32>, %[[W:.*]]: memref<?x2xf32>, %[[Y:.*]]: memref<?x64xf32>)
// CHECK: %[[LISTED:.*]] = scf.for
// CHECK: scf.for %[[H:.*]] = %{{.*}} to %c64{{.*}} step %c32
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %{{.*}} to %[[LISTED]] step %{{.*}} iter_args(%[[BEFORE:.*]] = %{{.*}}) -> (vector<32xf32>)
// CHECK: %[[ROW:.*]] = vector.load %[[X]]
// CHECK: %[[WIDE:.*]] = arith.extf %[[ROW]] : vector<32xbf16> to vector<32xf32>
// CHECK: %[[PRODUCT:.*]] = arith.mulf %{{.*}}, %[[WIDE]] : vector<32xf32>
// CHECK: arith.addf %[[BEFORE]], %[[PRODUCT]] : vector<32xf32>
// CHECK: vector.store %[[SUM]], %[[Y]]
func.func @combine_rows(%x: memref<?x64xbf16>, %p: memref<?x2xi32>, %w: memref<?x2xf32>, %y: memref<?x64xf32>) {
  moe.combine_rows %x at %p weighted by %w into %y : (memref<?x64xbf16>, memref<?x2xi32>, memref<?x2xf32>, memref<?x64xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: @combine_rows_dropped
// CHECK-SAME: (%[[X:.*]]: memref<?x64xbf16>, %{{.*}}, %{{.*}}, %[[D:.*]]: memref<?x64xbf16>, %{{.*}})
// CHECK: scf.if
// CHECK: vector.load %[[X]]
// CHECK: else
// CHECK: vector.load %[[D]]
func.func @combine_rows_dropped(%x: memref<?x64xbf16>, %p: memref<?x2xi32>, %w: memref<?x2xf32>, %d: memref<?x64xbf16>, %y: memref<?x64xf32>) {
  moe.combine_rows %x at %p weighted by %w dropped %d into %y : (memref<?x64xbf16>, memref<?x2xi32>, memref<?x2xf32>, memref<?x64xbf16>, memref<?x64xf32>) -> ()
  return
}

// -----

// Ops on tensors stay.

// CHECK-LABEL: @spread_rows_of_tensors
// CHECK: moe.spread_rows
func.func @spread_rows_of_tensors(%x: tensor<?x64xbf16>, %p: tensor<?x2xi32>) -> tensor<?x64xbf16> {
  %y = moe.spread_rows %x to %p : (tensor<?x64xbf16>, tensor<?x2xi32>) -> tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}

// -----

// The product is rounded once, to the rows' type.

// CHECK-LABEL: @spread_rows_weighted
// CHECK-SAME: (%[[X:.*]]: memref<?x8xbf16>, %{{.*}}: memref<?x3xi32>, %[[W:.*]]: memref<?x3xf32>, %[[Y:.*]]: memref<?x8xbf16>)
// CHECK: %[[WEIGHT:.*]] = memref.load %[[W]]
// CHECK: %[[PART:.*]] = vector.load %[[X]]
// CHECK: %[[ALL:.*]] = vector.broadcast %[[WEIGHT]] : f32 to vector<8xf32>
// CHECK: %[[WIDE:.*]] = arith.extf %[[PART]]
// CHECK: %[[PRODUCT:.*]] = arith.mulf %[[ALL]], %[[WIDE]] : vector<8xf32>
// CHECK: %[[ROUNDED:.*]] = arith.truncf %[[PRODUCT]]
// CHECK: vector.store %[[ROUNDED]], %[[Y]]
func.func @spread_rows_weighted(%x: memref<?x8xbf16>, %p: memref<?x3xi32>, %w: memref<?x3xf32>, %y: memref<?x8xbf16>) {
  moe.spread_rows %x to %p weighted by %w into %y : (memref<?x8xbf16>, memref<?x3xi32>, memref<?x3xf32>, memref<?x8xbf16>) -> ()
  return
}

// -----

// As many slots as the result has, not as many as the offsets: others are empty.

// CHECK-LABEL: @grouped_outer_product
// CHECK-SAME: (%[[A:.*]]: memref<?x6xf32>, %[[B:.*]]: memref<?x4xf32>, %[[O:.*]]: memref<?xi32>, %{{.*}}: index, %[[Y:.*]]: memref<?x6x4xf32>)
// CHECK: %[[SLOTS:.*]] = memref.dim %[[Y]]
// CHECK: scf.for %[[S:.*]] = %{{.*}} to %[[SLOTS]] step
// CHECK: memref.load %[[O]][%[[S]]]
// CHECK: memref.load %[[O]]
// CHECK: scf.for %[[K:.*]] = %{{.*}} to %c6{{.*}} step
// CHECK: %[[SUM:.*]] = scf.for %[[R:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[CARRIED:.*]] = %{{.*}}) -> (vector<4xf32>)
// CHECK: memref.load %[[A]][%[[R]], %[[K]]]
// CHECK: vector.load %[[B]][%[[R]], %{{.*}}]
// CHECK: arith.mulf
// CHECK: arith.addf %[[CARRIED]]
// CHECK: vector.store %[[SUM]], %[[Y]][%[[S]], %[[K]], %{{.*}}]
func.func @grouped_outer_product(%a: memref<?x6xf32>, %b: memref<?x4xf32>, %o: memref<?xi32>, %n: index, %y: memref<?x6x4xf32>) {
  moe.grouped_outer_product %a with %b at %o slots %n into %y : (memref<?x6xf32>, memref<?x4xf32>, memref<?xi32>, index, memref<?x6x4xf32>) -> ()
  return
}
