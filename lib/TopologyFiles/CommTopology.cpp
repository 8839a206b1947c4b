//===- CommTopology.cpp - comm.topology from the text of a module ---------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads one operation of an MLIR file without MLIR, for programs that do not
// have it; everything else in the file is skipped over. The grammar is the
// operation's assembly format (dialects/comm/CommMeshOps.td):
//
//   comm.topology @name tiers [tier, …]
//     (node [vertex, …] links [link, …])? (assumed ["…", …])?
//   tier   = name : int x float GB/s float us (shared_by int)? (shape)?
//   vertex = name : kind (bus "…")? (model "…")? (numa int)? (host int)?
//            (speed float GB/s)? (indirect)?
//   link   = name to name : kind float GB/s (back float GB/s)?
//
//===----------------------------------------------------------------------===//

#include "ModuleLexer.h"
#include "moe/TopologyFiles/TopologyFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace moe::topology;
using namespace moe::planning;
using llvm::formatv;

namespace {
/// Reads the operation. Every function returns whether it went well; the first
/// problem is kept.
class CommReader {
public:
  explicit CommReader(llvm::MemoryBufferRef file)
      : file(file), lexer(file.getBuffer()) {
    advance();
  }

  llvm::Expected<Topology> read();

private:
  void advance() { token = lexer.lex(); }
  bool fail(const llvm::Twine &message);
  bool isPunctuation(llvm::StringRef text) const {
    return token.kind == TokenKind::Punctuation && token.text == text;
  }
  bool isWord(llvm::StringRef text) const {
    return token.kind == TokenKind::Word && token.text == text;
  }
  bool consumeWord(llvm::StringRef text);
  bool punctuation(llvm::StringRef text);
  bool word(llvm::StringRef text);
  bool name(std::string &result);
  bool string(std::string &result);
  bool integer(int64_t &result);
  bool decimal(double &result);
  bool rate(GigabytesPerSecond &result);
  bool list(llvm::function_ref<bool()> entry);

  bool skipToTopology();
  bool tier();
  bool vertex();
  bool link();
  bool linkEnd(uint32_t &vertex);
  bool body();

  llvm::MemoryBufferRef file;
  ModuleLexer lexer;
  Token token;
  std::string problem;
  size_t problemOffset = 0;

  std::vector<Tier> tiers;
  std::vector<Vertex> vertices;
  llvm::StringMap<uint32_t> vertexNames;
  std::vector<Edge> edges;
  std::vector<std::string> assumptions;
};
} // namespace

bool CommReader::fail(const llvm::Twine &message) {
  if (problem.empty()) {
    problem = message.str();
    problemOffset = token.offset;
  }
  return false;
}

bool CommReader::consumeWord(llvm::StringRef text) {
  if (!isWord(text)) {
    return false;
  }
  advance();
  return true;
}

/// What a token looks like in an error.
static std::string quote(const Token &token) {
  return token.kind == TokenKind::End ? "the end of the file"
                                      : "'" + token.text + "'";
}

bool CommReader::punctuation(llvm::StringRef text) {
  if (!isPunctuation(text)) {
    return fail(formatv("expected '{0}', but got {1}", text, quote(token)));
  }
  advance();
  return true;
}

bool CommReader::word(llvm::StringRef text) {
  return consumeWord(text) ||
         fail(formatv("expected '{0}', but got {1}", text, quote(token)));
}

bool CommReader::name(std::string &result) {
  if (token.kind != TokenKind::Word) {
    return fail(formatv("expected a name, but got {0}", quote(token)));
  }
  result = token.text;
  advance();
  return true;
}

bool CommReader::string(std::string &result) {
  if (token.kind != TokenKind::String) {
    return fail(formatv("expected a string, but got {0}", quote(token)));
  }
  result = token.text;
  advance();
  return true;
}

bool CommReader::integer(int64_t &result) {
  if (token.kind != TokenKind::Number ||
      llvm::StringRef(token.text).getAsInteger(10, result)) {
    return fail(formatv("expected a whole number, but got {0}", quote(token)));
  }
  advance();
  return true;
}

bool CommReader::decimal(double &result) {
  if (token.kind != TokenKind::Number ||
      llvm::StringRef(token.text).getAsDouble(result) ||
      !std::isfinite(result)) {
    return fail(formatv("expected a number, but got {0}", quote(token)));
  }
  advance();
  return true;
}

bool CommReader::rate(GigabytesPerSecond &result) {
  double value = 0;
  if (!decimal(value) || !word("GB") || !punctuation("/") || !word("s")) {
    return false;
  }
  result = GigabytesPerSecond(value);
  return true;
}

bool CommReader::list(llvm::function_ref<bool()> entry) {
  if (!punctuation("[")) {
    return false;
  }
  while (!isPunctuation("]")) {
    if (!entry()) {
      return false;
    }
    if (!isPunctuation(",")) {
      break;
    }
    advance();
  }
  return punctuation("]");
}

bool CommReader::tier() {
  Tier tier;
  double latency = 0;
  if (!name(tier.name) || !punctuation(":") || !integer(tier.size) ||
      !word("x") || !rate(tier.bandwidth) || !decimal(latency) || !word("us")) {
    return false;
  }
  tier.latency = Microseconds(latency);
  if (consumeWord("shared_by") && !integer(tier.devicesPerPort)) {
    return false;
  }
  if (token.kind == TokenKind::Word) {
    std::optional<TierShape> shape = parseTierShape(token.text);
    if (!shape) {
      return fail(formatv("expected switch, ring or fully_connected, but got "
                          "{0}",
                          quote(token)));
    }
    tier.shape = *shape;
    advance();
  }
  tiers.push_back(std::move(tier));
  return true;
}

bool CommReader::vertex() {
  Vertex vertex;
  int64_t numa = 0;
  if (!name(vertex.name) || !punctuation(":")) {
    return false;
  }
  std::optional<VertexKind> found = parseVertexKind(token.text);
  if (token.kind != TokenKind::Word || !found) {
    return fail(
        formatv("expected a kind of vertex, but got {0}", quote(token)));
  }
  vertex.kind = *found;
  advance();
  if (consumeWord("bus") && !string(vertex.busId)) {
    return false;
  }
  if (consumeWord("model") && !string(vertex.model)) {
    return false;
  }
  if (consumeWord("numa")) {
    if (!integer(numa)) {
      return false;
    }
    vertex.numaNode = numa;
  }
  if (consumeWord("host") && !integer(vertex.host)) {
    return false;
  }
  if (consumeWord("speed") && !rate(vertex.speed)) {
    return false;
  }
  vertex.hasDirectAccess = !consumeWord("indirect");
  if (!vertexNames.try_emplace(vertex.name, vertices.size()).second) {
    return fail(formatv("expected distinct vertices, but got '{0}' twice",
                        vertex.name));
  }
  vertices.push_back(std::move(vertex));
  return true;
}

bool CommReader::linkEnd(uint32_t &vertex) {
  auto found = vertexNames.find(token.text);
  if (token.kind != TokenKind::Word || found == vertexNames.end()) {
    return fail(
        formatv("expected a vertex of the node, but got {0}", quote(token)));
  }
  vertex = found->second;
  advance();
  return true;
}

bool CommReader::link() {
  Edge edge;
  if (!linkEnd(edge.a) || !word("to") || !linkEnd(edge.b) ||
      !punctuation(":")) {
    return false;
  }
  std::optional<EdgeKind> kind = parseEdgeKind(token.text);
  if (token.kind != TokenKind::Word || !kind) {
    return fail(formatv("expected a kind of link, but got {0}", quote(token)));
  }
  edge.kind = *kind;
  advance();
  if (!rate(edge.forward)) {
    return false;
  }
  edge.backward = edge.forward;
  if (consumeWord("back") && !rate(edge.backward)) {
    return false;
  }
  edges.push_back(edge);
  return true;
}

bool CommReader::body() {
  if (token.kind != TokenKind::Symbol) {
    return fail(formatv("expected a symbol such as @cluster, but got {0}",
                        quote(token)));
  }
  advance();
  if (!word("tiers") || !list([&] { return tier(); })) {
    return false;
  }
  if (consumeWord("node") && (!list([&] {
        return vertex();
      }) || !word("links") || !list([&] { return link(); }))) {
    return false;
  }
  return !consumeWord("assumed") ||
         list([&] { return string(assumptions.emplace_back()); });
}

bool CommReader::skipToTopology() {
  while (token.kind != TokenKind::End && !isWord("comm.topology")) {
    advance();
  }
  return consumeWord("comm.topology");
}

llvm::Expected<Topology> CommReader::read() {
  if (!skipToTopology()) {
    return fileError({file.getBufferIdentifier().str()},
                     "expected a comm.topology in this file");
  }
  size_t begin = token.offset;
  if (body() && skipToTopology()) {
    fail("expected one comm.topology, but got another");
  }
  auto placeOf = [&](size_t offset) {
    llvm::StringRef before = file.getBuffer().take_front(offset);
    unsigned line = before.count('\n') + 1;
    unsigned column = before.size() - (before.rfind('\n') + 1) + 1;
    return FilePlace{file.getBufferIdentifier().str(), line, column};
  };
  if (!problem.empty()) {
    return fileError(placeOf(problemOffset), problem);
  }
  std::shared_ptr<const LinkGraph> graph;
  if (!vertices.empty()) {
    llvm::Expected<LinkGraph> made =
        LinkGraph::create(std::move(vertices), std::move(edges));
    if (!made) {
      return fileError(placeOf(begin), llvm::toString(made.takeError()));
    }
    graph = std::make_shared<const LinkGraph>(std::move(*made));
  }
  llvm::Expected<Topology> topology =
      Topology::create(std::move(tiers), std::move(graph));
  if (!topology) {
    return fileError(placeOf(begin), llvm::toString(topology.takeError()));
  }
  for (std::string &assumption : assumptions) {
    topology->assume(std::move(assumption));
  }
  return topology;
}

llvm::Expected<Topology>
moe::topology::readCommTopology(llvm::MemoryBufferRef file,
                                const TopologyOptions &options) {
  if (!options.isDefault()) {
    return expectNoOptions(file.getBufferIdentifier().str());
  }
  return CommReader(file).read();
}
