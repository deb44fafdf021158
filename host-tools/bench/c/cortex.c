/*
 * The replay on a Cortex-M without a board: emulators load it, and count what lies outside the sections of HOOK and COPY
 * code. BKPT tells an emulated RP2040 of marks and of the end, and with LIVE of frames that were sent, and that it wants
 * more steps behind the recording's end; under QEMU the mark is an address, and the end semihosting.
 */
#include <stddef.h>
#include <stdint.h>

#define HOOK __attribute__((section(".hook"), noinline, used, optimize("no-tree-loop-distribute-patterns")))
#define COPY __attribute__((section(".copy"), noinline))

#ifdef LWIP
extern uint32_t data_end[];
#else
#include "hw-inline.h"
#endif

/* memory.c once more, in a place of its own (see the linker script). */
void bench_copy(uint8_t* to, const uint8_t* from, size_t bytes);

#include "replay.h"

extern const uint32_t trace_start[], body_start[], data_image[];
extern uint32_t stack_top[], zero_start[], zero_end[], data_start[];
const uint8_t blob_start[4], settings_start[4];

#ifdef QEMU
/* Its address in the log of executed instructions is the mark. */
__attribute__((section(".mark"), noinline, naked)) static void mark_here(void) {
  __asm volatile("bx lr");
}

HOOK __attribute__((noreturn)) static void finish(uint32_t failed) {
  /* Semihosting SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit. */
  const uint32_t block[2] = {0x20026, failed};
  register uint32_t r0 __asm("r0") = 0x20;
  register const uint32_t* r1 __asm("r1") = block;
  __asm volatile("bkpt 0xab" ::"r"(r0), "r"(r1) : "memory");
  for (;;) {
  }
}

HOOK static void replay_mark(uint32_t number) {
  (void)number;
  mark_here();
}
#else
HOOK __attribute__((noreturn)) static void finish(uint32_t failed) {
  register uint32_t r0 __asm("r0") = failed;
  __asm volatile("bkpt 2" ::"r"(r0) : "memory");
  for (;;) {
  }
}

HOOK static void replay_mark(uint32_t number) {
  register uint32_t r0 __asm("r0") = number;
  __asm volatile("bkpt 1" ::"r"(r0) : "memory");
}
#endif

HOOK static void replay_failed(uint32_t why) {
  finish(why);
}

#ifdef LIVE
HOOK static uint32_t replay_more(void) {
  __asm volatile("bkpt 3" ::: "memory");
  return 1;
}

HOOK static void replay_frame_out(const uint8_t* frame, uint32_t bytes) {
  register const uint8_t* r0 __asm("r0") = frame;
  register uint32_t r1 __asm("r1") = bytes;
  __asm volatile("bkpt 4" ::"r"(r0), "r"(r1) : "memory");
}
#else
HOOK static uint32_t replay_more(void) {
  return 0;
}

HOOK static void replay_frame_out(const uint8_t* frame, uint32_t bytes) {
  (void)frame;
  (void)bytes;
}
#endif

#ifndef LWIP
HOOK void wasm_rt_trap(wasm_rt_trap_t code) {
  finish(100 + (uint32_t)code);
}
#endif

#ifndef LWIP
HOOK void wasm_rt_unreachable(void) {
  finish(100 + (uint32_t)WASM_RT_TRAP_UNREACHABLE);
}
#endif

HOOK static void fault(void) {
  finish(99);
}

HOOK static void begin(void) {
  for (uint32_t* at = zero_start; at < zero_end; at++) *at = 0;
  const uint32_t* image = data_image;
  for (uint32_t* at = data_start; at < data_end; at++) *at = *image++;
  replay(trace_start, (uint32_t)(uintptr_t)body_start);
  finish(0);
}

__attribute__((section(".hook"), naked, used)) static void start(void) {
  __asm volatile(
      ".syntax unified\n"
#ifdef W2C_RECORD_REGISTER
      "ldr r0, =w2c_app_only\n\t"
      "mov " W2C_RECORD_REGISTER ", r0\n\t"
#endif
      "bl begin");
}

__attribute__((section(".vectors"), used)) static const struct {
  const void* stack;
  void (*handlers[15])(void);
} vectors = {stack_top, {start, [1 ... 14] = fault}};
