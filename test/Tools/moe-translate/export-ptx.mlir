// RUN: moe-translate --export-ptx %s | FileCheck %s --check-prefixes=CHECK,SM80
// RUN: moe-translate --export-ptx --chip=sm_90a %s | FileCheck %s --check-prefixes=CHECK,SM90
// RUN: moe-translate --export-ptx --chip=sm_100a %s | FileCheck %s --check-prefixes=CHECK,SM100
// RUN: moe-translate --export-ptx --chip=sm_120a %s | FileCheck %s --check-prefixes=CHECK,SM120

// Equal bytes for equal kernels, wherever they stand:
// RUN: moe-translate --export-ptx %s -o %t.first
// RUN: sed 's/^/  /' %s | moe-translate --export-ptx -o %t.second
// RUN: cmp %t.first %t.second

// CHECK: // moe-kernels sha256:{{[0-9a-f]+$}}
// SM80: .version 8.0
// SM80-NEXT: .target sm_80
// SM90: .version 8.0
// SM90-NEXT: .target sm_90a
// SM100: .version 8.6
// SM100-NEXT: .target sm_100a
// SM120: .version 8.7
// SM120-NEXT: .target sm_120a
// CHECK-DAG: .extern .shared .align 16 .b8 __dynamic_shmem__0[];
// CHECK-DAG: .visible .global .align 1 .b8 moe_source_hash[84]

// Functions of math are arithmetic, no calls of a library.
// CHECK-LABEL: .visible .entry scale
// CHECK: .reqntid 64
// CHECK-NOT: call
// CHECK: ld.global
// CHECK: fma.rn.f32
// CHECK: cvt.rn.bf16.f32
// CHECK: st.shared
// CHECK: bar.sync
gpu.module @kernels {
  gpu.func @scale(%from: !llvm.ptr<1>) kernel
      attributes {known_block_size = array<i32: 64, 1, 1>} {
    %x = llvm.load %from : !llvm.ptr<1> -> f32
    %e = math.exp %x : f32
    %b = arith.truncf %e : f32 to bf16
    %thread = gpu.thread_id x
    %bytes = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %zero = arith.constant 0 : index
    %view = memref.view %bytes[%zero][] : memref<?xi8, #gpu.address_space<workgroup>> to memref<64xbf16, #gpu.address_space<workgroup>>
    memref.store %b, %view[%thread] : memref<64xbf16, #gpu.address_space<workgroup>>
    gpu.barrier
    gpu.return
  }
}

// The program beside the kernels may be of any level.
func.func private @attention(tensor<?x16xbf16>) -> tensor<?x16xbf16>
