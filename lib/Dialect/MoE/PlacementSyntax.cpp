// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlacementSyntax.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::moe;

//===----------------------------------------------------------------------===//
// Slots
//===----------------------------------------------------------------------===//

ParseResult mlir::moe::parseSlotLists(OpAsmParser &parser, ArrayAttr &slots) {
  SmallVector<Attribute> ranks;
  auto parseRank = [&]() -> ParseResult {
    SmallVector<int64_t> experts;
    auto parseSlot = [&] {
      return parser.parseInteger(experts.emplace_back());
    };
    if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                       parseSlot)) {
      return failure();
    }
    ranks.push_back(parser.getBuilder().getDenseI64ArrayAttr(experts));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseRank)) {
    return failure();
  }
  slots = parser.getBuilder().getArrayAttr(ranks);
  return success();
}

void mlir::moe::printSlotLists(OpAsmPrinter &printer, Operation *,
                               ArrayAttr slots) {
  printer << "[";
  llvm::interleaveComma(slots.getAsRange<DenseI64ArrayAttr>(), printer,
                        [&](DenseI64ArrayAttr rank) {
                          printer << "[";
                          llvm::interleaveComma(rank.asArrayRef(), printer);
                          printer << "]";
                        });
  printer << "]";
}

//===----------------------------------------------------------------------===//
// Replica tables
//===----------------------------------------------------------------------===//

/// `on 5 from 4 class 40`: a host and the first cell that it serves.
static ParseResult parseEntry(AsmParser &parser,
                              SmallVectorImpl<int64_t> &hosts,
                              SmallVectorImpl<int64_t> &begins) {
  SMLoc loc = parser.getCurrentLocation();
  int64_t source = 0, tokenClass = 0;
  if (parser.parseKeyword("on") || parser.parseInteger(hosts.emplace_back()) ||
      parser.parseKeyword("from") || parser.parseInteger(source) ||
      (succeeded(parser.parseOptionalKeyword("class")) &&
       parser.parseInteger(tokenClass))) {
    return failure();
  }
  if (source < 0 || source > comm::kMaxCount) {
    return parser.emitError(loc, "expected a source rank of at least 0, but "
                                 "got ")
           << source;
  }
  if (tokenClass < 0 || tokenClass >= ReplicaTableAttr::kTokenClasses) {
    return parser.emitError(loc, "expected a token class from 0 to ")
           << ReplicaTableAttr::kTokenClasses - 1 << ", but got " << tokenClass;
  }
  begins.push_back(source * ReplicaTableAttr::kTokenClasses + tokenClass);
  return success();
}

/// `17: [on 0 from 0, on 5 from 4 class 40]`
static FailureOr<ReplicaTableAttr> parseTable(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  int64_t expert = 0;
  SmallVector<int64_t> hosts, begins;
  if (parser.parseInteger(expert) || parser.parseColon() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        return parseEntry(parser, hosts, begins);
      })) {
    return failure();
  }
  auto emitError = [&] { return parser.emitError(loc); };
  ReplicaTableAttr table = ReplicaTableAttr::getChecked(
      emitError, parser.getContext(), expert, ArrayRef<int64_t>(hosts),
      ArrayRef<int64_t>(begins));
  if (!table) {
    return failure();
  }
  return table;
}

static void printTable(AsmPrinter &printer, ReplicaTableAttr table) {
  printer << table.getExpert() << ": [";
  llvm::interleaveComma(llvm::zip_equal(table.getHosts(), table.getBegins()),
                        printer, [&](auto entry) {
                          auto [host, begin] = entry;
                          int64_t classes = ReplicaTableAttr::kTokenClasses;
                          printer << "on " << host << " from "
                                  << begin / classes;
                          if (begin % classes != 0) {
                            printer << " class " << begin % classes;
                          }
                        });
  printer << "]";
}

Attribute ReplicaTableAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess()) {
    return {};
  }
  FailureOr<ReplicaTableAttr> table = parseTable(parser);
  if (failed(table) || parser.parseGreater()) {
    return {};
  }
  return *table;
}

void ReplicaTableAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printTable(printer, *this);
  printer << ">";
}

LogicalResult
ReplicaTableAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                         int64_t expert, ArrayRef<int64_t> hosts,
                         ArrayRef<int64_t> begins) {
  if (hosts.size() != begins.size()) {
    return emitError() << "expected a beginning for each of " << hosts.size()
                       << " entries, but got " << begins.size();
  }
  if (begins.empty() || begins.front() != 0) {
    return emitError() << "expected the table of expert " << expert
                       << " to begin at source rank 0, class 0";
  }
  for (size_t index = 1; index < begins.size(); ++index) {
    if (begins[index] <= begins[index - 1]) {
      return emitError() << "expected the entries of expert " << expert
                         << " to ascend, but source rank "
                         << begins[index] / kTokenClasses << ", class "
                         << begins[index] % kTokenClasses
                         << " does not follow source rank "
                         << begins[index - 1] / kTokenClasses << ", class "
                         << begins[index - 1] % kTokenClasses;
    }
  }
  return success();
}

ParseResult mlir::moe::parseReplicaTables(OpAsmParser &parser,
                                          ArrayAttr &tables) {
  SmallVector<Attribute> list;
  auto parseOne = [&]() -> ParseResult {
    FailureOr<ReplicaTableAttr> table = parseTable(parser);
    if (failed(table)) {
      return failure();
    }
    list.push_back(*table);
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseOne)) {
    return failure();
  }
  tables = parser.getBuilder().getArrayAttr(list);
  return success();
}

void mlir::moe::printReplicaTables(OpAsmPrinter &printer, Operation *,
                                   ArrayAttr tables) {
  printer << "[";
  printer.increaseIndent();
  llvm::interleave(
      tables.getAsRange<ReplicaTableAttr>(),
      [&](ReplicaTableAttr table) {
        printer.printNewline();
        printTable(printer, table);
      },
      [&] { printer << ","; });
  printer.decreaseIndent();
  if (!tables.empty()) {
    printer.printNewline();
  }
  printer << "]";
}
