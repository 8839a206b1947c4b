//===- XmlTree.cpp - The elements of an XML file --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "XmlTree.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <climits>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <memory>

using namespace moe::topology;

std::optional<llvm::StringRef>
XmlElement::find(llvm::StringRef attribute) const {
  for (const auto &[key, value] : attributes) {
    if (key == attribute) {
      return value;
    }
  }
  return std::nullopt;
}

namespace moe::topology {
/// Receives libxml2's events. The first problem ends the reading.
class XmlReader {
public:
  XmlReader(llvm::MemoryBufferRef file, XmlTree &tree)
      : file(file), tree(tree) {}

  llvm::Error run();

private:
  static XmlReader &of(void *context) {
    return *static_cast<XmlReader *>(
        static_cast<xmlParserCtxtPtr>(context)->_private);
  }
  static void startElement(void *context, const xmlChar *name, const xmlChar *,
                           const xmlChar *, int, const xmlChar **,
                           int attributeCount, int, const xmlChar **attributes);
  static void endElement(void *context, const xmlChar *, const xmlChar *,
                         const xmlChar *);
  static void documentType(void *context, const xmlChar *, const xmlChar *,
                           const xmlChar *);
  static void parserError(void *context, xmlErrorPtr error);

  void stop(unsigned line, const llvm::Twine &message);
  unsigned line() const { return parser->input ? parser->input->line : 0; }

  llvm::MemoryBufferRef file;
  XmlTree &tree;
  xmlParserCtxtPtr parser = nullptr;
  std::vector<uint32_t> open;
  std::string problem;
  unsigned problemLine = 0;
};
} // namespace moe::topology

static llvm::StringRef toText(const xmlChar *text) {
  return reinterpret_cast<const char *>(text);
}

void XmlReader::stop(unsigned line, const llvm::Twine &message) {
  if (problem.empty()) {
    problem = message.str();
    problemLine = line;
    xmlStopParser(parser);
  }
}

void XmlReader::startElement(void *context, const xmlChar *name,
                             const xmlChar *, const xmlChar *, int,
                             const xmlChar **, int attributeCount, int,
                             const xmlChar **attributes) {
  XmlReader &reader = of(context);
  std::vector<XmlElement> &elements = reader.tree.elementList;
  if (elements.size() == XmlTree::maxElements) {
    reader.stop(reader.line(), llvm::Twine("expected at most ") +
                                   llvm::Twine(XmlTree::maxElements) +
                                   " elements, but got more");
    return;
  }
  XmlElement element;
  element.name = toText(name).str();
  element.line = reader.line();
  for (int index = 0; index < attributeCount; ++index) {
    // Name, prefix, namespace, and where the value begins and ends.
    const xmlChar **entry = attributes + ptrdiff_t{5} * index;
    const char *value = reinterpret_cast<const char *>(entry[3]);
    element.attributes.emplace_back(toText(entry[0]).str(),
                                    std::string(value, entry[4] - entry[3]));
  }
  if (!reader.open.empty()) {
    elements[reader.open.back()].children.push_back(elements.size());
  }
  reader.open.push_back(elements.size());
  elements.push_back(std::move(element));
}

void XmlReader::endElement(void *context, const xmlChar *, const xmlChar *,
                           const xmlChar *) {
  of(context).open.pop_back();
}

void XmlReader::documentType(void *context, const xmlChar *, const xmlChar *,
                             const xmlChar *) {
  XmlReader &reader = of(context);
  reader.stop(reader.line(), "expected no document type: entities are not "
                             "read");
}

void XmlReader::parserError(void *context, xmlErrorPtr error) {
  XmlReader &reader = of(context);
  if (error->level < XML_ERR_ERROR) {
    return;
  }
  unsigned line = error->line > 0 ? error->line : reader.line();
  if (error->code == XML_ERR_INVALID_CHAR ||
      error->code == XML_ERR_INVALID_ENCODING) {
    reader.stop(line, "expected UTF-8 text, but got other bytes");
    return;
  }
  llvm::StringRef message = error->message ? error->message : "bad XML";
  message = message.split('\n').first.rtrim(" .!");
  reader.stop(line, "expected XML: " + message.take_front(1).lower() +
                        message.drop_front(1));
}

llvm::Error XmlReader::run() {
  auto placed = [&](unsigned line, const llvm::Twine &message) {
    return formats::fileError({file.getBufferIdentifier().str(), line, 0},
                              message);
  };
  if (file.getBufferSize() == 0) {
    return placed(0, "expected XML, but the file is empty");
  }
  if (file.getBufferSize() > INT_MAX) {
    return placed(0, "expected at most 2 GiB");
  }
  parser = xmlCreateMemoryParserCtxt(file.getBufferStart(),
                                     static_cast<int>(file.getBufferSize()));
  if (!parser) {
    return placed(0, "expected XML");
  }
  xmlSAXHandler events = {};
  events.initialized = XML_SAX2_MAGIC;
  events.startElementNs = startElement;
  events.endElementNs = endElement;
  events.internalSubset = documentType;
  events.serror = parserError;
  *parser->sax = events;
  parser->_private = this;
  xmlCtxtUseOptions(parser, XML_PARSE_NONET);
  xmlParseDocument(parser);
  xmlFreeParserCtxt(parser);
  if (!problem.empty()) {
    return placed(problemLine, problem);
  }
  if (tree.elementList.empty()) {
    return placed(0, "expected XML, but got no element");
  }
  return llvm::Error::success();
}

llvm::Expected<XmlTree> XmlTree::parse(llvm::MemoryBufferRef file) {
  XmlTree tree;
  if (llvm::Error error = XmlReader(file, tree).run()) {
    return std::move(error);
  }
  return tree;
}
