// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/HostedRank.h"
#include "AlignedBuffer.h"
#include "BuildFrames.h"
#include "CallFunction.h"
#include "MatrixDescriptor.h"
#include "RankMemory.h"
#include "RuntimeOptions.h"

#include "llvm/Support/FormatVariadic.h"

#include <deque>

using namespace moe::runner;
using llvm::formatv;

namespace {
/// The matrices of one call on one rank, by port.
class RankArguments {
public:
  RankArguments(const ProgramLayout &layout, int64_t rank,
                const RankBuffers &buffers);

  /// After the frame, in the order of the parameters.
  std::vector<uint64_t> words() const { return parameters; }
  /// The weights of the choices, wherever the program has put them, as the
  /// host wants them: layer after layer.
  void giveWeights(float *destination) const;

private:
  /// A part of a port's matrix.
  struct Part {
    ElementType type;
    const moert_matrix *matrix;
    int64_t size() const { return matrix->sizes[0] * matrix->sizes[1]; }
  };

  /// In the host's memory, or in memory of its own where that is null.
  Part add(const Port &port, void *hosted);

  const ProgramLayout &layout;
  int64_t rank;
  int64_t tokens;
  std::vector<uint64_t> parameters;
  /// Never moved: parameters point to them.
  std::deque<moert_matrix> matrices;
  /// For results that the host does not take as they are.
  std::vector<AlignedBuffer> scratch;
  /// One a layer.
  std::vector<Part> choiceWeights;
};
} // namespace

RankArguments::RankArguments(const ProgramLayout &layout, int64_t rank,
                             const RankBuffers &buffers)
    : layout(layout), rank(rank), tokens(buffers.tokens) {
  for (const Port &port : layout.arguments) {
    add(port, const_cast<void *>(buffers.input));
  }
  parameters.push_back(tokens);
  int32_t *experts = buffers.experts;
  for (const Port &port : layout.results) {
    switch (port.role) {
    case Port::Role::Expert: {
      Part part = add(port, experts);
      experts = experts ? experts + part.size() : nullptr;
      break;
    }
    case Port::Role::Weight:
      choiceWeights.push_back(add(port, nullptr));
      break;
    default:
      add(port, buffers.output);
    }
  }
}

RankArguments::Part RankArguments::add(const Port &port, void *hosted) {
  Rectangle part = rectangleOf(layout.ranks, rank, port, tokens);
  int64_t rows = part.rows.size(), columns = part.columns.size();
  if (!hosted) {
    scratch.emplace_back(rows * columns * elementBytes(port.type));
    hosted = scratch.back().data();
  }
  matrices.push_back(describeMatrix(hosted, rows, columns));
  parameters.push_back(reinterpret_cast<uint64_t>(&matrices.back()));
  return {port.type, &matrices.back()};
}

void RankArguments::giveWeights(float *destination) const {
  if (!destination) {
    return;
  }
  for (const Part &part : choiceWeights) {
    convert(part.type, part.matrix->data, ElementType::F32, destination,
            part.size());
    destination += part.size();
  }
}

llvm::Expected<std::unique_ptr<HostedRank>>
HostedRank::join(const HostedProgram &program, const RankSetup &setup,
                 const moert_bootstrap &bootstrap) {
  if (bootstrap.size != setup.ranks) {
    return llvm::createStringError(
        formatv("expected a bootstrap table of {0} ranks, for which the module "
                "is planned, but got {1}",
                setup.ranks, bootstrap.size));
  }
  if (program.layout->arguments.size() != 1) {
    return llvm::createStringError(
        "expected a program that computes its routing, but got one that takes "
        "it");
  }
  std::unique_ptr<HostedRank> rank(new HostedRank(program, bootstrap.rank));
  std::unique_ptr<RankPlatform> threads = RankPlatform::create({});
  RuntimeOptions runtime(setup, *threads);
  moert_message message = {};
  message.struct_size = sizeof(message);
  if (moert_context_create(&runtime.options(), &bootstrap, &rank->context,
                           &message) != MOERT_OK) {
    return llvm::make_error<RankFailure>(message.text);
  }
  llvm::ArrayRef<moert_group_set> sets = runtime.groupSets();
  if (!sets.empty() &&
      moert_context_bind_groups(rank->context, sets.data(),
                                static_cast<int32_t>(sets.size()),
                                nullptr) != MOERT_OK) {
    const char *text = "";
    moert_context_status(rank->context, &text);
    return llvm::make_error<RankFailure>(text);
  }
  return rank;
}

HostedRank::~HostedRank() { moert_context_destroy(context); }

Rectangle HostedRank::partOf(Port::Role role, int64_t tokens) const {
  const ProgramLayout &layout = *program.layout;
  const Port *port = role == Port::Role::Tokens ? layout.findArgument(role)
                                                : layout.findResult(role);
  return rectangleOf(layout.ranks, position, *port, tokens);
}

llvm::Error HostedRank::run(const RankBuffers &buffers) {
  if (llvm::Error error = program.planned->facts.checkTokens(buffers.tokens)) {
    return error;
  }
  if (partOf(Port::Role::Tokens, buffers.tokens).rows.size() > 0 &&
      (!buffers.input || !buffers.output)) {
    return llvm::createStringError(
        "expected buffers for the input and the output, but got null");
  }
  RankArguments arguments(*program.layout, position, buffers);
  moert_frame frame = {};
  frame.struct_size = sizeof(frame);
  frame.context = context;
  frame.handles = program.frames->handles(position);
  std::vector<uint64_t> words = {reinterpret_cast<uint64_t>(&frame)};
  llvm::append_range(words, arguments.words());
  if (moert_context_acquire_core(context) == MOERT_OK) {
    std::string layer = program.planned->layerName();
    RankScope scope(layer, position);
    callFunction(program.entry, words);
    moert_context_release_core(context);
  }
  const char *text = "";
  if (moert_context_status(context, &text) != MOERT_OK) {
    return llvm::make_error<RankFailure>(text);
  }
  arguments.giveWeights(buffers.weights);
  return llvm::Error::success();
}
