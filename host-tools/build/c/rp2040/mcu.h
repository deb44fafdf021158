/* RP2040: what start-up needs to know (datasheet 2.3.2, 2.5, 4.2, 4.7). */
#ifndef MCU_H
#define MCU_H

#include <stdint.h>

#define RP2040_UART0_DR (*(volatile uint32_t*)0x40034000)
#define RP2040_UART0_FR (*(volatile uint32_t*)0x40034018)
#define RP2040_UART0_CR (*(volatile uint32_t*)0x40034030)
/* Control of the DMA channel that empties the log's ring (hal/rp2040/dma.ts). */
#define RP2040_LOG_DMA_CTRL (*(volatile uint32_t*)0x5000008c)
#define RP2040_RESET_DONE (*(volatile uint32_t*)0x4000c008)
#define RP2040_PSM_WDSEL (*(volatile uint32_t*)0x40010008)
#define RP2040_WATCHDOG_CTRL (*(volatile uint32_t*)0x40058000)

/* Waits until DMA has moved what it was given of the log: 1 KiB at 115,200 baud takes 90 ms, 12 million cycles. */
static inline void mcu_await_log(void) {
  if (!(RP2040_RESET_DONE & (1u << 2))) return;
  for (uint32_t i = 0; i < 3000000 && (RP2040_LOG_DMA_CTRL & (1u << 24)); i++) {
  }
}

/* A byte to the log UART if that is up; gives up when it does not drain. */
static inline void mcu_putc(uint8_t byte) {
  if (!(RP2040_RESET_DONE & (1u << 22)) || !(RP2040_UART0_CR & 1)) return;
  for (uint32_t i = 0; i < 100000 && (RP2040_UART0_FR & (1u << 5)); i++) {
  }
  RP2040_UART0_DR = byte;
}

/* Waits until the last byte is on the line. */
static inline void mcu_flush(void) {
  if (!(RP2040_RESET_DONE & (1u << 22)) || !(RP2040_UART0_CR & 1)) return;
  for (uint32_t i = 0; i < 1000000 && (RP2040_UART0_FR & (1u << 3)); i++) {
  }
}

/* The watchdog's trigger bit resets everything but the oscillators. */
static inline void mcu_reset(void) {
  RP2040_PSM_WDSEL = 0x1fffc;
  RP2040_WATCHDOG_CTRL = 1u << 31;
}

#endif
