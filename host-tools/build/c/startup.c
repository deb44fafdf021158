/*
 * Start-up of a Cortex-M: vector table, reset, faults and traps. The program itself is app.c, generated from
 * AssemblyScript, which is compiled as part of this file so that its imports inline.
 *
 * Interrupts stay masked for ever: they only wake WFI, so nothing runs beside the program and no handler exists.
 */
#include <stdint.h>
#include <string.h>

#include "hw-inline.h"
#include "mcu.h"

#include "program.h"

/* Symbols of the linker script. */
extern uint32_t stack_top[], zero_start[], zero_end[], data_start[];
extern const uint32_t data_image[], vectors_start[];

/* Last words: a log frame (docs/log-wire.md) with id 0xffff, sent by polling, then reset. */
static void last_byte(uint8_t byte) {
  if (byte == 0xc0 || byte == 0xdb) {
    mcu_putc(0xdb);
    byte = byte == 0xc0 ? 0xdc : 0xdd;
  }
  mcu_putc(byte);
}

/*
 * What was logged before comes first: DMA's part of it runs out, the rest of the ring follows by polling. Then nothing else
 * writes to the UART, and its FIFO cannot be full for good.
 */
static void finish_log(void) {
  mcu_await_log();
  if (log_ring_at == 0) return;
  const uint32_t* counts = (const uint32_t*)(uintptr_t)log_ring_at;
  uint32_t from = counts[1], left = counts[0] - from;
  /* A program that overwrote its own memory must not keep the last words back. */
  if (left > log_ring_bytes) return;
  const uint8_t* ring = (const uint8_t*)(counts + 2);
  for (; left; left--) mcu_putc(ring[from++ & (log_ring_bytes - 1)]);
}

__attribute__((noreturn, noinline)) static void last_words(uint32_t cause, uint32_t pc, uint32_t lr) {
  static const uint8_t head[] = {0x01, 0xff, 0xff, 3};
  const uint32_t words[3] = {cause, pc, lr};
  finish_log();
  mcu_putc(0xc0);
  for (unsigned i = 0; i < sizeof head; i++) last_byte(head[i]);
  for (unsigned i = 0; i < 12; i++) last_byte((uint8_t)(words[i / 4] >> (8 * (i % 4))));
  mcu_putc(0xc0);
  mcu_flush();
  mcu_reset();
  for (;;) __asm volatile("");
}

void wasm_rt_trap(wasm_rt_trap_t code) {
  last_words(0x100u + code, (uint32_t)(uintptr_t)__builtin_return_address(0), 0);
}

/* A failed assertion has come here by BL (w2c-override.h). */
__attribute__((naked, noreturn, used)) void wasm_rt_unreachable(void) {
  __asm volatile(
      ".syntax unified\n"
      "movs r0, %0\n\t"
      "ldr r1, =wasm_rt_trap\n\t"
      "bx r1" ::"i"(WASM_RT_TRAP_UNREACHABLE));
}

/* Any exception is a fault here; `frame` is what the processor stacked: r0-r3, r12, lr, pc, xPSR. */
__attribute__((noreturn, used)) static void fault(const uint32_t* frame) {
  uint32_t number;
  __asm volatile("mrs %0, ipsr" : "=r"(number));
  last_words(number, frame[6], frame[5]);
}

__attribute__((naked)) static void exception(void) {
  __asm volatile(
      ".syntax unified\n"
      "mrs r0, msp\n\t"
      "bl fault");
}

__attribute__((noreturn, used)) static void start(void) {
  /* VTOR: whoever started us may have a vector table of its own. */
  *(volatile uint32_t*)0xe000ed08 = (uint32_t)(uintptr_t)vectors_start;
  for (uint32_t* at = zero_start; at < zero_end; at++) *at = 0;
  const uint32_t* image = data_image;
  for (uint32_t* at = data_start; at < data_end; at++) *at = *image++;
  wasm2c_app_instantiate(&w2c_app_only, 0);
  w2c_app_main(&w2c_app_only);
  wasm_rt_trap(WASM_RT_TRAP_NONE);
}

/* A bootloader may jump here with its own stack and with interrupts on. */
__attribute__((naked, noreturn)) void reset(void) {
  __asm volatile(
      ".syntax unified\n"
      "cpsid i\n\t"
      "ldr r0, =stack_top\n\t"
      "msr msp, r0\n\t"
      "movs r0, #0\n\t"
      "msr control, r0\n\t"
#if __ARM_ARCH >= 7
      /* PRIMASK leaves WFI its wake-ups (ARMv7-M B1.5.19); these two, left by a bootloader, would not. */
      "msr basepri, r0\n\t"
      "msr faultmask, r0\n\t"
#endif
      "isb\n\t"
#ifdef W2C_RECORD_REGISTER
      "ldr r0, =w2c_app_only\n\t"
      "mov " W2C_RECORD_REGISTER ", r0\n\t"
#endif
      "bl start");
}

/* Reset and the 14 system exceptions. The MCU's interrupts, which are masked before the table is told of, have no entries: 128 to 340 bytes. */
__attribute__((section(".vectors"), used)) static const struct {
  const void* stack;
  void (*handlers[15])(void);
} vectors = {stack_top, {reset, [1 ... 14] = exception}};
