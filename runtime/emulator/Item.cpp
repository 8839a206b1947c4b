// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Item.cpp -----------------------------------------------------------===//

#include "emulator/Item.h"
#include "emulator/Machine.h"

#include <cstring>

namespace moert::emulator {

std::string CopyItem::name() const {
  switch (kind) {
  case Kind::ToDevice:
    return "copy to the device";
  case Kind::ToHost:
    return "copy to the host";
  case Kind::OnDevice:
    return "copy on the device";
  case Kind::Fill:
    return "fill";
  }
  return {};
}

bool CopyItem::run(Machine &machine) {
  char *source = nullptr;
  if (kind == Kind::ToDevice) {
    source = machine.accessHost(stream, from, name());
  } else if (kind != Kind::Fill) {
    source = machine.access(stream, from, bytes, AccessKind::Read, name());
  }
  char *target =
      kind == Kind::ToHost
          ? machine.accessHost(stream, to, name())
          : machine.access(stream, to, bytes, AccessKind::Write, name());
  if (target && kind == Kind::Fill) {
    std::memset(target, value, bytes);
  } else if (target && source) {
    std::memmove(target, source, bytes);
    if (kind == Kind::OnDevice) {
      machine.copyInitialized(to, from, bytes);
    }
  }
  return true;
}

static std::shared_ptr<Record>
recordOfLaunch(const std::shared_ptr<Record> &record, RecordMap &records) {
  std::shared_ptr<Record> &launched = records[record.get()];
  if (!launched) {
    launched = std::make_shared<Record>();
  }
  return launched;
}

bool RecordItem::run(Machine &) {
  record->clock = stream->clock;
  record->done = true;
  return true;
}

std::unique_ptr<Item> RecordItem::clone(RecordMap &records) const {
  return std::make_unique<RecordItem>(recordOfLaunch(record, records));
}

bool WaitItem::run(Machine &) {
  stream->clock.join(record->clock);
  return true;
}

std::unique_ptr<Item> WaitItem::clone(RecordMap &records) const {
  return std::make_unique<WaitItem>(recordOfLaunch(record, records));
}

} // namespace moert::emulator
