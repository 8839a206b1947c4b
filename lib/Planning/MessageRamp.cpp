//===- MessageRamp.cpp - Time of an exchange by its bytes -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/MessageRamp.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <array>
#include <cmath>

using namespace moe::planning;
using llvm::formatv;

Microseconds MessageRamp::timeOf(Bytes leaving) const {
  return latency + Microseconds(ramp * std::sqrt(leaving.value())) +
         leaving / bandwidth;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

namespace {
/// Where the columns that are read stand in a line.
struct TableColumns {
  static constexpr std::array<llvm::StringRef, 5> names = {
      "platform", "nccl", "gpus", "bytes_per_rank_sendbuf", "mean_us"};
  std::array<size_t, 5> positions = {};
};
} // namespace

static llvm::Expected<TableColumns> readHeader(llvm::StringRef line) {
  llvm::SmallVector<llvm::StringRef> found;
  line.split(found, ',');
  TableColumns columns;
  for (auto [name, position] :
       llvm::zip(TableColumns::names, columns.positions)) {
    auto *column = llvm::find(found, name);
    if (column == found.end()) {
      return llvm::createStringError(
          formatv("line 1: expected a column '{0}', but got '{1}'", name, line)
              .str());
    }
    position = column - found.begin();
  }
  return columns;
}

static llvm::Expected<AllToAllSample> readSample(llvm::StringRef line,
                                                 const TableColumns &columns) {
  llvm::SmallVector<llvm::StringRef> fields;
  line.split(fields, ',');
  size_t last =
      *std::max_element(columns.positions.begin(), columns.positions.end());
  if (fields.size() <= last) {
    return llvm::createStringError(
        formatv("expected at least {0} fields, but got {1}", last + 1,
                fields.size())
            .str());
  }
  auto field = [&](size_t index) {
    return fields[columns.positions[index]].trim();
  };
  AllToAllSample sample;
  sample.platform = field(0).str();
  sample.library = field(1).str();
  double bytes = 0, time = 0;
  if (field(2).getAsInteger(10, sample.devices) || sample.devices < 2) {
    return llvm::createStringError(
        formatv("expected at least 2 GPUs, but got '{0}'", field(2)).str());
  }
  if (field(3).getAsDouble(bytes) || !(bytes > 0) || !std::isfinite(bytes) ||
      field(4).getAsDouble(time) || !(time > 0) || !std::isfinite(time)) {
    return llvm::createStringError(
        formatv("expected bytes and microseconds above 0, but got '{0}' and "
                "'{1}'",
                field(3), field(4))
            .str());
  }
  sample.sendBuffer = Bytes(bytes);
  sample.time = Microseconds(time);
  return sample;
}

llvm::Expected<std::vector<AllToAllSample>>
moe::planning::readAllToAllTable(llvm::StringRef text) {
  auto [header, rest] = text.split('\n');
  llvm::Expected<TableColumns> columns = readHeader(header.trim());
  if (!columns) {
    return columns.takeError();
  }
  std::vector<AllToAllSample> samples;
  for (int64_t number = 2; !rest.empty(); ++number) {
    llvm::StringRef line;
    std::tie(line, rest) = rest.split('\n');
    if (line.trim().empty()) {
      continue;
    }
    llvm::Expected<AllToAllSample> sample = readSample(line, *columns);
    if (!sample) {
      return llvm::createStringError(
          formatv("line {0}: {1}", number, llvm::toString(sample.takeError()))
              .str());
    }
    samples.push_back(std::move(*sample));
  }
  return samples;
}

//===----------------------------------------------------------------------===//
// The fit
//===----------------------------------------------------------------------===//

/// Factors of 1, √x and x.
using Factors = std::array<double, 3>;

static Factors termsOf(Bytes leaving) {
  return {1.0, std::sqrt(leaving.value()), leaving.value()};
}

/// Solves the normal equations of the terms in `mask`; the others are 0. False
/// where they are singular.
static bool solveTerms(const std::array<Factors, 3> &matrix,
                       const Factors &right, unsigned mask, Factors &solution) {
  llvm::SmallVector<unsigned, 3> terms;
  for (unsigned term = 0; term < 3; ++term) {
    if (mask & (1u << term)) {
      terms.push_back(term);
    }
  }
  size_t size = terms.size();
  double rows[3][4] = {};
  for (size_t row = 0; row < size; ++row) {
    for (size_t column = 0; column < size; ++column) {
      rows[row][column] = matrix[terms[row]][terms[column]];
    }
    rows[row][size] = right[terms[row]];
  }
  for (size_t pivot = 0; pivot < size; ++pivot) {
    // The matrix is positive definite unless it is singular: no row exchange.
    if (!(std::abs(rows[pivot][pivot]) > 0)) {
      return false;
    }
    for (size_t row = 0; row < size; ++row) {
      double factor = rows[row][pivot] / rows[pivot][pivot];
      for (size_t column = pivot; row != pivot && column <= size; ++column) {
        rows[row][column] -= factor * rows[pivot][column];
      }
    }
  }
  solution = {};
  for (size_t row = 0; row < size; ++row) {
    solution[terms[row]] = rows[row][size] / rows[row][row];
  }
  return true;
}

/// The weighted least squares with no factor below 0: with three terms, the
/// best of the seven sets of terms that may differ from 0.
static Factors solveNonNegative(llvm::ArrayRef<AllToAllSample> samples,
                                llvm::ArrayRef<double> weights) {
  // Columns are scaled to their largest value, or the equations would mix
  // numbers of 1 and 10^17.
  Factors scale = {};
  for (const AllToAllSample &sample : samples) {
    Factors terms = termsOf(sample.leaving());
    for (unsigned term = 0; term < 3; ++term) {
      scale[term] = std::max(scale[term], terms[term]);
    }
  }
  std::array<Factors, 3> matrix = {};
  Factors right = {};
  for (auto [sample, weight] : llvm::zip(samples, weights)) {
    Factors terms = termsOf(sample.leaving());
    for (unsigned row = 0; row < 3; ++row) {
      double left = weight * terms[row] / scale[row];
      right[row] += left * sample.time.value();
      for (unsigned column = 0; column < 3; ++column) {
        matrix[row][column] += left * terms[column] / scale[column];
      }
    }
  }
  // The error, less what does not depend on the factors: f·M·f − 2·r·f.
  Factors best = {};
  double bestError = 0;
  for (unsigned mask = 1; mask < 8; ++mask) {
    Factors solution;
    if (!solveTerms(matrix, right, mask, solution) ||
        llvm::any_of(solution, [](double factor) { return factor < 0; })) {
      continue;
    }
    double error = 0;
    for (unsigned term = 0; term < 3; ++term) {
      error -= right[term] * solution[term];
    }
    if (error < bestError) {
      bestError = error;
      best = solution;
    }
  }
  for (unsigned term = 0; term < 3; ++term) {
    best[term] /= scale[term];
  }
  return best;
}

llvm::Expected<MessageRamp>
moe::planning::fitRamp(llvm::ArrayRef<AllToAllSample> samples) {
  if (samples.size() < 3) {
    return llvm::createStringError(
        formatv("expected at least 3 measured rows, but got {0}",
                samples.size())
            .str());
  }
  std::vector<double> weights;
  for (const AllToAllSample &sample : samples) {
    weights.push_back(1 / (sample.time.value() * sample.time.value()));
  }
  // Squares of relative errors would let a few disturbed rows decide. Weights
  // of 1/error turn them into absolute values; errors below 2 % count as noise.
  constexpr int rounds = 30;
  constexpr double noise = 0.02;
  MessageRamp ramp;
  for (int round = 0; round < rounds; ++round) {
    Factors factors = solveNonNegative(samples, weights);
    ramp.latency = Microseconds(factors[0]);
    ramp.ramp = factors[1];
    // 1 us a byte is 10^-3 GB/s; without a term in x there is no limit.
    ramp.bandwidth = GigabytesPerSecond(
        factors[2] > 0 ? 1e-3 / factors[2]
                       : std::numeric_limits<double>::infinity());
    std::vector<double> errors = relativeErrors(ramp, samples);
    for (auto [weight, error, sample] : llvm::zip(weights, errors, samples)) {
      double time = sample.time.value();
      weight = 1 / (time * time * std::max(error, noise));
    }
  }
  return ramp;
}

std::vector<double>
moe::planning::relativeErrors(const MessageRamp &ramp,
                              llvm::ArrayRef<AllToAllSample> samples) {
  std::vector<double> errors;
  for (const AllToAllSample &sample : samples) {
    errors.push_back(std::abs(ramp.timeOf(sample.leaving()) / sample.time - 1));
  }
  return errors;
}

FitError moe::planning::summarizeErrors(std::vector<double> errors) {
  FitError summary;
  summary.rows = errors.size();
  if (errors.empty()) {
    return summary;
  }
  llvm::sort(errors);
  summary.median = errors[errors.size() / 2];
  summary.percentile90 =
      errors[std::min(errors.size() - 1, errors.size() * 9 / 10)];
  return summary;
}
