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

func.func @bound(%counts: memref<3x4xi32>) {
  // expected-error @below {{works on elements, which are in a device's memory}}
  comm.check_bound %counts bound(96) : (memref<3x4xi32>) -> ()
  return
}
