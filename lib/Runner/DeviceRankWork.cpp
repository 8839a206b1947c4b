// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DeviceRankWork.h"

#include "llvm/ADT/STLExtras.h"

#include <map>

using namespace moe::runner;

DeviceRankWork::DeviceRankWork(const RankCall &call, moert_frame &frame)
    : call(call), frame(frame), context(frame.context) {
  moert_stream_create(context, &frame.stream);
  loadKernels();
  uploadHandles();
  uploadMatrices();
  moert_context_synchronize(context, frame.stream);
}

void *DeviceRankWork::upload(const void *data, int64_t bytes) {
  void *place = nullptr;
  moert_status status = moert_context_allocate(context, bytes, &place);
  if (status == MOERT_OUT_OF_MEMORY) {
    std::string text = "the device has no " + std::to_string(bytes) +
                       " bytes left for weights and tokens";
    moert_context_abort(context, status, text.c_str());
  }
  if (!place) {
    return nullptr;
  }
  blocks.emplace_back(place, bytes);
  moert_context_upload(context, frame.stream, place, data, bytes);
  return place;
}

void DeviceRankWork::loadKernels() {
  if (moert_module_load(context, call.code->image.data(),
                        static_cast<int64_t>(call.code->image.size()),
                        &module) != MOERT_OK) {
    return;
  }
  for (const std::string &name : call.code->kernels) {
    moert_kernel *kernel = nullptr;
    moert_module_kernel(module, name.c_str(), &kernel);
    kernels.push_back(kernel);
  }
  frame.kernels = kernels.data();
}

void DeviceRankWork::uploadHandles() {
  // Two handles may show the same part.
  std::map<const void *, void *> uploaded;
  auto place = [&](const HostBytes &part) -> void * {
    if (!part.data) {
      return nullptr;
    }
    auto [entry, isNew] = uploaded.try_emplace(part.data, nullptr);
    if (isNew) {
      entry->second = upload(part.data, part.bytes);
    }
    return entry->second;
  };
  for (const HandleData &handle : call.data) {
    std::vector<void *> &table = tables.emplace_back();
    for (const HostBytes &part : handle.parts) {
      table.push_back(place(part));
    }
    void *entry = table.empty() ? nullptr : table.front();
    if (handle.isTable) {
      entry = upload(static_cast<const void *>(table.data()),
                     static_cast<int64_t>(table.size() * sizeof(void *)));
    }
    handles.push_back(entry);
  }
  frame.handles = handles.data();
}

void DeviceRankWork::uploadMatrices() {
  for (const PortBuffer &buffer : call.buffers) {
    // Results too: what a program does not write must show.
    hosted.push_back(buffer.matrix->data);
    void *place = upload(buffer.matrix->data, buffer.bytes);
    buffer.matrix->allocated = buffer.matrix->data = place;
  }
}

void DeviceRankWork::finishCall() {
  moert_context_synchronize(context, frame.stream);
}

void DeviceRankWork::takeResults() {
  for (auto [buffer, place] : llvm::zip_equal(call.buffers, hosted)) {
    if (buffer.isResult) {
      moert_context_download(context, frame.stream, place, buffer.matrix->data,
                             buffer.bytes);
    }
  }
  moert_context_synchronize(context, frame.stream);
}

DeviceRankWork::~DeviceRankWork() {
  if (moert_context_status(context, nullptr) != MOERT_OK) {
    // Returns once nothing works on this rank's memory any more.
    moert_context_abort(context, MOERT_ABORTED, nullptr);
  }
  for (auto [buffer, place] : llvm::zip_equal(call.buffers, hosted)) {
    buffer.matrix->allocated = buffer.matrix->data = place;
  }
  for (auto [place, bytes] : blocks) {
    moert_context_deallocate(context, place, bytes);
  }
  moert_module_unload(module);
  moert_stream_destroy(context, frame.stream);
}
