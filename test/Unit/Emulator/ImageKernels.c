/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
//===- ImageKernels.c - An image of kernels as a shared object ------------===//

#include "emulator/KernelImage.h"

/* Adds argument 1 to each of the 32-bit numbers from argument 0 on. */
static void addToAll(const moert_kernel_calls *calls,
                     moert_kernel_thread *thread, const uint64_t *arguments) {
  uint64_t index = calls->special(thread, MOERT_KERNEL_CTAID_X) *
                       calls->special(thread, MOERT_KERNEL_NTID_X) +
                   calls->special(thread, MOERT_KERNEL_TID_X);
  uint64_t address = arguments[0] + 4 * index;
  int32_t value =
      *(int32_t *)calls->access(thread, address, 4, MOERT_KERNEL_READ, 0);
  *(int32_t *)calls->access(thread, address, 4, MOERT_KERNEL_WRITE, 1) =
      value + (int32_t)arguments[1];
}

static const char *const sites[] = {"load at kernels.c:3",
                                    "store at kernels.c:4"};
static const moert_kernel_entry entries[] = {
    {"add_to_all", addToAll, 2, 16, 0}};

/* The datum is called like its type. */
__attribute__((visibility("default"))) extern const moert_kernel_image
    moert_kernel_image_of_this_object __asm__("moert_kernel_image");
const moert_kernel_image moert_kernel_image_of_this_object = {
    MOERT_KERNEL_ABI, 1, entries, 2, sites, "test"};
