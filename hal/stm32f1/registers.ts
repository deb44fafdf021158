/**
 * Registers of the STM32F103 medium density (RM0008). What it shares with the STM32F4 is in ../stm32/registers.ts.
 */

/** Reset and clock control (7.3). */
export const RCC_CR: usize = 0x40021000;
export const RCC_CFGR: usize = 0x40021004;
export const RCC_CIR: usize = 0x40021008;
export const RCC_APB2RSTR: usize = 0x4002100c;
export const RCC_APB1RSTR: usize = 0x40021010;
export const RCC_AHBENR: usize = 0x40021014;
export const RCC_APB2ENR: usize = 0x40021018;
export const RCC_APB1ENR: usize = 0x4002101c;
export const RCC_CSR: usize = 0x40021024;

/** The internal oscillator (7.2.2). */
export const HSI_MHZ: u32 = 8;

/** PPRE1 = 100: PCLK1 = HCLK / 2 (at most 36 MHz). */
export const RCC_CFGR_PPRE1_DIV2: u32 = 4 << 8;
/** ADCPRE = 10: ADC clock = PCLK2 / 6 (at most 14 MHz). */
export const RCC_CFGR_ADCPRE_DIV6: u32 = 2 << 14;
export const RCC_CFGR_PLLSRC_HSE: u32 = 1 << 16;
/** PLLMUL: factor - 2. */
export const RCC_CFGR_PLLMUL_9: u32 = 7 << 18;
export const RCC_CFGR_PLLMUL_16: u32 = 14 << 18;

export const RCC_AHBENR_DMA1EN: u32 = 1 << 0;
export const RCC_APB2_AFIO: u32 = 1 << 0;
export const RCC_APB2_IOPA: u32 = 1 << 2;
export const RCC_APB2_IOPB: u32 = 1 << 3;
export const RCC_APB2_IOPC: u32 = 1 << 4;
export const RCC_APB2_ADC1: u32 = 1 << 9;
export const RCC_APB2_SPI1: u32 = 1 << 12;
export const RCC_APB2_USART1: u32 = 1 << 14;
export const RCC_APB1_TIM2: u32 = 1 << 0;
export const RCC_APB1_TIM3: u32 = 1 << 1;

/** Flash access control (PM0075 3.1): two wait states above 48 MHz, prefetch buffer on. */
export const FLASH_ACR: usize = 0x40022000;
export const FLASH_ACR_TWO_WAITS: u32 = (2 << 0) | (1 << 4);

/** General-purpose I/O (9.2). */
export const GPIOA: usize = 0x40010800;
export const GPIOB: usize = 0x40010c00;
export const GPIOC: usize = 0x40011000;
export const GPIO_CRL: usize = 0x00;
export const GPIO_IDR: usize = 0x08;
export const GPIO_BSRR: usize = 0x10;

/** Alternate function I/O (9.4): EXTICR1 and the three behind it select the ports of lines 0..15; the remap bits all stay 0. */
export const AFIO_EXTICR1: usize = 0x40010008;

export const EXTI: usize = 0x40010400;
export const USART1: usize = 0x40013800;
export const SPI1: usize = 0x40013000;
export const TIM2: usize = 0x40000000;
export const TIM3: usize = 0x40000400;
export const ADC1: usize = 0x40012400;

/** CR2 of the ADC: internal channels on, software trigger, start. */
export const ADC_CR2_CAL: u32 = 1 << 2;
export const ADC_CR2_RSTCAL: u32 = 1 << 3;
export const ADC_CR2_EXTSEL_SWSTART: u32 = 7 << 17;
export const ADC_CR2_EXTTRIG: u32 = 1 << 20;
export const ADC_CR2_SWSTART: u32 = 1 << 22;
export const ADC_CR2_TSVREFE: u32 = 1 << 23;

/** DMA1 (13.4): flags of channel n from bit 4 (n - 1), registers of channel n from 8 + 20 (n - 1). */
export const DMA1_IFCR: usize = 0x40020004;
export const DMA1_ISR: usize = 0x40020000;
export const DMA1_CHANNEL2: usize = 0x4002001c;
export const DMA1_CHANNEL3: usize = 0x40020030;
export const DMA_CCR: usize = 0x00;
export const DMA_CNDTR: usize = 0x04;
export const DMA_CPAR: usize = 0x08;
export const DMA_CMAR: usize = 0x0c;
export const DMA_CCR_EN: u32 = 1 << 0;
/** From memory to the peripheral. */
export const DMA_CCR_DIR: u32 = 1 << 4;
export const DMA_CCR_MINC: u32 = 1 << 7;
export const DMA_CCR_PL_HIGH: u32 = 2 << 12;

/** Words of an NVIC register that hold the 43 interrupts. */
export const NVIC_WORDS: u32 = 2;

/** 96 bits that differ from chip to chip (30.2). */
export const UNIQUE_ID: usize = 0x1ffff7e8;
