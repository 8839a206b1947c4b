/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
//===- KernelImage.h - Kernels that an emulated device runs -------*- C -*-===//
//
// What cuModuleLoadData of an emulated device takes: the bytes of an ELF shared
// object for the machine that emulates. It exports one datum,
// `moert_kernel_image` of type moert_kernel_image, has no undefined symbol and
// no constructor. Its kernels reach the device only through the functions that
// they are handed, so that each access and each synchronisation is seen.
//
// A body is called once for each CUDA thread, as a fiber with a stack of its
// own (MOERT_KERNEL_STACK bytes). Its local variables are its own memory, and
// are not checked. It must keep nothing in variables of the object: threads of
// all blocks and launches run in one process, in any order. The floating-point
// environment is the default one: rounding to nearest, subnormals kept.
//
// Addresses are what they are on the device: 64-bit, global or of the block's
// shared memory. The shared memory of a block is seen by its own threads at
// addresses that are the same in all blocks and fit in 32 bits, so that casts
// between shared, generic and 32-bit addresses need no code. What lies behind
// an address is elsewhere: only `access` knows.
//
// What each function does is that of the PTX instruction which its description
// names; docs/Rationale/emulated-device.md says which of the things that the
// PTX ISA leaves open are settled how.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_EMULATOR_KERNELIMAGE_H
#define MOERT_EMULATOR_KERNELIMAGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Of the layout of all that follows; an image of another version is refused.
#define MOERT_KERNEL_ABI 1u
/// The name of the exported datum.
#define MOERT_KERNEL_IMAGE_SYMBOL "moert_kernel_image"
/// The bytes of stack that a body may use, with all that it calls.
#define MOERT_KERNEL_STACK 65536u
/// For `site` where nothing is known about an instruction's place.
#define MOERT_KERNEL_NO_SITE 0xffffffffu

/// One CUDA thread. Kernels only hand it on.
typedef struct moert_kernel_thread moert_kernel_thread;

/// What `access` is for. A store is a write, and the whole of `bytes` counts as
/// written: a body stores right after the call, before any other.
enum {
  MOERT_KERNEL_READ = 0,
  MOERT_KERNEL_WRITE = 1,
  /// Added to either where the device makes several accesses of it, each of
  /// them aligned: else an access of 2, 4, 8 or 16 bytes must be aligned to as
  /// many, as in PTX. Other sizes (copies of blocks) need no alignment.
  MOERT_KERNEL_UNALIGNED = 0x100
};

/// Special registers, and what else does not change while a thread runs.
enum {
  MOERT_KERNEL_TID_X,
  MOERT_KERNEL_TID_Y,
  MOERT_KERNEL_TID_Z,
  MOERT_KERNEL_NTID_X,
  MOERT_KERNEL_NTID_Y,
  MOERT_KERNEL_NTID_Z,
  MOERT_KERNEL_CTAID_X,
  MOERT_KERNEL_CTAID_Y,
  MOERT_KERNEL_CTAID_Z,
  MOERT_KERNEL_NCTAID_X,
  MOERT_KERNEL_NCTAID_Y,
  MOERT_KERNEL_NCTAID_Z,
  MOERT_KERNEL_LANEID,
  MOERT_KERNEL_WARPID,
  /// The address of the block's static shared memory (`static_shared_bytes` of
  /// the kernel), aligned to 1024.
  MOERT_KERNEL_STATIC_SHARED,
  /// The address of its dynamic shared memory, behind the static one, aligned
  /// to 1024 bytes; and how many bytes the launch asked for.
  MOERT_KERNEL_DYNAMIC_SHARED,
  MOERT_KERNEL_DYNAMIC_SHARED_BYTES,
  /// activemask. The thread's own lane alone: what may diverge has diverged.
  MOERT_KERNEL_ACTIVE_MASK
};

/// shfl.sync: which lane's value a lane gets.
enum {
  MOERT_KERNEL_SHUFFLE_UP,
  MOERT_KERNEL_SHUFFLE_DOWN,
  MOERT_KERNEL_SHUFFLE_BUTTERFLY,
  MOERT_KERNEL_SHUFFLE_INDEX
};

/// vote.sync. All but BALLOT return 0 or 1.
enum {
  MOERT_KERNEL_VOTE_ALL,
  MOERT_KERNEL_VOTE_ANY,
  MOERT_KERNEL_VOTE_UNIFORM,
  MOERT_KERNEL_VOTE_BALLOT
};

/// redux.sync and atom. REDUX has ADD to XOR only (signed and unsigned minimum
/// and maximum told apart by the type).
enum {
  MOERT_KERNEL_ADD,
  MOERT_KERNEL_MIN,
  MOERT_KERNEL_MAX,
  MOERT_KERNEL_AND,
  MOERT_KERNEL_OR,
  MOERT_KERNEL_XOR,
  MOERT_KERNEL_EXCHANGE,
  MOERT_KERNEL_COMPARE_AND_SWAP,
  /// atom.inc: (old >= value) ? 0 : old + 1; atom.dec: (old == 0 || old >
  /// value) ? value : old - 1.
  MOERT_KERNEL_INCREMENT,
  MOERT_KERNEL_DECREMENT
};

/// The types of redux (the 32-bit integers) and atom (all; ADD, EXCHANGE and
/// COMPARE_AND_SWAP only on F32).
enum {
  MOERT_KERNEL_U32,
  MOERT_KERNEL_S32,
  MOERT_KERNEL_U64,
  MOERT_KERNEL_S64,
  MOERT_KERNEL_F32
};

/// ….approx.f32, or with FLUSH added ….approx.ftz.f32.
enum {
  MOERT_KERNEL_EX2,
  MOERT_KERNEL_LG2,
  MOERT_KERNEL_RCP,
  MOERT_KERNEL_RSQRT,
  MOERT_KERNEL_SQRT,
  MOERT_KERNEL_TANH,
  MOERT_KERNEL_SIN,
  MOERT_KERNEL_COS,
  MOERT_KERNEL_FLUSH = 0x100
};

/// The shapes and types of mma.sync.
enum {
  /// m16n8k16.row.col.f32.bf16.bf16.f32: a lane holds 4 registers of A, 2 of B
  /// (two bf16 each, the lower index in the lower half), 4 floats of C and D.
  MOERT_KERNEL_MMA_M16N8K16_BF16
};

/// The device, as a kernel reaches it. `site` is everywhere the index into the
/// image's `sites` of the instruction's place. Functions that wait (all but
/// access, special, approximate and the first two of the copies) may run other
/// threads before they return; so may any other.
typedef struct moert_kernel_calls {
  /// sizeof(moert_kernel_calls). Members are added at the end.
  uint32_t struct_size;

  /// ld and st: where `bytes` bytes behind a global or shared address lie for
  /// now: valid until the thread's next call. The access is made by this call
  /// as far as checks go: bounds, alignment, bytes that nothing was written to,
  /// races. Returns memory of no meaning where there is none behind it. An
  /// address on the thread's own stack is returned as it is.
  void *(*access)(moert_kernel_thread *, uint64_t address, uint32_t bytes,
                  uint32_t kind, uint32_t site);

  /// mov from a special register.
  uint64_t (*special)(moert_kernel_thread *, uint32_t which);

  /// barrier.sync.aligned `barrier` (0 … 15) {, `threads`}: waits for all
  /// threads of the block that have not ended (`threads` 0), or for that many
  /// (a multiple of 32).
  void (*barrier)(moert_kernel_thread *, uint32_t barrier, uint32_t threads,
                  uint32_t site);

  /// bar.warp.sync: the lanes of `mask`.
  void (*warp_barrier)(moert_kernel_thread *, uint32_t mask, uint32_t site);

  /// shfl.sync.MODE.b32 d|p, value, lane, clamp, mask (operands a, b, c and
  /// membermask of the ISA: `clamp` holds the segment's mask in bits 8 … 12).
  /// `in_range`, unless null, gets p as 0 or 1.
  uint32_t (*shuffle)(moert_kernel_thread *, uint32_t mode, uint32_t mask,
                      uint32_t value, uint32_t lane, uint32_t clamp,
                      uint32_t *in_range, uint32_t site);

  /// vote.sync.
  uint32_t (*vote)(moert_kernel_thread *, uint32_t mode, uint32_t mask,
                   uint32_t predicate, uint32_t site);

  /// redux.sync.
  uint32_t (*reduce)(moert_kernel_thread *, uint32_t op, uint32_t type,
                     uint32_t mask, uint32_t value, uint32_t site);

  /// ldmatrix.sync.aligned.m8n8.x`matrices`{.trans}.shared.b16, `count` of them
  /// that do not depend on each other: all lanes come together once.
  /// `addresses`: this lane's row of each; `results`: [count][matrices].
  void (*ldmatrix)(moert_kernel_thread *, uint32_t matrices,
                   uint32_t transposed, uint32_t count,
                   const uint64_t *addresses, uint32_t *results, uint32_t site);

  /// mma.sync.aligned, `count` of one shape that do not depend on each other:
  /// all lanes come together once. For M16N8K16_BF16: a [count][4], b
  /// [count][2], c and d [count][4]; d may be c.
  void (*mma)(moert_kernel_thread *, uint32_t shape, uint32_t count,
              const uint32_t *a, const uint32_t *b, const float *c, float *d,
              uint32_t site);

  /// cp.async.{ca,cg}.shared.global: `bytes` (4, 8 or 16) to shared memory, of
  /// which the first `source_bytes` are read from global memory and the others
  /// are 0. It happens by the time that a copy_wait has waited for it, or
  /// anywhere before.
  void (*copy_async)(moert_kernel_thread *, uint64_t shared, uint64_t global,
                     uint32_t bytes, uint32_t source_bytes, uint32_t site);
  /// cp.async.commit_group.
  void (*copy_commit)(moert_kernel_thread *, uint32_t site);
  /// cp.async.wait_group `pending`: until at most that many of the thread's
  /// groups are under way. cp.async.wait_all: a commit, and `pending` 0.
  void (*copy_wait)(moert_kernel_thread *, uint32_t pending, uint32_t site);

  /// atom (relaxed, of the device): returns what was there, in the type's bits.
  /// `compare` is that of COMPARE_AND_SWAP.
  uint64_t (*atomic)(moert_kernel_thread *, uint32_t op, uint32_t type,
                     uint64_t address, uint64_t value, uint64_t compare,
                     uint32_t site);

  /// ex2.approx.f32 and the like.
  float (*approximate)(moert_kernel_thread *, uint32_t function, float value);

  /// fence / membar of any scope. It orders nothing that a check relies on: see
  /// the rationale.
  void (*fence)(moert_kernel_thread *, uint32_t site);

  /// trap: ends the launch, and with it the use of the device. Does not return.
  void (*trap)(moert_kernel_thread *, uint32_t site);
} moert_kernel_calls;

/// The body of a kernel: one thread's run. `arguments`: as many as
/// `argument_count` says; each is a global address or a 64-bit integer.
typedef void (*moert_kernel_body)(const moert_kernel_calls *calls,
                                  moert_kernel_thread *thread,
                                  const uint64_t *arguments);

typedef struct moert_kernel_entry {
  /// As cuModuleGetFunction finds it.
  const char *name;
  moert_kernel_body body;
  /// Of 64-bit arguments.
  uint32_t argument_count;
  /// The threads of a block, where the kernel was compiled for that many only
  /// (.reqntid): a launch with another number is refused. 0: any, up to 1024.
  uint32_t threads;
  /// Of shared memory, besides what a launch asks for.
  uint32_t static_shared_bytes;
} moert_kernel_entry;

typedef struct moert_kernel_image {
  /// MOERT_KERNEL_ABI.
  uint32_t abi;
  uint32_t kernel_count;
  const moert_kernel_entry *kernels;
  uint32_t site_count;
  /// For messages, for example "moe.grouped_matmul at model.mlir:34:10". Two
  /// instructions of a kernel may share a site; .aligned ones that lanes reach
  /// on different ways are told apart by it.
  const char *const *sites;
  /// Of the gpu.module that the image was made from, in the form that the
  /// bundle's manifest has; "" for none.
  const char *source_hash;
} moert_kernel_image;

#ifdef __cplusplus
}
#endif

#endif /* MOERT_EMULATOR_KERNELIMAGE_H */
