/*
 * STM32F1 and STM32F4: the registers of their common USART, and what start-up needs of it. The including mcu.h gives
 * STM32_USART1, its address. A USART whose clock is off reads as zero and is left alone.
 */
#ifndef STM32_USART_H
#define STM32_USART_H

#include <stdint.h>

#define STM32_REGISTER(at) (*(volatile uint32_t*)(uintptr_t)(at))
#define STM32_USART_SR STM32_REGISTER(STM32_USART1)
#define STM32_USART_DR STM32_REGISTER(STM32_USART1 + 4)
#define STM32_USART_CR1 STM32_REGISTER(STM32_USART1 + 12)
#define STM32_USART_UE (1u << 13)
#define STM32_USART_TC (1u << 6)
#define STM32_USART_TXE (1u << 7)
#define STM32_AIRCR STM32_REGISTER(0xe000ed0c)

/* The log is sent by the program itself. */
static inline void mcu_await_log(void) {}

/* A byte to the log UART if that is up; gives up when it does not drain. */
static inline void mcu_putc(uint8_t byte) {
  if (!(STM32_USART_CR1 & STM32_USART_UE)) return;
  for (uint32_t i = 0; i < 100000 && !(STM32_USART_SR & STM32_USART_TXE); i++) {
  }
  STM32_USART_DR = byte;
}

/* Waits until the last byte is on the line. */
static inline void mcu_flush(void) {
  if (!(STM32_USART_CR1 & STM32_USART_UE)) return;
  for (uint32_t i = 0; i < 1000000 && !(STM32_USART_SR & STM32_USART_TC); i++) {
  }
}

/* SYSRESETREQ (ARM v7-M B3.2.6). */
static inline void mcu_reset(void) {
  __asm volatile("dsb" ::: "memory");
  STM32_AIRCR = 0x05fa0004;
}

#endif
