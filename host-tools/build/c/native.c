/*
 * The guarded native build: the C of a device, compiled for this computer with the address and undefined-behaviour
 * sanitizers. Static memory lies at its own addresses, in memory shared with the host (host-tools/native/process.ts), and
 * what no buffer owns is poisoned. The host calls exported functions, the program calls imported ones, over two pipes:
 *
 *     host → program   u32 export, u32 argument × 8             call
 *     program → host   0xffffffff, u32 result                   the call has returned
 *     program → host   u32 import, u32 argument × 8             the program calls
 *     host → program   u32 result                               and this is the answer
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARGUMENTS 8
#define RETURNED 0xffffffffu
#define PIPE_IN 3
#define PIPE_OUT 4
#define SHARED 5

struct w2c_hw;

static void take(void* to, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t got = read(PIPE_IN, (char*)to + done, bytes - done);
    if (got <= 0) _exit(0); /* the host has gone */
    done += (size_t)got;
  }
}

static void give(const void* from, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t put = write(PIPE_OUT, (const char*)from + done, bytes - done);
    if (put <= 0) _exit(0);
    done += (size_t)put;
  }
}

static uint32_t call_host(uint32_t import, const uint32_t* arguments) {
  uint32_t words[1 + ARGUMENTS] = {import}, result;
  memcpy(words + 1, arguments, sizeof(uint32_t) * ARGUMENTS);
  give(words, sizeof words);
  take(&result, sizeof result);
  return result;
}

/* The host reads or writes memory that the program names: that must be somebody's, as if the program did it itself. */
__attribute__((noinline)) static void check_region(uint32_t at, uint32_t bytes) {
  volatile const uint8_t* byte = (volatile const uint8_t*)__asan_region_is_poisoned((void*)(uintptr_t)at, bytes);
  if (byte) (void)*byte;
}

/* Generated: the imports, with calls of call_host. */
#include "imports.inc"

#include "program.h"

/* Generated: instantiate(), call_export(), and owned[], the ranges that buffers own, in order. */
#include "exports.inc"

void wasm_rt_trap(wasm_rt_trap_t code) {
  fprintf(stderr, "the program has trapped: code %d\n", (int)code);
  abort();
}

int main(void) {
  /* The files' names are pinned by the host; addresses come from the build. */
  void* at = mmap((void*)(uintptr_t)MEMORY_BASE, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, SHARED,
                  MEMORY_BASE);
  if (at == MAP_FAILED) {
    perror("mmap");
    return 1;
  }
  uint32_t from = MEMORY_BASE;
  for (unsigned i = 0; i < sizeof owned / sizeof *owned; i++) {
    if (owned[i].from > from) __asan_poison_memory_region((void*)(uintptr_t)from, owned[i].from - from);
    from = owned[i].to;
  }
  if (from < MEMORY_BASE + STATIC_BYTES) {
    __asan_poison_memory_region((void*)(uintptr_t)from, MEMORY_BASE + STATIC_BYTES - from);
  }
  instantiate();
  for (;;) {
    uint32_t words[1 + ARGUMENTS], answer[2] = {RETURNED};
    take(words, sizeof words);
    answer[1] = call_export(words[0], words + 1);
    give(answer, sizeof answer);
  }
}
