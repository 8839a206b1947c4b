// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "InFlightPrograms.h"

#include <algorithm>

using namespace mlir::moe::test;

static World exchange(const World &source) {
  World result(ranks, Rows(rows * columns));
  for (int64_t to = 0; to < ranks; ++to) {
    for (int64_t from = 0; from < ranks; ++from) {
      std::copy_n(source[from].begin() + 3 * to * columns, 3 * columns,
                  result[to].begin() + 3 * from * columns);
    }
  }
  return result;
}

static World add(const World &a, const World &b) {
  World result = a;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    for (size_t i = 0; i < a[rank].size(); ++i) {
      result[rank][i] += b[rank][i];
    }
  }
  return result;
}

World mlir::moe::test::fill(float value) {
  return World(ranks, Rows(rows * columns, value));
}

static Outputs exchangeAndDouble(const Inputs &in) {
  return {exchange(in.x), add(in.x, in.x)};
}

static Outputs exchangeAndFill(const Inputs &in) {
  return {exchange(in.x), fill(7)};
}

static Outputs exchangeEachTurn(const Inputs &in) {
  Outputs out = {in.y, in.x};
  for (int64_t turn = 0; turn < in.turns; ++turn) {
    out = {exchange(out.second), add(out.second, out.second)};
  }
  return out;
}

static Outputs exchangeAndSumOld(const Inputs &in) {
  Outputs out = {in.y, in.x};
  for (int64_t turn = 0; turn < in.turns; ++turn) {
    out = {exchange(in.x), add(out.first, out.second)};
  }
  return out;
}

static Outputs doubleWhenOnce(const Inputs &in) {
  return {exchange(in.x), in.turns == 1 ? add(in.x, in.x) : in.x};
}

static const InFlightProgram programs[] = {
    {"Source", R"(
  START %d, %t = %x -> %y
  %second = linalg.add ins(%x, %x : ROWS, ROWS) outs(%x : ROWS) -> ROWS
  WAIT %first = %t, %x -> %d
)",
     exchangeAndDouble},
    {"Destination", R"(
  START %d, %t = %x -> %y
  %second = linalg.fill ins(%seven : f32) outs(%y : ROWS) -> ROWS
  WAIT %first = %t, %x -> %d
)",
     exchangeAndFill},
    {"Offsets", R"(
  START %d, %t = %x -> %y
  %o = linalg.fill ins(%seven32 : i32) outs(%s : OFFSETS) -> OFFSETS
  WAIT %first = %t, %x -> %d
  %i = tensor.extract %o[%n] : OFFSETS
  %v = arith.sitofp %i : i32 to f32
  %second = linalg.fill ins(%v : f32) outs(%z : ROWS) -> ROWS
)",
     exchangeAndFill},
    {"SourceInLoop", R"(
  %o:2 = scf.for %i = %c0 to %n step %c1 iter_args(%dst = %y, %src = %x) -> (ROWS, ROWS) {
    START %d, %t = %src -> %dst
    %b = linalg.add ins(%src, %src : ROWS, ROWS) outs(%src : ROWS) -> ROWS
    WAIT %w = %t, %src -> %d
    scf.yield %w, %b : ROWS, ROWS
  }
  %first = tensor.cast %o#0 : ROWS to ROWS
  %second = tensor.cast %o#1 : ROWS to ROWS
)",
     exchangeEachTurn},
    {"DestinationInLoop", R"(
  %o:2 = scf.for %i = %c0 to %n step %c1 iter_args(%dst = %y, %sum = %x) -> (ROWS, ROWS) {
    START %d, %t = %x -> %dst
    %b = linalg.add ins(%dst, %sum : ROWS, ROWS) outs(%sum : ROWS) -> ROWS
    WAIT %w = %t, %x -> %d
    scf.yield %w, %b : ROWS, ROWS
  }
  %first = tensor.cast %o#0 : ROWS to ROWS
  %second = tensor.cast %o#1 : ROWS to ROWS
)",
     exchangeAndSumOld},
    {"DestinationOverwrittenByLoop", R"(
  START %d, %t = %x -> %y
  %o = scf.for %i = %c0 to %n step %c1 iter_args(%b = %y) -> (ROWS) {
    %f = linalg.fill ins(%seven : f32) outs(%b : ROWS) -> ROWS
    scf.yield %f : ROWS
  }
  WAIT %first = %t, %x -> %d
  %second = tensor.cast %o : ROWS to ROWS
)",
     [](const Inputs &in) -> Outputs {
       return {exchange(in.x), in.turns ? fill(7) : in.y};
     }},
    {"OffsetsInLoop", R"(
  %o:2 = scf.for %i = %c0 to %n step %c1 iter_args(%dst = %y, %kept = %z) -> (ROWS, ROWS) {
    START %d, %t = %x -> %dst
    %p = linalg.fill ins(%seven32 : i32) outs(%s : OFFSETS) -> OFFSETS
    WAIT %w = %t, %x -> %d
    %j = tensor.extract %p[%i] : OFFSETS
    %v = arith.sitofp %j : i32 to f32
    %f = linalg.fill ins(%v : f32) outs(%kept : ROWS) -> ROWS
    scf.yield %w, %f : ROWS, ROWS
  }
  %first = tensor.cast %o#0 : ROWS to ROWS
  %second = linalg.fill ins(%seven : f32) outs(%o#1 : ROWS) -> ROWS
)",
     [](const Inputs &in) -> Outputs {
       return {in.turns ? exchange(in.x) : in.y, fill(7)};
     }},
    {"SourceInBranch", R"(
  START %d, %t = %x -> %y
  %second = scf.if %once -> ROWS {
    %b = linalg.add ins(%x, %x : ROWS, ROWS) outs(%x : ROWS) -> ROWS
    scf.yield %b : ROWS
  } else {
    scf.yield %x : ROWS
  }
  WAIT %first = %t, %x -> %d
)",
     doubleWhenOnce},
    {"DestinationInBranch", R"(
  START %d, %t = %x -> %y
  %second = scf.if %once -> ROWS {
    %b = linalg.fill ins(%seven : f32) outs(%y : ROWS) -> ROWS
    scf.yield %b : ROWS
  } else {
    scf.yield %z : ROWS
  }
  WAIT %first = %t, %x -> %d
)",
     [](const Inputs &in) -> Outputs {
       return {exchange(in.x), fill(in.turns == 1 ? 7 : -1)};
     }},
    {"OffsetsInBranch", R"(
  START %d, %t = %x -> %y
  %o = scf.if %once -> OFFSETS {
    %b = linalg.fill ins(%seven32 : i32) outs(%s : OFFSETS) -> OFFSETS
    scf.yield %b : OFFSETS
  } else {
    scf.yield %s : OFFSETS
  }
  WAIT %first = %t, %x -> %d
  %i = tensor.extract %o[%c0] : OFFSETS
  %v = arith.sitofp %i : i32 to f32
  %second = linalg.fill ins(%v : f32) outs(%z : ROWS) -> ROWS
)",
     [](const Inputs &in) -> Outputs {
       return {exchange(in.x), fill(in.turns == 1 ? 7 : 0)};
     }},
    {"WaitInBothBranches", R"(
  START %d, %t = %x -> %y
  %o:2 = scf.if %once -> (ROWS, ROWS) {
    %b = linalg.add ins(%x, %x : ROWS, ROWS) outs(%x : ROWS) -> ROWS
    WAIT %w = %t, %x -> %d
    scf.yield %w, %b : ROWS, ROWS
  } else {
    WAIT %w = %t, %x -> %d
    scf.yield %w, %x : ROWS, ROWS
  }
  %first = tensor.cast %o#0 : ROWS to ROWS
  %second = tensor.cast %o#1 : ROWS to ROWS
)",
     doubleWhenOnce},
    {"StartInBothBranches", R"(
  %o:3 = scf.if %once -> (ROWS, ROWS, !comm.pending) {
    %a = linalg.fill ins(%seven : f32) outs(%z : ROWS) -> ROWS
    START %d, %t = %a -> %y
    scf.yield %a, %d, %t : ROWS, ROWS, !comm.pending
  } else {
    START %d, %t = %x -> %y
    scf.yield %x, %d, %t : ROWS, ROWS, !comm.pending
  }
  %second = linalg.add ins(%x, %x : ROWS, ROWS) outs(%x : ROWS) -> ROWS
  WAIT %first = %o#2, %o#0 -> %o#1
)",
     [](const Inputs &in) -> Outputs {
       return {exchange(in.turns == 1 ? fill(7) : in.x), add(in.x, in.x)};
     }},
    {"CarriedByFor", R"(
  START %d0, %t0 = %x -> %y
  %o:3 = scf.for %i = %c0 to %n step %c1 iter_args(%src = %x, %d = %d0, %t = %t0) -> (ROWS, ROWS, !comm.pending) {
    %b = linalg.add ins(%src, %src : ROWS, ROWS) outs(%src : ROWS) -> ROWS
    WAIT %w = %t, %src -> %d
    START %d1, %t1 = %b -> %w
    scf.yield %b, %d1, %t1 : ROWS, ROWS, !comm.pending
  }
  %second = linalg.add ins(%o#0, %o#0 : ROWS, ROWS) outs(%o#0 : ROWS) -> ROWS
  WAIT %first = %o#2, %o#0 -> %o#1
)",
     [](const Inputs &in) {
       Inputs more = in;
       more.turns = in.turns + 1;
       return exchangeEachTurn(more);
     }},
    {"CarriedByWhile", R"(
  START %d0, %t0 = %x -> %y
  %o:3 = scf.while (%i = %c0, %d = %d0, %t = %t0) : (index, ROWS, !comm.pending) -> (index, ROWS, !comm.pending) {
    %more = arith.cmpi ult, %i, %n : index
    scf.condition(%more) %i, %d, %t : index, ROWS, !comm.pending
  } do {
  ^bb0(%i: index, %d: ROWS, %t: !comm.pending):
    WAIT %w = %t, %x -> %d
    START %d1, %t1 = %x -> %w
    %next = arith.addi %i, %c1 : index
    scf.yield %next, %d1, %t1 : index, ROWS, !comm.pending
  }
  %second = linalg.add ins(%x, %x : ROWS, ROWS) outs(%x : ROWS) -> ROWS
  WAIT %first = %o#2, %x -> %o#1
)",
     exchangeAndDouble},
};

llvm::ArrayRef<InFlightProgram> mlir::moe::test::getInFlightPrograms() {
  return programs;
}
