//===- SmoothState.cpp - A placement's smooth time, and prices ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SmoothTime.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>

using namespace moe::planning;

//===----------------------------------------------------------------------===//
// Keeping count
//===----------------------------------------------------------------------===//

SmoothState::SmoothState(const SmoothModel &model,
                         std::vector<Service> newServices, int squarings)
    : smooth(&model), squarings(squarings), services(std::move(newServices)),
      hosted(model.ranks()), burdens(services.size()) {
  load.rows.resize(model.resources() + model.ranks());
  load.busy.resize(model.ranks());
  for (int64_t expert = 0; expert < facts().experts(); ++expert) {
    hosted.add(expert, services[expert]);
    keepBurden(expert);
    add(expert, services[expert], 1, load);
  }
  scratch = load;
  rescale();
}

/// Adds the rows of an expert that is served so.
void SmoothState::add(int64_t expert, const Service &service, double sign,
                      Burden &burden) const {
  size_t resources = smooth->resources(), count = service.ranks.size();
  if (count == 1 && smooth->isUniform()) {
    int32_t rank = service.ranks.front();
    double rows = sign * facts().rowsOf(expert);
    const double *pattern = smooth->pattern(rank).data();
    for (size_t resource = 0; resource < resources; ++resource) {
      burden.rows[resource] += rows * pattern[resource];
    }
    burden.rows[resources + rank] += rows;
    burden.busy[rank] += rows != 0 ? sign : 0;
    steps += resources;
    return;
  }
  for (size_t index = 0; index < count; ++index) {
    int32_t rank = service.ranks[index];
    double sum = 0;
    for (int64_t source = 0; source < facts().sources(); ++source) {
      double rows = facts().rows(source, expert);
      if (count > 1) {
        rows *= double(service.cells[source * count + index]) /
                facts().cellsPerSource();
      }
      if (rows <= 0) {
        continue;
      }
      sum += rows;
      llvm::ArrayRef<uint32_t> route = smooth->route(source, rank);
      for (uint32_t resource : route) {
        burden.rows[resource] += sign * rows;
      }
      steps += route.size();
    }
    burden.rows[resources + rank] += sign * sum;
    burden.busy[rank] += sum > 0 ? sign : 0;
  }
}

/// Walking the ways of a replicated expert's rows takes longer than adding up
/// what they come to.
void SmoothState::keepBurden(int64_t expert) {
  Burden &burden = burdens[expert];
  burden = {};
  if (services[expert].isReplicated()) {
    burden.rows.resize(load.rows.size());
    burden.busy.resize(load.busy.size());
    add(expert, services[expert], 1, burden);
  }
}

/// Takes away what the expert adds now.
void SmoothState::remove(int64_t expert, Burden &burden) const {
  const Burden &mine = burdens[expert];
  if (mine.rows.empty()) {
    add(expert, services[expert], -1, burden);
    return;
  }
  for (size_t index = 0; index < mine.rows.size(); ++index) {
    burden.rows[index] -= mine.rows[index];
  }
  for (size_t rank = 0; rank < mine.busy.size(); ++rank) {
    burden.busy[rank] -= mine.busy[rank];
  }
  steps += mine.rows.size();
}

double SmoothState::valueWith(llvm::ArrayRef<Assignment> changes) const {
  llvm::fill(scratch.rows, 0);
  llvm::fill(scratch.busy, 0);
  for (const Assignment &change : changes) {
    remove(change.expert, scratch);
    add(change.expert, change.service, 1, scratch);
  }
  return total(&scratch);
}

void SmoothState::apply(llvm::ArrayRef<Assignment> changes) {
  for (const Assignment &change : changes) {
    remove(change.expert, load);
    hosted.remove(change.expert, services[change.expert]);
  }
  for (const Assignment &change : changes) {
    services[change.expert] = change.service;
    hosted.add(change.expert, change.service);
    keepBurden(change.expert);
    add(change.expert, change.service, 1, load);
  }
  rescale();
}

void SmoothState::setNorm(int newSquarings) {
  squarings = newSquarings;
  rescale();
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

/// x to the power of 2^squarings.
static double power(double x, int squarings) {
  for (int round = 0; round < squarings; ++round) {
    x *= x;
  }
  return x;
}

/// The inverse. Roots are exact to the last bit on every machine.
static double root(double x, int squarings) {
  for (int round = 0; round < squarings; ++round) {
    x = std::sqrt(x);
  }
  return x;
}

double SmoothState::timeOf(const Burden &burden, size_t resource) const {
  return std::max(burden.rows[resource], 0.0) * smooth->units[resource] +
         smooth->firsts[resource];
}

double SmoothState::computeTime(double rows, double busy) const {
  return std::max(facts().flopTime * rows,
                  facts().rowTime * rows + facts().weightTime * busy);
}

/// Sum of (time / scale)^p over resources.
double SmoothState::sumOfPowers(size_t begin, size_t end, double scale,
                                const Burden *change) const {
  // Lanes of their own, which the compiler keeps in vector registers.
  constexpr size_t lanes = 8;
  double sums[lanes] = {};
  double inverse = 1 / scale;
  const double *rows = load.rows.data(), *units = smooth->units.data(),
               *firsts = smooth->firsts.data(),
               *more = change ? change->rows.data() : nullptr;
  size_t index = begin;
  for (; index + lanes <= end; index += lanes) {
    double x[lanes];
    for (size_t lane = 0; lane < lanes; ++lane) {
      double all = rows[index + lane] + (more ? more[index + lane] : 0);
      x[lane] = (all * units[index + lane] + firsts[index + lane]) * inverse;
    }
    for (int round = 0; round < squarings; ++round) {
      for (double &value : x) {
        value *= value;
      }
    }
    for (size_t lane = 0; lane < lanes; ++lane) {
      sums[lane] += x[lane];
    }
  }
  double sum = 0;
  for (double lane : sums) {
    sum += lane;
  }
  for (; index < end; ++index) {
    double all = rows[index] + (more ? more[index] : 0);
    sum += power((all * units[index] + firsts[index]) * inverse, squarings);
  }
  steps += end - begin;
  return sum;
}

/// Takes the maxima as scales, so that powers stay near 1.
void SmoothState::rescale() {
  double most[Terms] = {};
  size_t resources = smooth->resources();
  for (size_t resource = 0; resource < resources; ++resource) {
    double &slowest =
        most[resource < smooth->dispatchResources ? Dispatch : Combine];
    slowest = std::max(slowest, timeOf(load, resource));
  }
  for (int64_t rank = 0; rank < smooth->ranks(); ++rank) {
    double rows = load.rows[resources + rank];
    most[Compute] = std::max(most[Compute], computeTime(rows, load.busy[rank]));
    most[Receive] = std::max(most[Receive], facts().permuteTime * rows);
  }
  for (int term = 0; term < Terms; ++term) {
    norms[term].scale = most[term] > 0 ? most[term] : 1;
  }
  size_t middle = smooth->dispatchResources;
  norms[Dispatch].sum = sumOfPowers(0, middle, norms[Dispatch].scale, nullptr);
  norms[Combine].sum =
      sumOfPowers(middle, resources, norms[Combine].scale, nullptr);
  norms[Compute].sum = norms[Receive].sum = 0;
  for (int64_t rank = 0; rank < smooth->ranks(); ++rank) {
    double rows = load.rows[resources + rank];
    norms[Compute].sum += power(
        computeTime(rows, load.busy[rank]) / norms[Compute].scale, squarings);
    norms[Receive].sum +=
        power(facts().permuteTime * rows / norms[Receive].scale, squarings);
  }
  current = 0;
  for (const Norm &norm : norms) {
    current += norm.scale * root(norm.sum, squarings);
  }
}

/// The value after a change.
double SmoothState::total(const Burden *change) const {
  size_t resources = smooth->resources(), middle = smooth->dispatchResources;
  double sums[Terms] = {
      sumOfPowers(0, middle, norms[Dispatch].scale, change),
      sumOfPowers(middle, resources, norms[Combine].scale, change)};
  for (int64_t rank = 0; rank < smooth->ranks(); ++rank) {
    double rows = load.rows[resources + rank] + change->rows[resources + rank];
    double busy = load.busy[rank] + change->busy[rank];
    sums[Compute] +=
        power(computeTime(rows, busy) / norms[Compute].scale, squarings);
    sums[Receive] +=
        power(facts().permuteTime * rows / norms[Receive].scale, squarings);
  }
  steps += 2 * smooth->ranks();
  double value = 0;
  for (int term = 0; term < Terms; ++term) {
    value += norms[term].scale * root(sums[term], squarings);
  }
  return value;
}

//===----------------------------------------------------------------------===//
// Prices
//===----------------------------------------------------------------------===//

/// d norm / d time: (time / scale)^(p - 1) / sum^(1 - 1 / p).
double SmoothState::marginOf(double time, Term term) const {
  double x = time / norms[term].scale;
  return x > 0 ? power(x, squarings) / x * weightOf(term) : 0;
}

double SmoothState::weightOf(Term term) const {
  const Norm &norm = norms[term];
  return norm.sum > 0 ? root(norm.sum, squarings) / norm.sum : 0;
}

/// Of a row more on each resource, and on each rank.
std::vector<double> SmoothState::resourcePrices() const {
  size_t resources = smooth->resources();
  std::vector<double> prices(resources + smooth->ranks());
  for (size_t resource = 0; resource < resources; ++resource) {
    Term term = resource < smooth->dispatchResources ? Dispatch : Combine;
    prices[resource] =
        smooth->units[resource] * marginOf(timeOf(load, resource), term);
  }
  for (int64_t rank = 0; rank < smooth->ranks(); ++rank) {
    double rows = std::max(load.rows[resources + rank], 0.0);
    double margin = marginOf(computeTime(rows, load.busy[rank]), Compute);
    bool isBound =
        facts().flopTime * rows >=
        facts().rowTime * rows + facts().weightTime * load.busy[rank];
    prices[resources + rank] =
        margin * (isBound ? facts().flopTime : facts().rowTime) +
        facts().permuteTime * marginOf(facts().permuteTime * rows, Receive);
  }
  steps += prices.size();
  return prices;
}

PlacementPrices SmoothState::prices() const {
  int64_t ranks = smooth->ranks();
  size_t resources = smooth->resources();
  std::vector<double> ofResource = resourcePrices();
  PlacementPrices prices;
  prices.ofWay.resize(ranks * ranks);
  for (int64_t source = 0; source < ranks; ++source) {
    for (int64_t target = 0; target < ranks; ++target) {
      double price = ofResource[resources + target];
      for (uint32_t resource : smooth->route(source, target)) {
        price += ofResource[resource];
      }
      prices.ofWay[source * ranks + target] = price;
      steps += smooth->route(source, target).size();
    }
  }
  for (int64_t rank = 0; rank < ranks; ++rank) {
    double rows = std::max(load.rows[resources + rank], 0.0);
    double reading =
        facts().rowTime * rows + facts().weightTime * load.busy[rank];
    prices.ofExpert.push_back(reading > facts().flopTime * rows
                                  ? facts().weightTime *
                                        marginOf(reading, Compute)
                                  : 0);
  }
  return prices;
}

std::vector<double>
SmoothState::pricesTo(llvm::ArrayRef<int32_t> targets) const {
  std::vector<double> ofResource = resourcePrices();
  std::vector<double> prices;
  for (int64_t source = 0; source < smooth->ranks(); ++source) {
    for (int32_t target : targets) {
      double price = ofResource[smooth->resources() + target];
      for (uint32_t resource : smooth->route(source, target)) {
        price += ofResource[resource];
      }
      prices.push_back(price);
      steps += smooth->route(source, target).size();
    }
  }
  return prices;
}

Service SmoothState::leveled(int64_t expert, std::vector<int32_t> ranks) const {
  llvm::ArrayRef<double> received =
      llvm::ArrayRef(load.rows).drop_front(smooth->resources());
  return facts().leveled(expert, services[expert], received, std::move(ranks));
}
