/*
 * memcpy, memmove and memset: by words where both sides allow it. The C library's versions for small cores go byte by
 * byte. Loops over bytes must not be turned into calls of these very functions, hence the attribute.
 */
#include <stddef.h>
#include <stdint.h>

#define OWN __attribute__((optimize("no-tree-loop-distribute-patterns")))

typedef uint32_t __attribute__((may_alias)) word_t;

OWN void* memcpy(void* restrict to, const void* restrict from, size_t bytes) {
  uint8_t* d = to;
  const uint8_t* s = from;
  if ((((uintptr_t)d ^ (uintptr_t)s) & 3) == 0 && bytes >= 8) {
    for (; (uintptr_t)d & 3; bytes--) *d++ = *s++;
    for (; bytes >= 16; bytes -= 16, d += 16, s += 16) {
      const word_t a = ((const word_t*)s)[0], b = ((const word_t*)s)[1];
      const word_t c = ((const word_t*)s)[2], e = ((const word_t*)s)[3];
      ((word_t*)d)[0] = a, ((word_t*)d)[1] = b, ((word_t*)d)[2] = c, ((word_t*)d)[3] = e;
    }
    for (; bytes >= 4; bytes -= 4, d += 4, s += 4) *(word_t*)d = *(const word_t*)s;
  }
  for (; bytes; bytes--) *d++ = *s++;
  return to;
}

OWN void* memmove(void* to, const void* from, size_t bytes) {
  /* Forwards is right unless the destination begins inside the source. */
  if ((uintptr_t)to - (uintptr_t)from >= bytes) {
    uint8_t* d = to;
    const uint8_t* s = from;
    if ((((uintptr_t)d ^ (uintptr_t)s) & 3) == 0 && bytes >= 8) {
      for (; (uintptr_t)d & 3; bytes--) *d++ = *s++;
      for (; bytes >= 4; bytes -= 4, d += 4, s += 4) *(word_t*)d = *(const word_t*)s;
    }
    for (; bytes; bytes--) *d++ = *s++;
    return to;
  }
  uint8_t* d = (uint8_t*)to + bytes;
  const uint8_t* s = (const uint8_t*)from + bytes;
  if ((((uintptr_t)d ^ (uintptr_t)s) & 3) == 0 && bytes >= 8) {
    for (; (uintptr_t)d & 3; bytes--) *--d = *--s;
    for (; bytes >= 4; bytes -= 4) d -= 4, s -= 4, *(word_t*)d = *(const word_t*)s;
  }
  for (; bytes; bytes--) *--d = *--s;
  return to;
}

OWN void* memset(void* to, int value, size_t bytes) {
  uint8_t* d = to;
  const uint8_t byte = (uint8_t)value;
  if (bytes >= 8) {
    const word_t word = byte * 0x01010101u;
    for (; (uintptr_t)d & 3; bytes--) *d++ = byte;
    for (; bytes >= 4; bytes -= 4, d += 4) *(word_t*)d = word;
  }
  for (; bytes; bytes--) *d++ = byte;
  return to;
}
