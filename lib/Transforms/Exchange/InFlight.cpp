// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "InFlight.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::moe;

// Of a buffer that is cast, the buffer: bufferization casts layouts as it
// likes.
static Value getName(Value value) {
  while (auto cast = value.getDefiningOp<memref::CastOp>()) {
    value = cast.getSource();
  }
  return value;
}

Flight Flight::begin(comm::StartOp start) {
  Flight flight;
  flight.starts.insert(start);
  for (Value read : start.getCollectiveReads()) {
    flight.reads.emplace_back().insert(getName(read));
  }
  flight.destination.insert(start.getResults().empty()
                                ? getName(start.getDestination())
                                : start.getResults().front());
  return flight;
}

// Removes from `names` what `others` lacks; returns whether there was any.
static bool intersect(Flight::Names &names, const Flight::Names &others) {
  return names.remove_if([&](Value name) { return !others.contains(name); });
}

bool Flight::meet(const Flight &other) {
  bool changed = false;
  for (comm::StartOp start : other.starts) {
    changed |= starts.insert(start);
  }
  changed |= intersect(destination, other.destination);
  // Of collectives with other numbers of reads no wait is right.
  if (reads.size() != other.reads.size()) {
    for (Names &names : reads) {
      changed |= !names.empty();
      names.clear();
    }
    return changed;
  }
  for (auto [names, others] : llvm::zip_equal(reads, other.reads)) {
    changed |= intersect(names, others);
  }
  return changed;
}

bool Flight::isReadBy(comm::WaitOp wait) const {
  return reads.size() == wait.getReads().size() &&
         llvm::all_of(llvm::zip_equal(reads, wait.getReads()), [](auto pair) {
           return std::get<0>(pair).contains(getName(std::get<1>(pair)));
         });
}

bool Flight::isFilledBy(comm::WaitOp wait) const {
  return destination.contains(getName(wait.getDestination()));
}

SmallVector<Value> NamesBehind::getInputs(Value value) const {
  SmallVector<Value> inputs;
  for (auto [operand, input] : llvm::zip_equal(edge.operands, edge.inputs)) {
    if (getName(operand) == value) {
      inputs.push_back(input);
    }
  }
  return inputs;
}

bool NamesBehind::isVisible(Value value) const {
  Block *block = edge.target->getBlock();
  bool comesAnew =
      &block->front() == edge.target && value.getParentBlock() == block;
  return !comesAnew && dominance.properlyDominates(value, edge.target);
}

Flight::Names NamesBehind::rename(const Flight::Names &names) const {
  Flight::Names renamed;
  for (Value name : names) {
    renamed.insert_range(getInputs(name));
    if (isVisible(name)) {
      renamed.insert(name);
    }
  }
  return renamed;
}

Flight NamesBehind::rename(const Flight &flight) const {
  Flight renamed;
  renamed.starts = flight.starts;
  for (const Flight::Names &names : flight.reads) {
    renamed.reads.push_back(rename(names));
  }
  renamed.destination = rename(flight.destination);
  return renamed;
}
