// RUN: moe-opt %s --split-input-file --verify-diagnostics --convert-comm-to-runtime=on-device=true | FileCheck %s

// The host waits for one number; it reads no buffer.
// CHECK-LABEL: func.func @extent(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr, %[[OFFSETS:.+]]: memref<5xi32>)
func.func @extent(%offsets: memref<5xi32>) -> index {
  // CHECK-NOT: memref.load
  // CHECK: %[[BOUND:.+]] = arith.constant 96 : i64
  // CHECK: %[[TOTAL:.+]] = call @moert_frame_device_extent(%[[F]], %{{.+}}, %{{.+}}, %{{.+}}, %[[BOUND]]) : (!llvm.ptr, i32, !llvm.ptr, i64, i64) -> i64
  // CHECK: %[[EXTENT:.+]] = arith.index_cast %[[TOTAL]] : i64 to index
  // CHECK: return %[[EXTENT]]
  %total = comm.host_extent %offsets bound(96) : memref<5xi32>
  return %total : index
}

// -----

// Kernels report to words of the frame, under a number of its own.
// CHECK-LABEL: func.func @fault(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr)
func.func @fault() -> (memref<3xi64>, i64) {
  // CHECK: %[[WORDS:.+]] = call @moert_frame_fault_words(%[[F]]) : (!llvm.ptr) -> !llvm.ptr
  // CHECK: %[[ID:.+]] = arith.constant 0 : i32
  // CHECK: %[[NUMBER:.+]] = arith.extui %[[ID]] : i32 to i64
  // CHECK: return %{{.+}}, %[[NUMBER]]
  %words, %number = comm.fault_words : memref<3xi64>, i64
  return %words, %number : memref<3xi64>, i64
}

// -----

func.func @bound(%counts: memref<3x4xi32>) {
  // expected-error @below {{works on elements, which are in a device's memory}}
  comm.check_bound %counts bound(96) : (memref<3x4xi32>) -> ()
  return
}
