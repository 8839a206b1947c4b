// RUN: moe-opt %s --verify-roundtrip | FileCheck %s

// On buffers these ops write into their outs and return nothing.

// CHECK-LABEL: @routing
func.func @routing(%z: memref<?x8xbf16>, %s: memref<?x8xf32>, %e: memref<?x2xi32>, %w: memref<?x2xf32>, %c: memref<?x2x8xi32>, %t: index) {
  // CHECK: moe.score sigmoid %{{.*}} into %{{.*}} : (memref<?x8xbf16>, memref<?x8xf32>) -> ()
  moe.score sigmoid %z into %s : (memref<?x8xbf16>, memref<?x8xf32>) -> ()
  // CHECK: moe.select top_k 2 %{{.*}} into %{{.*}}, %{{.*}} : (memref<?x8xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
  moe.select top_k 2 %s into %e, %w : (memref<?x8xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
  // CHECK: moe.weigh softmax %{{.*}} into %{{.*}} : (memref<?x2xf32>, memref<?x2xf32>) -> ()
  moe.weigh softmax %w into %w : (memref<?x2xf32>, memref<?x2xf32>) -> ()
  // CHECK: moe.limit_capacity %{{.*}} into %{{.*}} group <sequence 128>
  moe.limit_capacity %e into %e group <sequence 128> capacity <count = 64> order choice_then_token experts 8
    : (memref<?x2xi32>, memref<?x2xi32>) -> ()
  // CHECK: moe.count_choices %{{.*}} from_token %{{.*}} tokens %{{.*}} into %{{.*}} group <all> experts 8
  moe.count_choices %e from_token %t tokens %t into %c group <all> experts 8
    : (memref<?x2xi32>, index, index, memref<?x2x8xi32>) -> ()
  return
}

// CHECK-LABEL: @hand_written_routing
func.func @hand_written_routing(%s: memref<?x8xf32>, %e: memref<?x8xi32>, %w: memref<?x8xf32>, %e1: memref<?x1xi32>, %w1: memref<?x1xf32>, %e2: memref<?x2xi32>, %w2: memref<?x2xf32>) {
  // CHECK: moe.select_tokens %{{.*}} into %{{.*}}, %{{.*}} group <tokens 512>
  moe.select_tokens %s into %e, %w group <tokens 512> capacity <count = 4> : (memref<?x8xf32>, memref<?x8xi32>, memref<?x8xf32>) -> ()
  // CHECK: moe.select_masked_pair %{{.*}} into %{{.*}}, %{{.*}} jitter
  moe.select_masked_pair %s into %e2, %w2 jitter 1.0e-02 : (memref<?x8xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
  // CHECK: moe.select_balanced %{{.*}} into %{{.*}}, %{{.*}} group <all>
  moe.select_balanced %s into %e1, %w1 group <all> : (memref<?x8xf32>, memref<?x1xi32>, memref<?x1xf32>) -> ()
  return
}

// CHECK-LABEL: @rows
func.func @rows(%x: memref<?x64xbf16>, %e: memref<?x2xi32>, %p: !moe.placement_ref<8 experts>, %t: index, %c: memref<4x2xi32>, %o: memref<5xi32>, %s: memref<3xi32>, %q: memref<?xi32>, %w: memref<?x2xf32>, %y: memref<?x64xf32>, %m: !moe.weights<2x64x64xbf16>) {
  // CHECK: moe.assign_slots %{{.*}} placed by %{{.*}} from_token %{{.*}} into %{{.*}}, %{{.*}} :
  moe.assign_slots %e placed by %p from_token %t into %e, %c
    : (memref<?x2xi32>, !moe.placement_ref<8 experts>, index, memref<?x2xi32>, memref<4x2xi32>) -> ()
  // CHECK: moe.count_offsets %{{.*}} into %{{.*}}, %{{.*}} :
  moe.count_offsets %c into %o, %s : (memref<4x2xi32>, memref<5xi32>, memref<3xi32>) -> ()
  // CHECK: moe.slot_positions %{{.*}} extent %{{.*}} into %{{.*}} :
  moe.slot_positions %c extent %t into %q : (memref<4x2xi32>, index, memref<?xi32>) -> ()
  // CHECK: moe.spread_rows %{{.*}} to %{{.*}} into %{{.*}} :
  moe.spread_rows %x to %e into %x : (memref<?x64xbf16>, memref<?x2xi32>, memref<?x64xbf16>) -> ()
  // CHECK: moe.permute_rows inverse %{{.*}} to %{{.*}} up_to %{{.*}} into %{{.*}} :
  moe.permute_rows inverse %x to %q up_to %o into %x : (memref<?x64xbf16>, memref<?xi32>, memref<5xi32>, memref<?x64xbf16>) -> ()
  // CHECK: moe.combine_rows %{{.*}} at %{{.*}} weighted by %{{.*}} dropped %{{.*}} into %{{.*}} :
  moe.combine_rows %x at %e weighted by %w dropped %x into %y
    : (memref<?x64xbf16>, memref<?x2xi32>, memref<?x2xf32>, memref<?x64xbf16>, memref<?x64xf32>) -> ()
  // CHECK: moe.grouped_matmul %{{.*}} by %{{.*}} at %{{.*}} into %{{.*}} :
  moe.grouped_matmul %x by %m at %s into %x : (memref<?x64xbf16>, !moe.weights<2x64x64xbf16>, memref<3xi32>, memref<?x64xbf16>) -> ()
  // CHECK: moe.phase experts
  moe.phase experts
  // CHECK: moe.enter_layer 5
  moe.enter_layer 5
  return
}
