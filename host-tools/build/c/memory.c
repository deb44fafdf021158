/*
 * memcpy, memmove and memset for small cores: by words where that can be, also between addresses of different alignment,
 * which is the rule for rings. The C library's versions go byte by byte. Loops over bytes must not be turned into calls of
 * these very functions, hence the attribute. And, in an image for a size, the division and the count of zeros that a Cortex-M0+
 * has not.
 */
#include <stddef.h>
#include <stdint.h>

#if defined(__OPTIMIZE_SIZE__) && !defined(__ARM_FEATURE_UNALIGNED)
/* What is written out below is fast by itself; the rest may be small: 210 bytes of 500. */
#define LEVEL "Os"
#else
#define LEVEL "O2"
#endif
#define AT_LEVEL(level) __attribute__((optimize(level, "no-tree-loop-distribute-patterns")))
#define OWN AT_LEVEL(LEVEL)
/* Copies from the chip's buffer into a ring are mostly misaligned: at -Os they took half a cycle a byte more. */
#define OWN_FAST AT_LEVEL("O2")

typedef uint32_t __attribute__((may_alias)) word_t;
/* A word at any address: one load or store where the core can (ARMv7-M). */
typedef struct __attribute__((packed, may_alias)) {
  uint32_t value;
} loose_t;

/* Below this, setting up is not worth it. */
#define SHORT 12

#if defined(__OPTIMIZE_SIZE__) && !defined(__ARM_FEATURE_UNALIGNED)

/*
 * An image for a size has all of it in one piece, 190 bytes less than what follows below, which says how it is done: words where both
 * addresses are on one, else, from a destination on a word, the parts of two words; the rest by bytes. Downwards where the destination begins
 * inside the source.
 */
__attribute__((used)) void* memmove(void* to, const void* from, size_t bytes) {
  register void* d __asm("r0") = to;
  register const void* s __asm("r1") = from;
  register size_t n __asm("r2") = bytes;
  __asm volatile(
      ".syntax unified\n\t"
      "subs r3, r0, r1\n\t"
      "cmp r3, r2\n\t"
      "blo 9f\n\t"
      "movs r3, r0\n\t"
      "orrs r3, r1\n\t"
      "lsls r3, #30\n\t"
      "beq 3f\n\t"
      "cmp r2, #12\n\t"
      "blo 7f\n"
      /* The destination on a word. */
      "1: lsls r3, r0, #30\n\t"
      "beq 2f\n\t"
      "ldrb r3, [r1]\n\t"
      "strb r3, [r0]\n\t"
      "adds r1, #1\n\t"
      "adds r0, #1\n\t"
      "subs r2, #1\n\t"
      "b 1b\n"
      "2: lsls r3, r1, #30\n\t"
      "bne 4f\n"
      /* Both. */
      "3: subs r2, #16\n\t"
      "blo 5f\n\t"
      "ldmia r1!, {r4, r5, r6, r7}\n\t"
      "stmia r0!, {r4, r5, r6, r7}\n\t"
      "b 3b\n"
      /* The source is off by r3 bits; r5 has what is left of the word that was read last. */
      "4: lsrs r3, #27\n\t"
      "movs r4, #32\n\t"
      "subs r4, r3\n\t"
      "lsrs r5, r3, #3\n\t"
      "subs r1, r5\n\t"
      "ldmia r1!, {r5}\n\t"
      "b 42f\n"
      "41: ldmia r1!, {r6}\n\t"
      "movs r7, r6\n\t"
      "lsls r7, r4\n\t"
      "orrs r5, r7\n\t"
      "stmia r0!, {r5}\n\t"
      "lsrs r6, r3\n\t"
      "ldmia r1!, {r5}\n\t"
      "movs r7, r5\n\t"
      "lsls r7, r4\n\t"
      "orrs r6, r7\n\t"
      "stmia r0!, {r6}\n"
      "42: lsrs r5, r3\n\t"
      "subs r2, #8\n\t"
      "bhs 41b\n\t"
      "adds r2, #8\n\t"
      /* Back to what is left of that word. */
      "lsrs r4, #3\n\t"
      "subs r1, r4\n\t"
      "b 7f\n"
      "5: adds r2, #16\n"
      "6: subs r2, #4\n\t"
      "blo 65f\n\t"
      "ldmia r1!, {r4}\n\t"
      "stmia r0!, {r4}\n\t"
      "b 6b\n"
      "65: adds r2, #4\n"
      "7: movs r3, #0\n"
      "8: cmp r3, r2\n\t"
      "beq 10f\n\t"
      "ldrb r4, [r1, r3]\n\t"
      "strb r4, [r0, r3]\n\t"
      "adds r3, #1\n\t"
      "b 8b\n"
      "89: ldrb r3, [r1, r2]\n\t"
      "strb r3, [r0, r2]\n"
      "9: subs r2, #1\n\t"
      "bhs 89b\n"
      "10:"
      : "+l"(d), "+l"(s), "+l"(n)
      :
      : "r3", "r4", "r5", "r6", "r7", "cc", "memory");
  return to;
}

__attribute__((alias("memmove"))) void* memcpy(void* restrict to, const void* restrict from, size_t bytes);

/* From the end, by words where all of it is words: most are records. */
__attribute__((naked, used)) void* memset(void* to, int value, size_t bytes) {
  __asm volatile(
      ".syntax unified\n\t"
      "uxtb r1, r1\n\t"
      "movs r3, r0\n\t"
      "orrs r3, r2\n\t"
      "lsls r3, #30\n\t"
      "bne 2f\n\t"
      "lsls r3, r1, #8\n\t"
      "orrs r1, r3\n\t"
      "lsls r3, r1, #16\n\t"
      "orrs r1, r3\n\t"
      "b 1f\n"
      "0: str r1, [r0, r2]\n"
      "1: subs r2, #4\n\t"
      "bhs 0b\n\t"
      "bx lr\n"
      "3: strb r1, [r0, r2]\n"
      "2: subs r2, #1\n\t"
      "bhs 3b\n\t"
      "bx lr");
}

#else

static inline __attribute__((always_inline)) void bytes_up(uint8_t* d, const uint8_t* s, size_t bytes) {
  for (; bytes; bytes--) *d++ = *s++;
}

#ifndef __OPTIMIZE_SIZE__

/*
 * Both on a word, as most are: sixteen words at a time, then four; the longer turns save a third of what 1,460 bytes cost, and an image for
 * a size has none. What is left goes by its bits, which the shifts put into carry and sign, and loads and stores leave there.
 */
static __attribute__((noinline)) void copy_words(uint8_t* d, const uint8_t* s, size_t bytes) {
  __asm volatile(
      ".syntax unified\n\t"
      "subs %2, #64\n\t"
      "blo 2f\n"
      "1:\n\t"
      ".rept 4\n\t"
      "ldmia %1!, {r3, r4, r5, r6}\n\t"
      "stmia %0!, {r3, r4, r5, r6}\n\t"
      ".endr\n\t"
      "subs %2, #64\n\t"
      "bhs 1b\n"
      "2: adds %2, #48\n\t"
      "bcc 4f\n"
      "3: ldmia %1!, {r3, r4, r5, r6}\n\t"
      "stmia %0!, {r3, r4, r5, r6}\n\t"
      "subs %2, #16\n\t"
      "bhs 3b\n"
      "4: lsls r3, %2, #28\n\t"
      "beq 8f\n\t"
      "lsls r3, %2, #29\n\t"
      "bcc 5f\n\t"
      "ldmia %1!, {r4, r5}\n\t"
      "stmia %0!, {r4, r5}\n"
      "5: bpl 6f\n\t"
      "ldmia %1!, {r4}\n\t"
      "stmia %0!, {r4}\n"
      "6: lsls r3, %2, #31\n\t"
      "bcc 7f\n\t"
      "ldrh r4, [%1]\n\t"
      "strh r4, [%0]\n\t"
      "bpl 8f\n\t"
      "ldrb r4, [%1, #2]\n\t"
      "strb r4, [%0, #2]\n\t"
      "b 8f\n"
      "7: bpl 8f\n\t"
      "ldrb r4, [%1]\n\t"
      "strb r4, [%0]\n"
      "8:"
      : "+l"(d), "+l"(s), "+l"(bytes)
      :
      : "r3", "r4", "r5", "r6", "cc", "memory");
}

#endif

#ifdef __ARM_FEATURE_UNALIGNED

/* Loads may be anywhere, but only one at a time; stores of several want a word, so the destination is put on one first. */
OWN static void copy_up(uint8_t* d, const uint8_t* s, size_t bytes) {
  if (bytes >= SHORT) {
    for (; (uintptr_t)d & 3; bytes--) *d++ = *s++;
#ifndef __OPTIMIZE_SIZE__
    if (((uintptr_t)s & 3) == 0) {
      copy_words(d, s, bytes);
      return;
    }
#endif
    for (; bytes >= 16; bytes -= 16) {
      __asm volatile(
          "ldr r3, [%1]\n\t"
          "ldr r4, [%1, #4]\n\t"
          "ldr r5, [%1, #8]\n\t"
          "ldr r6, [%1, #12]\n\t"
          "adds %1, #16\n\t"
          "stmia %0!, {r3, r4, r5, r6}"
          : "+l"(d), "+l"(s)
          :
          : "r3", "r4", "r5", "r6", "cc", "memory");
    }
    for (; bytes >= 4; bytes -= 4, d += 4, s += 4) *(word_t*)d = ((const loose_t*)s)->value;
  }
  bytes_up(d, s, bytes);
}

#else

/*
 * The destination is aligned first. A source that is then off by k bytes is read as aligned words, of which each store
 * takes the upper part of one and the lower part of the next; no word is read that has none of the source's bytes.
 */
OWN_FAST static void copy_up(uint8_t* d, const uint8_t* s, size_t bytes) {
  if (bytes >= SHORT) {
    for (; (uintptr_t)d & 3; bytes--) *d++ = *s++;
    const unsigned down = ((uintptr_t)s & 3) * 8;
    if (down == 0) {
      copy_words(d, s, bytes);
      return;
    }
    word_t* to = (word_t*)d;
    const word_t* from = (const word_t*)((uintptr_t)s & ~(uintptr_t)3);
    const size_t words = bytes >> 2;
    const word_t* const end = to + words;
    const unsigned up = 32 - down;
    const word_t* const pairs = to + (words & ~(size_t)1);
    uint32_t low = *from++ >> down;
    while (to != pairs) {
      uint32_t a, b;
      __asm volatile(
          ".syntax unified\n"
          "ldmia %[from]!, {%[a]}\n\t"
          "movs %[b], %[a]\n\t"
          "lsls %[b], %[up]\n\t"
          "orrs %[low], %[b]\n\t"
          "stmia %[to]!, {%[low]}\n\t"
          "lsrs %[a], %[down]\n\t"
          "ldmia %[from]!, {%[low]}\n\t"
          "movs %[b], %[low]\n\t"
          "lsls %[b], %[up]\n\t"
          "orrs %[a], %[b]\n\t"
          "stmia %[to]!, {%[a]}\n\t"
          "lsrs %[low], %[down]"
          : [from] "+l"(from), [to] "+l"(to), [low] "+l"(low), [a] "=&l"(a), [b] "=&l"(b)
          : [up] "l"(up), [down] "l"(down)
          : "cc", "memory");
    }
    if (to != end) *to++ = low | *from << up;
    d += bytes & ~(size_t)3;
    s += bytes & ~(size_t)3;
    bytes &= 3;
  }
  bytes_up(d, s, bytes);
}

#endif

/* Seldom: the destination begins inside the source. */
OWN static void copy_down(uint8_t* d, const uint8_t* s, size_t bytes) {
  d += bytes, s += bytes;
#ifndef __OPTIMIZE_SIZE__
  if ((((uintptr_t)d ^ (uintptr_t)s) & 3) == 0 && bytes >= SHORT) {
    for (; (uintptr_t)d & 3; bytes--) *--d = *--s;
    for (; bytes >= 4; bytes -= 4) d -= 4, s -= 4, *(word_t*)d = *(const word_t*)s;
  }
#endif
  for (; bytes; bytes--) *--d = *--s;
}

OWN static void copy(uint8_t* d, const uint8_t* s, size_t bytes) {
#ifndef __OPTIMIZE_SIZE__
  if ((((uintptr_t)d | (uintptr_t)s) & 3) == 0) {
    copy_words(d, s, bytes);
    return;
  }
#endif
  copy_up(d, s, bytes);
}

OWN void* memcpy(void* restrict to, const void* restrict from, size_t bytes) {
  copy(to, from, bytes);
  return to;
}

OWN void* memmove(void* to, const void* from, size_t bytes) {
  /* Upwards is right unless the destination begins inside the source. */
  if ((uintptr_t)to - (uintptr_t)from >= bytes) copy(to, from, bytes);
  else copy_down(to, from, bytes);
  return to;
}

OWN void* memset(void* to, int value, size_t bytes) {
  uint8_t* d = to;
  const uint8_t byte = (uint8_t)value;
  if (bytes >= SHORT) {
    const word_t word = byte * 0x01010101u;
    for (; (uintptr_t)d & 3; bytes--) *d++ = byte;
#ifndef __ARM_FEATURE_UNALIGNED
    /* Four words at a time, then what is left by its bits: most are records of a few dozen bytes. */
    register word_t a __asm("r3") = word, b __asm("r4") = word, c __asm("r5") = word, e __asm("r6") = word;
    __asm volatile(
        ".syntax unified\n"
        "b 2f\n"
        "1: stmia %0!, {%2, %3, %4, %5}\n"
        "2: subs %1, #16\n\t"
        "bhs 1b"
        : "+l"(d), "+l"(bytes)
        : "l"(a), "l"(b), "l"(c), "l"(e)
        : "cc", "memory");
    if (bytes & 8) __asm volatile("stmia %0!, {%1, %2}" : "+l"(d) : "l"(a), "l"(b) : "memory");
    if (bytes & 4) __asm volatile("stmia %0!, {%1}" : "+l"(d) : "l"(a) : "memory");
    bytes &= 3;
#else
    for (; bytes >= 4; bytes -= 4, d += 4) *(word_t*)d = word;
#endif
  }
  for (; bytes; bytes--) *d++ = byte;
  return to;
}

#endif

#if defined(__OPTIMIZE_SIZE__) && __ARM_ARCH_ISA_THUMB == 1

/*
 * Unsigned division in 42 bytes, where the compiler's library takes 274: a turn for each bit of the quotient, and there are few of
 * them. What it returns in r0 and r1 stands in one value (RTABI 4.3.1). A divisor of 0 has trapped before.
 */
uint64_t __aeabi_uidivmod(uint32_t rest, uint32_t divisor) {
  uint32_t bit = 1, quotient = 0;
  while (divisor < rest && (int32_t)divisor > 0) divisor <<= 1, bit <<= 1;
  for (; bit; bit >>= 1, divisor >>= 1) {
    if (rest >= divisor) rest -= divisor, quotient |= bit;
  }
  return (uint64_t)rest << 32 | quotient;
}

/* The quotient alone. */
__asm(".global __aeabi_uidiv\n.thumb_set __aeabi_uidiv, __aeabi_uidivmod");

/* The lowest bit that is set, of which there is one: records are numbered from 0, so it is near. The library's has a table. */
int __ctzsi2(uint32_t word) {
  int bit = 0;
  for (; !(word & 1); word >>= 1) bit++;
  return bit;
}

#endif
