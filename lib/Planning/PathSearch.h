//===- PathSearch.h - NCCL's search for paths -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PATHSEARCH_H
#define MOE_LIB_PLANNING_PATHSEARCH_H

#include "moe/Planning/LinkGraph.h"

namespace moe::planning {

/// The paths of all vertices to one.
class PathSearch {
public:
  using Reach = LinkGraph::Reach;

  explicit PathSearch(const LinkGraph &graph);

  /// One a vertex; DIS where there is no path.
  std::vector<Reach> pathsTo(uint32_t base) const;

private:
  struct Link {
    ArcId arc;
    uint32_t target;
    bool isUplink;
  };
  using Frontier = std::vector<uint32_t>;

  void orderLinks();
  bool mayPass(uint32_t base, uint32_t vertex, const Link &link,
               const Reach &path) const;
  PathClass classBeyond(uint32_t vertex, const Link &link, const Reach &path,
                        size_t hops) const;

  const LinkGraph &graph;
  /// What leaves each vertex, in the order in which NCCL tries it.
  std::vector<std::vector<Link>> links;
};

/// The path over `first` and then `second`.
LinkGraph::Reach joinPaths(const LinkGraph::Reach &first,
                           const LinkGraph::Reach &second);

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PATHSEARCH_H
