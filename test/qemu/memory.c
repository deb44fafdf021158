/*
 * Copies and fills of host-tools/build/c/memory.c on a core whose loads may be unaligned, beside loops over bytes; each byte around the
 * destination is looked at, too. Semihosting tells how many are wrong.
 */
#include <stddef.h>
#include <stdint.h>

#define AREA 512

void* memcpy(void* restrict to, const void* restrict from, size_t bytes);
void* memmove(void* to, const void* from, size_t bytes);
void* memset(void* to, int value, size_t bytes);

static uint8_t area[AREA] __attribute__((aligned(4))), expected[AREA], before[AREA];
static uint32_t seed = 3, wrong, looked;

static void prepare(void) {
  for (size_t i = 0; i < AREA; i++) {
    seed = seed * 1664525u + 1013904223u;
    ((volatile uint8_t*)area)[i] = ((volatile uint8_t*)before)[i] = ((volatile uint8_t*)expected)[i] = seed >> 24;
  }
}

static void look(void) {
  looked++;
  for (size_t i = 0; i < AREA; i++) wrong += ((volatile uint8_t*)area)[i] != expected[i];
}

static void try_copies(size_t to, size_t from, size_t bytes) {
  for (int move = 0; move < 2; move++) {
    if (!move && from < to + bytes && to < from + bytes) continue;
    prepare();
    for (size_t i = 0; i < bytes; i++) ((volatile uint8_t*)expected)[to + i] = before[from + i];
    void* const at = move ? memmove(area + to, area + from, bytes) : memcpy(area + to, area + from, bytes);
    wrong += at != area + to;
    look();
  }
}

static void try_fill(size_t to, size_t bytes) {
  prepare();
  for (size_t i = 0; i < bytes; i++) ((volatile uint8_t*)expected)[to + i] = 0xa5;
  wrong += memset(area + to, 0x5a5, bytes) != area + to;
  look();
}

__attribute__((noreturn)) static void finish(uint32_t code) {
  const uint32_t block[2] = {0x20026, code};
  register uint32_t r0 __asm("r0") = 0x20;
  register const uint32_t* r1 __asm("r1") = block;
  for (;;) __asm volatile("bkpt 0xab" ::"r"(r0), "r"(r1) : "memory");
}

static void fault(void) {
  finish(2);
}

static void start(void) {
  static const uint8_t sizes[] = {0, 1, 2, 3, 4, 11, 12, 13, 15, 16, 17, 19, 31, 32, 47, 63, 64, 65, 79, 95, 127, 128, 131, 200};
  for (size_t k = 0; k < sizeof sizes; k++) {
    for (size_t to = 64; to < 68; to++) {
      /* Apart, and over each other both ways. */
      for (size_t from = 270; from < 274; from++) try_copies(to, from, sizes[k]);
      for (size_t from = 44; from < 90; from += 3) try_copies(to, from, sizes[k]);
      try_fill(to, sizes[k]);
    }
  }
  finish(wrong != 0 || looked < 2000 ? 1 : 0);
}

__attribute__((section(".vectors"), used)) static const struct {
  uint32_t stack;
  void (*handlers[15])(void);
} vectors = {0x20010000, {start, [1 ... 14] = fault}};
