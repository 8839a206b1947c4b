// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Item.h - Work that is queued on a stream -----------------*- C++ -*-===//

#ifndef MOERT_EMULATOR_ITEM_H
#define MOERT_EMULATOR_ITEM_H

#include "emulator/Clock.h"
#include "transports/nccl/CudaDriver.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace moert::emulator {

class Machine;
struct Capture;

/// One cuEventRecord: an event that is recorded again is another record.
struct Record {
  bool done = false;
  /// What has happened before it, once done.
  Clock clock;
  /// The stream that it is queued on.
  cuda::Stream stream = nullptr;
  /// The capture that it belongs to; null for a record that runs.
  Capture *capture = nullptr;
};

/// Of each record of a graph, that of one launch.
using RecordMap = std::map<const Record *, std::shared_ptr<Record>>;

class Item {
public:
  virtual ~Item() = default;

  /// For example "copy on device".
  virtual std::string name() const = 0;
  /// Called when it is put on a stream that runs.
  virtual void queued(Machine &) {}
  /// Whether it can take a step now that it is the first of its stream.
  virtual bool ready() const { return true; }
  /// Takes a step. Returns whether it is done.
  virtual bool run(Machine &machine) = 0;
  /// The same work for another launch of a graph.
  virtual std::unique_ptr<Item> clone(RecordMap &records) const = 0;
  /// The streams whose first items this one waits for; none if it is ready or
  /// waits for a host thread.
  virtual std::vector<cuda::Stream> waitsFor() const { return {}; }

  /// The stream that it is queued on.
  cuda::Stream stream = nullptr;
  /// What the host thread knew to have happened when it queued it.
  Clock before;
};

/// Copies or fills bytes. Addresses are of the host or of a device.
class CopyItem : public Item {
public:
  enum class Kind { ToDevice, ToHost, OnDevice, Fill };
  CopyItem(Kind kind, cuda::Pointer to, cuda::Pointer from, size_t bytes,
           unsigned char value = 0)
      : kind(kind), to(to), from(from), bytes(bytes), value(value) {}

  std::string name() const override;
  bool run(Machine &machine) override;
  std::unique_ptr<Item> clone(RecordMap &) const override {
    return std::make_unique<CopyItem>(kind, to, from, bytes, value);
  }

private:
  const Kind kind;
  const cuda::Pointer to;
  const cuda::Pointer from;
  const size_t bytes;
  const unsigned char value;
};

class RecordItem : public Item {
public:
  explicit RecordItem(std::shared_ptr<Record> record)
      : record(std::move(record)) {}

  std::string name() const override { return "event record"; }
  void queued(Machine &) override { record->stream = stream; }
  bool run(Machine &machine) override;
  std::unique_ptr<Item> clone(RecordMap &records) const override;

  const std::shared_ptr<Record> record;
};

class WaitItem : public Item {
public:
  explicit WaitItem(std::shared_ptr<Record> record)
      : record(std::move(record)) {}

  std::string name() const override { return "wait for an event"; }
  bool ready() const override { return record->done; }
  bool run(Machine &machine) override;
  std::unique_ptr<Item> clone(RecordMap &records) const override;
  std::vector<cuda::Stream> waitsFor() const override {
    return record->done || !record->stream
               ? std::vector<cuda::Stream>()
               : std::vector<cuda::Stream>{record->stream};
  }

  const std::shared_ptr<Record> record;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_ITEM_H
