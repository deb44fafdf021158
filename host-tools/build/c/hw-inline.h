/*
 * The WebAssembly imports of module `hw` on a Cortex-M (hal/cortex-m/hw.ts), as functions that inline to the instruction
 * they name. Included before the generated C, whose plain declarations of them then keep internal linkage.
 */
#ifndef HW_INLINE_H
#define HW_INLINE_H

#include <stdint.h>

struct w2c_hw;

#define HW(type, name) static inline __attribute__((always_inline)) type w2c_hw_##name
/* What is longer than a call: an image for a size has it once. */
#ifdef __OPTIMIZE_SIZE__
#define HW_SHARED(type, name) static __attribute__((noinline)) type w2c_hw_##name
#else
#define HW_SHARED HW
#endif
#define HW_REGISTER(type, at) (*(volatile type*)(uintptr_t)(at))

HW(uint32_t, ld32)(struct w2c_hw* h, uint32_t at) {
  (void)h;
  return HW_REGISTER(uint32_t, at);
}

HW(void, st32)(struct w2c_hw* h, uint32_t at, uint32_t value) {
  (void)h;
  HW_REGISTER(uint32_t, at) = value;
}

HW(uint32_t, ld16)(struct w2c_hw* h, uint32_t at) {
  (void)h;
  return HW_REGISTER(uint16_t, at);
}

HW(void, st16)(struct w2c_hw* h, uint32_t at, uint32_t value) {
  (void)h;
  HW_REGISTER(uint16_t, at) = (uint16_t)value;
}

HW(uint32_t, ld8)(struct w2c_hw* h, uint32_t at) {
  (void)h;
  return HW_REGISTER(uint8_t, at);
}

HW(void, st8)(struct w2c_hw* h, uint32_t at, uint32_t value) {
  (void)h;
  HW_REGISTER(uint8_t, at) = (uint8_t)value;
}

HW(void, barrier)(struct w2c_hw* h) {
  (void)h;
  __asm volatile("dmb" ::: "memory");
}

HW(void, wfi)(struct w2c_hw* h) {
  (void)h;
  __asm volatile("dsb\n\twfi" ::: "memory");
}

/* SUBS and a taken branch: three cycles a turn on the M0+, at least three on the M3 and M4. */
HW(void, spin)(struct w2c_hw* h, uint32_t loops) {
  (void)h;
  __asm volatile(
      ".syntax unified\n"
      "1: subs %0, #1\n\t"
      "bhi 1b"
      : "+l"(loops)
      :
      : "cc");
}

/*
 * Turns of 32 words (none in an image for a size), then of eight, then four, then single ones, all in one piece: with it no register has to be kept elsewhere. After ADDS/ADCS
 * the sum is at most 0xfffffffe when the carry is set, so folding the carry at the end of a turn cannot produce another one. Thumb-1
 * has no decrement that leaves the carry alone, hence the fold per turn (MOVS does), and the long turns: 1,460 bytes take 100
 * instructions less with them.
 */
#define SUM_BLOCK(first) \
  "ldmia %[at]!, {r3, r4, r5, r6}\n\t" first \
  " %[sum], r3\n\t" \
  "adcs %[sum], r4\n\t" \
  "adcs %[sum], r5\n\t" \
  "adcs %[sum], r6\n\t"
#define SUM_FOLD \
  "movs r3, #0\n\t" \
  "adcs %[sum], r3\n\t"
/* Five words, the last of them first, the carry still to be added. */
#define SUM_FIVE \
  "ldr %[sum], [%[at], #16]\n\t" \
  SUM_BLOCK("adds")

#ifdef __OPTIMIZE_SIZE__
#define SUM_LONG_TURNS \
  "lsrs %[turns], %[words], #3\n\t" \
  "beq 4f\n"
#else
/* Bits 3 and 4 are left. */
#define SUM_LONG_TURNS \
  "lsrs %[turns], %[words], #5\n\t" \
  "beq 2f\n" \
  "1: " SUM_BLOCK("adds") ".rept 7\n\t" SUM_BLOCK("adcs") ".endr\n\t" SUM_FOLD \
  "subs %[turns], #1\n\t" \
  "bne 1b\n" \
  "2: lsls %[turns], %[words], #27\n\t" \
  "lsrs %[turns], %[turns], #30\n\t" \
  "beq 4f\n"
#endif

HW_SHARED(uint32_t, sumWords)(struct w2c_hw* h, uint32_t at, uint32_t words, uint32_t sum) {
  (void)h;
  uint32_t turns;
  __asm volatile(
      ".syntax unified\n"
      SUM_LONG_TURNS
      "3: " SUM_BLOCK("adds") SUM_BLOCK("adcs") SUM_FOLD
      "subs %[turns], #1\n\t"
      "bne 3b\n"
      /* Bit 2, then the rest. */
      "4: lsls %[words], %[words], #29\n\t"
      "beq 6f\n\t"
      "lsls %[words], %[words], #1\n\t"
      "bcc 7f\n\t" SUM_BLOCK("adds") SUM_FOLD
      "7: lsrs %[words], %[words], #30\n\t"
      "beq 6f\n\t"
      "movs r4, #0\n"
      "5: ldmia %[at]!, {r3}\n\t"
      "adds %[sum], %[sum], r3\n\t"
      "adcs %[sum], r4\n\t"
      "subs %[words], #1\n\t"
      "bne 5b\n"
      "6:"
      : [at] "+&l"(at), [words] "+&l"(words), [sum] "+&l"(sum), [turns] "=&l"(turns)
      :
      : "r3", "r4", "r5", "r6", "cc", "memory");
  return sum;
}

/* The five words of a header without options and two more on top of a sum, end-around carry included. */
HW_SHARED(uint32_t, sumSegment)(struct w2c_hw* h, uint32_t at, uint32_t more, uint32_t sum) {
  (void)h;
  __asm volatile(
      ".syntax unified\n"
      SUM_BLOCK("adds")
      "ldr r3, [%[at]]\n\t"
      "adcs %[sum], r3\n\t"
      "ldmia %[more]!, {r3, r4}\n\t"
      "adcs %[sum], r3\n\t"
      "adcs %[sum], r4\n\t"
      SUM_FOLD
      : [at] "+&l"(at), [more] "+&l"(more), [sum] "+&l"(sum)
      :
      : "r3", "r4", "r5", "r6", "cc", "memory");
  return sum;
}

/* The five words of a header without options, end-around carry included. */
HW_SHARED(uint32_t, sumHeader)(struct w2c_hw* h, uint32_t at) {
  (void)h;
  uint32_t sum;
  __asm volatile(
      ".syntax unified\n"
      SUM_FIVE SUM_FOLD
      : [at] "+&l"(at), [sum] "=&l"(sum)
      :
      : "r3", "r4", "r5", "r6", "cc", "memory");
  return sum;
}

/*
 * HalfSipHash-2-4 of eleven bytes: two words and the three low bytes of another. Rotations on a Cortex-M0+ take their distance from a register: three stay, the fourth counts from 16 to 19 and
 * back, and the state has the other half of the low registers. gcc keeps the distances elsewhere (420 instructions instead of 270).
 */
#define SIP_ROUND \
  "adds r0, r1\n\trors r1, r5\n\teors r1, r0\n\trors r0, r4\n\t" \
  "adds r2, r3\n\trors r3, r6\n\teors r3, r2\n\t" \
  "adds r0, r3\n\trors r3, r7\n\teors r3, r0\n\t" \
  "adds r2, r1\n\tadds r4, #3\n\trors r1, r4\n\tsubs r4, #3\n\teors r1, r2\n\trors r2, r4\n\t"

static __attribute__((noinline, unused)) uint32_t w2c_hw_halfSipHash(
    struct w2c_hw* h, uint32_t key0, uint32_t key1, uint32_t a, uint32_t b, uint32_t c) {
  (void)h;
  const uint32_t words[] = {a, b, (c & 0xffffff) | 11u << 24};
  register uint32_t v0 __asm("r0") = key0;
  register uint32_t v1 __asm("r1") = key1;
  register uint32_t v2 __asm("r2") = 0x6c796765 ^ key0;
  register uint32_t v3 __asm("r3") = 0x74656462 ^ key1;
  __asm volatile(
      ".syntax unified\n"
      "movs r5, #27\n\t"
      "movs r6, #24\n\t"
      "movs r7, #25\n\t"
      "ldr r4, %[a]\n\t"
      "bl 1f\n\t"
      "ldr r4, %[b]\n\t"
      "bl 1f\n\t"
      "ldr r4, %[c]\n\t"
      "bl 1f\n\t"
      "movs r4, #255\n\t"
      "eors r2, r4\n\t"
      "movs r4, #0\n\t"
      "bl 1f\n\t"
      "movs r4, #0\n\t"
      "bl 1f\n\t"
      "b 2f\n"
      "1: eors r3, r4\n\t"
      "mov ip, r4\n\t"
      "movs r4, #16\n\t" SIP_ROUND SIP_ROUND
      "mov r4, ip\n\t"
      "eors r0, r4\n\t"
      "bx lr\n"
      "2:"
      : "+l"(v0), "+l"(v1), "+l"(v2), "+l"(v3)
      : [a] "m"(words[0]), [b] "m"(words[1]), [c] "m"(words[2])
      : "r4", "r5", "r6", "r7", "ip", "lr", "cc");
  return v1 ^ v3;
}

/*
 * Records: whole words on a word, as many as the program says, in the instructions that it takes. At -Os, or where the compiler does not see the
 * number, they are what any other bytes are.
 */
#ifdef __OPTIMIZE_SIZE__
#define HW_KNOWN(bytes) 0
#else
#define HW_KNOWN(bytes) __builtin_constant_p(bytes)
#endif

void* memmove(void* to, const void* from, __SIZE_TYPE__ bytes);
void* memset(void* to, int value, __SIZE_TYPE__ bytes);

HW(void, wordsClear)(struct w2c_hw* h, uint32_t at, uint32_t bytes) {
  (void)h;
  if (!HW_KNOWN(bytes)) {
    memset((void*)(uintptr_t)at, 0, bytes);
    return;
  }
  __asm volatile(
      ".syntax unified\n\t"
      "movs r3, #0\n\t"
      "movs r4, #0\n\t"
      "movs r5, #0\n\t"
      "movs r6, #0\n\t"
      ".rept %c1 >> 4\n\t"
      "stmia %0!, {r3, r4, r5, r6}\n\t"
      ".endr\n\t"
      ".rept (%c1 >> 2) & 3\n\t"
      "stmia %0!, {r3}\n\t"
      ".endr"
      : "+l"(at)
      : "i"(bytes)
      : "r3", "r4", "r5", "r6", "cc", "memory");
}

HW(void, wordsCopy)(struct w2c_hw* h, uint32_t to, uint32_t from, uint32_t bytes) {
  (void)h;
  if (!HW_KNOWN(bytes)) {
    memmove((void*)(uintptr_t)to, (const void*)(uintptr_t)from, bytes);
    return;
  }
  __asm volatile(
      ".syntax unified\n\t"
      ".rept %c2 >> 4\n\t"
      "ldmia %1!, {r3, r4, r5, r6}\n\t"
      "stmia %0!, {r3, r4, r5, r6}\n\t"
      ".endr\n\t"
      ".rept (%c2 >> 2) & 3\n\t"
      "ldmia %1!, {r3}\n\t"
      "stmia %0!, {r3}\n\t"
      ".endr"
      : "+l"(to), "+l"(from)
      : "i"(bytes)
      : "r3", "r4", "r5", "r6", "memory");
}

HW(uint32_t, rev16)(struct w2c_hw* h, uint32_t value) {
  (void)h;
  uint32_t swapped;
  __asm("rev16 %0, %1" : "=l"(swapped) : "l"(value));
  return swapped;
}

/* No instruction: it hides from the compiler where the address comes from. */
HW(uint32_t, based)(struct w2c_hw* h, uint32_t at) {
  (void)h;
  __asm("" : "+l"(at));
  return at;
}

/* Where the log's ring lies, and its size; none until the log is up. */
static uint32_t log_ring_at, log_ring_bytes;

HW(void, logRing)(struct w2c_hw* h, uint32_t at, uint32_t bytes) {
  (void)h;
  log_ring_at = at;
  log_ring_bytes = bytes;
}

extern const uint8_t blob_start[];
extern const uint8_t settings_start[];
extern const uint32_t data_end[];

HW(uint32_t, flashBase)(struct w2c_hw* h) {
  (void)h;
  return (uint32_t)(uintptr_t)blob_start;
}

HW(uint32_t, settingsBase)(struct w2c_hw* h) {
  (void)h;
  return (uint32_t)(uintptr_t)settings_start;
}

HW(uint32_t, spareRam)(struct w2c_hw* h) {
  (void)h;
  return (uint32_t)(uintptr_t)data_end;
}

#endif
