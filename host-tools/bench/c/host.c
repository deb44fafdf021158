/* The replay as a program of this computer, for callgrind: entering the program's turn turns the count on, HOOK code off. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOOK __attribute__((noinline, used))

#define bench_copy memcpy

#include "replay.h"

/* Callgrind writes down what it has counted before each call of this function (--dump-before). */
__attribute__((noinline, used)) static void bench_mark(uint32_t number) {
  __asm volatile("" ::"r"(number) : "memory");
}

HOOK static void replay_mark(uint32_t number) {
  bench_mark(number);
}

HOOK static void replay_failed(uint32_t why) {
  fprintf(stderr, "the replay has failed: %u\n", why);
  exit(1);
}

HOOK static uint32_t replay_more(void) {
  return 0;
}

HOOK static void replay_frame_out(const uint8_t* frame, uint32_t bytes) {
  (void)frame;
  (void)bytes;
}

#ifndef LWIP
HOOK void wasm_rt_trap(wasm_rt_trap_t code) {
  fprintf(stderr, "the program has trapped: code %d\n", (int)code);
  exit(1);
}
#endif

int main(int count, char** arguments) {
  const int file = count == 2 ? open(arguments[1], O_RDONLY) : -1;
  struct stat facts;
  if (file < 0 || fstat(file, &facts) != 0) return 2;
  const uint32_t* trace = mmap(0, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  uint8_t* memory = mmap((void*)(uintptr_t)MEMORY_BASE, MEMORY_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (trace == MAP_FAILED || memory == MAP_FAILED) return 3;
  uint8_t* body = memory + MEMORY_BYTES - BODY_BYTES;
  memset(body, 0, BODY_BYTES);
  replay(trace, (uint32_t)(uintptr_t)body);
  return 0;
}
