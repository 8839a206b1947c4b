// Kernels that KernelImageTest runs on an emulated device.

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

gpu.module @kernels {
  // y[i] += 3 x[i] for i < n.
  gpu.func @saxpy(%x: memref<1024xf32, #global>, %y: memref<1024xf32, #global>,
                  %n: i64) kernel
      attributes {known_block_size = array<i32: 64, 1, 1>} {
    %block = gpu.block_id x
    %threads = gpu.block_dim x
    %thread = gpu.thread_id x
    %first = arith.muli %block, %threads : index
    %i = arith.addi %first, %thread : index
    %end = arith.index_cast %n : i64 to index
    %inside = arith.cmpi ult, %i, %end : index
    scf.if %inside {
      %three = arith.constant 3.0 : f32
      %a = memref.load %x[%i] : memref<1024xf32, #global>
      %b = memref.load %y[%i] : memref<1024xf32, #global>
      %c = math.fma %three, %a, %b : f32
      memref.store %c, %y[%i] : memref<1024xf32, #global>
    }
    gpu.return
  }

  // to[block] = the sum of the block's 64 values: a warp at a time by shuffles,
  // then both in shared memory.
  gpu.func @sum_blocks(%from: memref<8x64xf32, #global>,
                       %to: memref<8xf32, #global>) kernel
      attributes {known_block_size = array<i32: 64, 1, 1>} {
    %block = gpu.block_id x
    %thread = gpu.thread_id x
    %width = arith.constant 32 : i32
    %mine = memref.load %from[%block, %thread] : memref<8x64xf32, #global>
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c5 = arith.constant 5 : index
    %c16 = arith.constant 16 : i32
    %c1_i32 = arith.constant 1 : i32
    %warp_sum, %distance = scf.for %step = %c0 to %c5 step %c1
        iter_args(%sum = %mine, %far = %c16) -> (f32, i32) {
      %other, %valid = gpu.shuffle xor %sum, %far, %width : f32
      %next = arith.addf %sum, %other : f32
      %nearer = arith.shrui %far, %c1_i32 : i32
      scf.yield %next, %nearer : f32, i32
    }
    %bytes = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %sums = memref.view %bytes[%c0][] : memref<?xi8, #shared> to memref<2xf32, #shared>
    %c32 = arith.constant 32 : index
    %warp = arith.divui %thread, %c32 : index
    %lane = arith.remui %thread, %c32 : index
    %isFirst = arith.cmpi eq, %lane, %c0 : index
    scf.if %isFirst {
      memref.store %warp_sum, %sums[%warp] : memref<2xf32, #shared>
    }
    gpu.barrier
    %isLeader = arith.cmpi eq, %thread, %c0 : index
    scf.if %isLeader {
      %a = memref.load %sums[%c0] : memref<2xf32, #shared>
      %b = memref.load %sums[%c1] : memref<2xf32, #shared>
      %both = arith.addf %a, %b : f32
      memref.store %both, %to[%block] : memref<8xf32, #global>
    }
    gpu.return
  }

  // c (16 x 16, f32) = a (16 x 16) b^T (16 x 16) by one warp: matrices from
  // shared memory, two products that do not need each other.
  gpu.func @multiply(%a: memref<16x16xbf16, #global>,
                     %b: memref<16x16xbf16, #global>,
                     %c: memref<16x16xf32, #global>) kernel
      attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c512 = arith.constant 512 : index
    %lane = gpu.thread_id x
    %bytes = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %as = memref.view %bytes[%c0][] : memref<?xi8, #shared> to memref<16x16xbf16, #shared>
    %bs = memref.view %bytes[%c512][] : memref<?xi8, #shared> to memref<16x16xbf16, #shared>
    // A lane copies half a row.
    %row = arith.divui %lane, %c2 : index
    %half = arith.remui %lane, %c2 : index
    %column = arith.muli %half, %c8 : index
    %va = vector.load %a[%row, %column] : memref<16x16xbf16, #global>, vector<8xbf16>
    vector.store %va, %as[%row, %column] : memref<16x16xbf16, #shared>, vector<8xbf16>
    %vb = vector.load %b[%row, %column] : memref<16x16xbf16, #global>, vector<8xbf16>
    vector.store %vb, %bs[%row, %column] : memref<16x16xbf16, #shared>, vector<8xbf16>
    gpu.barrier
    // Lanes 0 … 15 hold rows of the left two matrices, 16 … 31 of the right two.
    %matrixRow = arith.remui %lane, %c16 : index
    %side = arith.divui %lane, %c16 : index
    %matrixColumn = arith.muli %side, %c8 : index
    %fa = nvgpu.ldmatrix %as[%matrixRow, %matrixColumn] {numTiles = 4 : i32, transpose = false} : memref<16x16xbf16, #shared> -> vector<4x2xbf16>
    // Of b: rows 0 … 7 of both halves of k, then rows 8 … 15.
    %eight = arith.remui %lane, %c8 : index
    %quarter = arith.divui %lane, %c8 : index
    %quarterSide = arith.remui %quarter, %c2 : index
    %quarterColumn = arith.muli %quarterSide, %c8 : index
    %lowerRow = arith.addi %eight, %c8 : index
    %fb0 = nvgpu.ldmatrix %bs[%eight, %quarterColumn] {numTiles = 2 : i32, transpose = false} : memref<16x16xbf16, #shared> -> vector<2x2xbf16>
    %fb1 = nvgpu.ldmatrix %bs[%lowerRow, %quarterColumn] {numTiles = 2 : i32, transpose = false} : memref<16x16xbf16, #shared> -> vector<2x2xbf16>
    %wa = vector.bitcast %fa : vector<4x2xbf16> to vector<4x1xi32>
    %wb0 = vector.bitcast %fb0 : vector<2x2xbf16> to vector<2x1xi32>
    %wb1 = vector.bitcast %fb1 : vector<2x2xbf16> to vector<2x1xi32>
    %a0 = vector.extract %wa[0, 0] : i32 from vector<4x1xi32>
    %a1 = vector.extract %wa[1, 0] : i32 from vector<4x1xi32>
    %a2 = vector.extract %wa[2, 0] : i32 from vector<4x1xi32>
    %a3 = vector.extract %wa[3, 0] : i32 from vector<4x1xi32>
    %b0 = vector.extract %wb0[0, 0] : i32 from vector<2x1xi32>
    %b1 = vector.extract %wb0[1, 0] : i32 from vector<2x1xi32>
    %b2 = vector.extract %wb1[0, 0] : i32 from vector<2x1xi32>
    %b3 = vector.extract %wb1[1, 0] : i32 from vector<2x1xi32>
    %zero = arith.constant 0.0 : f32
    %d0 = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%b0, %b1] C[%zero, %zero, %zero, %zero]
      {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
      : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %e0 = llvm.extractvalue %d0[0] : !llvm.struct<(f32, f32, f32, f32)>
    %e1 = llvm.extractvalue %d0[1] : !llvm.struct<(f32, f32, f32, f32)>
    %e2 = llvm.extractvalue %d0[2] : !llvm.struct<(f32, f32, f32, f32)>
    %e3 = llvm.extractvalue %d0[3] : !llvm.struct<(f32, f32, f32, f32)>
    %d1 = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%b2, %b3] C[%zero, %zero, %zero, %zero]
      {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
      : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %f0 = llvm.extractvalue %d1[0] : !llvm.struct<(f32, f32, f32, f32)>
    %f1 = llvm.extractvalue %d1[1] : !llvm.struct<(f32, f32, f32, f32)>
    %f2 = llvm.extractvalue %d1[2] : !llvm.struct<(f32, f32, f32, f32)>
    %f3 = llvm.extractvalue %d1[3] : !llvm.struct<(f32, f32, f32, f32)>
    // A lane has columns 2q and 2q + 1 of rows g and g + 8.
    %group = arith.divui %lane, %c4 : index
    %inGroup = arith.remui %lane, %c4 : index
    %left = arith.muli %inGroup, %c2 : index
    %right = arith.addi %left, %c1 : index
    %groupBelow = arith.addi %group, %c8 : index
    %left8 = arith.addi %left, %c8 : index
    %right8 = arith.addi %right, %c8 : index
    memref.store %e0, %c[%group, %left] : memref<16x16xf32, #global>
    memref.store %e1, %c[%group, %right] : memref<16x16xf32, #global>
    memref.store %e2, %c[%groupBelow, %left] : memref<16x16xf32, #global>
    memref.store %e3, %c[%groupBelow, %right] : memref<16x16xf32, #global>
    memref.store %f0, %c[%group, %left8] : memref<16x16xf32, #global>
    memref.store %f1, %c[%group, %right8] : memref<16x16xf32, #global>
    memref.store %f2, %c[%groupBelow, %left8] : memref<16x16xf32, #global>
    memref.store %f3, %c[%groupBelow, %right8] : memref<16x16xf32, #global>
    gpu.return
  }

  // to[i] = the sum over 6 rows of from[row][i]; two rows are in shared memory,
  // the next one on its way while one is added.
  gpu.func @pipeline(%from: memref<6x128xi32, #global>,
                     %to: memref<128xi32, #global>) kernel
      attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c4 = arith.constant 4 : index
    %c6 = arith.constant 6 : index
    %c16 = arith.constant 16 : index
    %lane = gpu.thread_id x
    %column = arith.muli %lane, %c4 : index
    %bytes = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %rows = memref.view %bytes[%c0][] : memref<?xi8, #shared> to memref<2x128xi32, #shared>
    %t0 = nvgpu.device_async_copy %from[%c0, %column], %rows[%c0, %column], 4 {bypassL1} : memref<6x128xi32, #global> to memref<2x128xi32, #shared>
    %g0 = nvgpu.device_async_create_group %t0
    %none = arith.constant dense<0> : vector<4xi32>
    %sum = scf.for %row = %c0 to %c6 step %c1 iter_args(%so_far = %none) -> (vector<4xi32>) {
      %next = arith.addi %row, %c1 : index
      %isLast = arith.cmpi eq, %next, %c6 : index
      %real = arith.select %isLast, %c0, %next : index
      // Behind the last row nothing is read, and zeros are written.
      %length = arith.select %isLast, %c0, %c4 : index
      %slot = arith.remui %next, %c2 : index
      %t = nvgpu.device_async_copy %from[%real, %column], %rows[%slot, %column], 4, %length {bypassL1} : memref<6x128xi32, #global> to memref<2x128xi32, #shared>
      %g = nvgpu.device_async_create_group %t
      nvgpu.device_async_wait %g {numGroups = 1 : i32}
      gpu.barrier
      %here = arith.remui %row, %c2 : index
      %value = vector.load %rows[%here, %column] : memref<2x128xi32, #shared>, vector<4xi32>
      %added = arith.addi %so_far, %value : vector<4xi32>
      gpu.barrier
      scf.yield %added : vector<4xi32>
    }
    nvgpu.device_async_wait %g0 {numGroups = 0 : i32}
    vector.store %sum, %to[%column] : memref<128xi32, #global>, vector<4xi32>
    gpu.return
  }

  // to[i] = from[i] as bf16, to nearest with ties to even.
  gpu.func @round(%from: memref<32xf32, #global>,
                  %to: memref<32xbf16, #global>) kernel {
    %i = gpu.thread_id x
    %x = memref.load %from[%i] : memref<32xf32, #global>
    %r = arith.truncf %x : f32 to bf16
    memref.store %r, %to[%i] : memref<32xbf16, #global>
    gpu.return
  }

  // Counts the threads, and reads behind its memory in the fifth.
  gpu.func @read_behind(%from: memref<4xi32, #global>,
                        %count: memref<1xi32, #global>) kernel {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : i32
    %old = memref.atomic_rmw addi %one, %count[%zero] : (i32, memref<1xi32, #global>) -> i32
    %i = gpu.thread_id x
    %x = memref.load %from[%i] : memref<4xi32, #global>
    memref.store %x, %from[%i] : memref<4xi32, #global>
    gpu.return
  }
}
