// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NcclLibrary.h - NCCL's entry points ----------------------*- C++ -*-===//
//
// What the transport calls of NCCL, as one table of functions that is filled
// from libnccl.so.2 at run time or by the emulated device. Types and values are
// those of the NCCL user guide, 2.18 to 2.28.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_NCCL_NCCLLIBRARY_H
#define MOERT_TRANSPORTS_NCCL_NCCLLIBRARY_H

#include "transports/nccl/CudaDriver.h"

#include <climits>

namespace moert::nccl {

/// ncclResult_t.
using Result = int;
enum : Result {
  Success = 0,
  UnhandledCudaError = 1,
  SystemError = 2,
  InternalError = 3,
  InvalidArgument = 4,
  InvalidUsage = 5,
  RemoteError = 6,
  InProgress = 7
};

/// ncclDataType_t.
using DataType = int;
enum : DataType {
  Int8 = 0,
  UInt8 = 1,
  Int32 = 2,
  UInt32 = 3,
  Int64 = 4,
  UInt64 = 5,
  Float16 = 6,
  Float32 = 7,
  Float64 = 8,
  BFloat16 = 9,
  /// Since 2.24, on devices of compute capability 9.0.
  Float8E4M3 = 10,
  Float8E5M2 = 11
};

/// ncclRedOp_t.
using ReductionOp = int;
enum : ReductionOp { Sum = 0, Product = 1, Max = 2, Min = 3 };

/// ncclUniqueId; passed by value.
struct UniqueId {
  char bytes[128];
};

/// ncclConfig_t as of 2.18, the first version with ncclCommSplit; newer
/// libraries take it by its size and version.
struct Config {
  size_t size = sizeof(Config);
  unsigned magic = 0xcafebeef;
  unsigned version = 21800;
  /// 0: calls return InProgress instead of waiting for other ranks.
  int blocking = 0;
  int cgaClusterSize = INT_MIN;
  int minCtas = INT_MIN;
  int maxCtas = INT_MIN;
  const char *netName = nullptr;
  int splitShare = INT_MIN;
};

/// NCCL_SPLIT_NOCOLOR: the rank is in no group of a split.
constexpr int noColor = -1;
/// The version from which on Float8 types exist.
constexpr int float8Since = 22400;

using Comm = struct CommObject *;
using Stream = cuda::Stream;

/// X(member, exported name, result, parameters).
#define MOERT_NCCL_SYMBOLS(X)                                                  \
  X(getVersion, ncclGetVersion, Result, (int *version))                        \
  X(getErrorString, ncclGetErrorString, const char *, (Result result))         \
  X(getLastError, ncclGetLastError, const char *, (Comm comm))                 \
  X(getUniqueId, ncclGetUniqueId, Result, (UniqueId * id))                     \
  X(commInitRank, ncclCommInitRankConfig, Result,                              \
    (Comm * comm, int size, UniqueId id, int rank, Config *config))            \
  X(commSplit, ncclCommSplit, Result,                                          \
    (Comm parent, int color, int key, Comm *comm, Config *config))             \
  X(commFinalize, ncclCommFinalize, Result, (Comm comm))                       \
  X(commDestroy, ncclCommDestroy, Result, (Comm comm))                         \
  X(commAbort, ncclCommAbort, Result, (Comm comm))                             \
  X(commGetAsyncError, ncclCommGetAsyncError, Result,                          \
    (Comm comm, Result * error))                                               \
  X(groupStart, ncclGroupStart, Result, ())                                    \
  X(groupEnd, ncclGroupEnd, Result, ())                                        \
  X(send, ncclSend, Result,                                                    \
    (const void *source, size_t count, DataType type, int peer, Comm comm,     \
     Stream stream))                                                           \
  X(receive, ncclRecv, Result,                                                 \
    (void *destination, size_t count, DataType type, int peer, Comm comm,      \
     Stream stream))                                                           \
  X(allGather, ncclAllGather, Result,                                          \
    (const void *source, void *destination, size_t count, DataType type,       \
     Comm comm, Stream stream))                                                \
  X(reduceScatter, ncclReduceScatter, Result,                                  \
    (const void *source, void *destination, size_t count, DataType type,       \
     ReductionOp op, Comm comm, Stream stream))                                \
  X(allReduce, ncclAllReduce, Result,                                          \
    (const void *source, void *destination, size_t count, DataType type,       \
     ReductionOp op, Comm comm, Stream stream))

/// The same, of functions that older versions lack.
#define MOERT_NCCL_OPTIONAL_SYMBOLS(X)                                         \
  X(allToAll, ncclAlltoAll, Result,                                            \
    (const void *source, void *destination, size_t count, DataType type,       \
     Comm comm, Stream stream))

/// NCCL. Every member but the optional ones is set.
struct Library {
  // A type and a list of parameters take no parentheses.
  // NOLINTBEGIN(bugprone-macro-parentheses)
#define MOERT_MEMBER(member, symbol, result, parameters)                       \
  result(*member) parameters;
  MOERT_NCCL_SYMBOLS(MOERT_MEMBER)
  /// Null where the library has none; ncclAlltoAll came with 2.28.
  MOERT_NCCL_OPTIONAL_SYMBOLS(MOERT_MEMBER)
#undef MOERT_MEMBER
  // NOLINTEND(bugprone-macro-parentheses)
};

} // namespace moert::nccl

#endif // MOERT_TRANSPORTS_NCCL_NCCLLIBRARY_H
