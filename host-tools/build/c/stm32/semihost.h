/*
 * The import of hal/stm32/hw.ts: an ARM semihosting call. Only images for an emulator contain one.
 */
#ifndef STM32_SEMIHOST_H
#define STM32_SEMIHOST_H

#include <stdint.h>

struct w2c_hw;

static inline __attribute__((always_inline)) uint32_t w2c_hw_semihost(struct w2c_hw* h, uint32_t operation,
                                                                      uint32_t block) {
  (void)h;
  register uint32_t r0 __asm("r0") = operation;
  register uint32_t r1 __asm("r1") = block;
  __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

#endif
