/**
 * Registers of the Cortex-M core (ARM v7-M Architecture Reference Manual B3) and of the peripherals that are the same on
 * the STM32F1 (RM0008) and the STM32F4 (RM0368). Names as in those manuals; offsets are in bytes from the base.
 */

/** SysTick (B3.3): the timer that ends a sleep. */
export const SYST_CSR: usize = 0xe000e010;
export const SYST_RVR: usize = 0xe000e014;
export const SYST_CVR: usize = 0xe000e018;
export const SYST_CSR_ENABLE: u32 = 1 << 0;
export const SYST_CSR_TICKINT: u32 = 1 << 1;
/** The counter has reached 0 since the last read. */
export const SYST_CSR_COUNTFLAG: u32 = 1 << 16;
/** 24 bits. */
export const SYST_RVR_MAX: u32 = 0x00ffffff;

/** NVIC (B3.4): set-enable, clear-enable and clear-pending, one bit an interrupt, 32 a word. */
export const NVIC_ISER: usize = 0xe000e100;
export const NVIC_ICER: usize = 0xe000e180;
export const NVIC_ICPR: usize = 0xe000e280;

/** System control block (B3.2). */
export const ICSR: usize = 0xe000ed04;
export const ICSR_PENDSTCLR: u32 = 1 << 25;
export const SCR: usize = 0xe000ed10;

/** Debug: the cycle counter (C1.8) and what switches it on. */
export const DEMCR: usize = 0xe000edfc;
export const DEMCR_TRCENA: u32 = 1 << 24;
export const DWT_CTRL: usize = 0xe0001000;
export const DWT_CTRL_CYCCNTENA: u32 = 1 << 0;
export const DWT_CYCCNT: usize = 0xe0001004;

/** Bits of reset and clock control (RM0008 7.3, RM0368 6.3); where its registers lie differs. HSITRIM is set by the factory. */
export const RCC_CR_HSION: u32 = 1 << 0;
export const RCC_CR_HSIRDY: u32 = 1 << 1;
export const RCC_CR_HSITRIM: u32 = 31 << 3;
export const RCC_CR_HSEON: u32 = 1 << 16;
export const RCC_CR_HSERDY: u32 = 1 << 17;
export const RCC_CR_PLLON: u32 = 1 << 24;
export const RCC_CR_PLLRDY: u32 = 1 << 25;
/** SW and SWS: 00 HSI, 10 PLL. */
export const RCC_CFGR_SW_PLL: u32 = 2 << 0;
export const RCC_CFGR_SWS_MASK: u32 = 3 << 2;
export const RCC_CFGR_SWS_PLL: u32 = 2 << 2;
export const RCC_CSR_LSION: u32 = 1 << 0;
export const RCC_CSR_LSIRDY: u32 = 1 << 1;

/** SPI (RM0008 25.5, RM0368 20.5). */
export const SPI_CR1: usize = 0x00;
export const SPI_CR2: usize = 0x04;
export const SPI_SR: usize = 0x08;
export const SPI_DR: usize = 0x0c;
export const SPI_CR1_MSTR: u32 = 1 << 2;
/** Baud rate: PCLK / 2^(BR + 1). */
export const SPI_CR1_BR_SHIFT: u32 = 3;
export const SPI_CR1_SPE: u32 = 1 << 6;
export const SPI_CR1_SSI: u32 = 1 << 8;
export const SPI_CR1_SSM: u32 = 1 << 9;
export const SPI_CR2_RXDMAEN: u32 = 1 << 0;
export const SPI_CR2_TXDMAEN: u32 = 1 << 1;
export const SPI_SR_RXNE: u32 = 1 << 0;
export const SPI_SR_TXE: u32 = 1 << 1;
export const SPI_SR_BSY: u32 = 1 << 7;

/** USART (RM0008 27.6, RM0368 19.6). */
export const USART_SR: usize = 0x00;
export const USART_DR: usize = 0x04;
export const USART_BRR: usize = 0x08;
export const USART_CR1: usize = 0x0c;
export const USART_CR2: usize = 0x10;
export const USART_CR3: usize = 0x14;
export const USART_SR_TXE: u32 = 1 << 7;
export const USART_CR1_TE: u32 = 1 << 3;
export const USART_CR1_TXEIE: u32 = 1 << 7;
export const USART_CR1_UE: u32 = 1 << 13;

/** General-purpose timers TIM2..TIM5 (RM0008 15.4, RM0368 13.4). */
export const TIM_CR1: usize = 0x00;
export const TIM_CR2: usize = 0x04;
export const TIM_SMCR: usize = 0x08;
export const TIM_EGR: usize = 0x14;
export const TIM_CNT: usize = 0x24;
export const TIM_PSC: usize = 0x28;
export const TIM_ARR: usize = 0x2c;
export const TIM_CR1_CEN: u32 = 1 << 0;
export const TIM_EGR_UG: u32 = 1 << 0;
/** CR2.MMS = 010: each overflow is the trigger output. */
export const TIM_CR2_MMS_UPDATE: u32 = 2 << 4;
/** SMCR.SMS = 111: counts edges of the trigger that TS selects. */
export const TIM_SMCR_SMS_EXTERNAL: u32 = 7 << 0;
export const TIM_SMCR_TS_ITR1: u32 = 1 << 4;

/** EXTI (RM0008 10.3, RM0368 10.3). */
export const EXTI_IMR: usize = 0x00;
export const EXTI_RTSR: usize = 0x08;
export const EXTI_FTSR: usize = 0x0c;
export const EXTI_PR: usize = 0x14;

/** Independent watchdog (RM0008 19.4, RM0368 15.4): the same address on both. */
export const IWDG_KR: usize = 0x40003000;
export const IWDG_PR: usize = 0x40003004;
export const IWDG_RLR: usize = 0x40003008;
export const IWDG_SR: usize = 0x4000300c;
export const IWDG_KR_UNLOCK: u32 = 0x5555;
export const IWDG_KR_RELOAD: u32 = 0xaaaa;
export const IWDG_KR_START: u32 = 0xcccc;

/** ADC (RM0008 11.12, RM0368 11.12). */
export const ADC_SR: usize = 0x00;
export const ADC_CR1: usize = 0x04;
export const ADC_CR2: usize = 0x08;
export const ADC_SMPR1: usize = 0x0c;
export const ADC_SQR1: usize = 0x2c;
export const ADC_SQR3: usize = 0x34;
export const ADC_DR: usize = 0x4c;
export const ADC_SR_EOC: u32 = 1 << 1;
export const ADC_CR2_ADON: u32 = 1 << 0;
