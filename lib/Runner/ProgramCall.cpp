// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProgramCall.h"

#include <cstring>

using namespace moe::runner;

ProgramCall::ProgramCall(const LoadedProgram &loaded, int64_t tokens,
                         llvm::ArrayRef<const TokenArray *> arguments)
    : layout(loaded.program.layout), tokens(tokens),
      results(layout.results.size()) {
  for (int64_t rank = 0; rank < layout.ranks.deviceCount(); ++rank) {
    RankCall call;
    call.function = loaded.program.entry;
    call.handles = loaded.frames->handles(rank);
    for (auto [port, array] : llvm::zip_equal(layout.arguments, arguments)) {
      Part *part = addPart(rank, port);
      copyOut(*array, rectangleOf(layout.ranks, rank, port, tokens),
              part->buffer.data());
      call.arguments.push_back(reinterpret_cast<uint64_t>(&part->matrix));
    }
    call.arguments.push_back(tokens);
    for (auto [index, port] : llvm::enumerate(layout.results)) {
      Part *part = addPart(rank, port);
      // What a program does not write shows up as NaN.
      std::memset(part->buffer.data(), 0xFF, part->buffer.bytes());
      results[index].push_back(part->buffer.data());
      call.arguments.push_back(reinterpret_cast<uint64_t>(&part->matrix));
    }
    rankCalls.push_back(std::move(call));
  }
}

ProgramCall::Part *ProgramCall::addPart(int64_t rank, const Port &port) {
  Rectangle part = rectangleOf(layout.ranks, rank, port, tokens);
  int64_t rows = part.rows.size(), columns = part.columns.size();
  AlignedBuffer buffer(rows * columns * elementBytes(port.type));
  char *data = buffer.data();
  parts.push_back(std::make_unique<Part>(
      Part{std::move(buffer), MatrixDescriptor::of(data, rows, columns)}));
  return parts.back().get();
}

llvm::Expected<TokenArray> ProgramCall::assembleResult(size_t index) const {
  llvm::Expected<TokenArray> array =
      assemble(layout.ranks, layout.results[index], tokens, results[index]);
  return array
             ? std::move(array)
             : llvm::make_error<RankFailure>(llvm::toString(array.takeError()));
}
