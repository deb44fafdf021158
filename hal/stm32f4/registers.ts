/**
 * Registers of the STM32F401 (RM0368). What it shares with the STM32F1 is in ../stm32/registers.ts.
 */

/** Reset and clock control (6.3). */
export const RCC_CR: usize = 0x40023800;
export const RCC_PLLCFGR: usize = 0x40023804;
export const RCC_CFGR: usize = 0x40023808;
export const RCC_CIR: usize = 0x4002380c;
export const RCC_AHB1RSTR: usize = 0x40023810;
export const RCC_AHB2RSTR: usize = 0x40023814;
export const RCC_APB1RSTR: usize = 0x40023820;
export const RCC_APB2RSTR: usize = 0x40023824;
export const RCC_AHB1ENR: usize = 0x40023830;
export const RCC_AHB2ENR: usize = 0x40023834;
export const RCC_APB1ENR: usize = 0x40023840;
export const RCC_APB2ENR: usize = 0x40023844;
export const RCC_CSR: usize = 0x40023874;

/** The internal oscillator (6.2.2). */
export const HSI_MHZ: u32 = 16;

/** PLLCFGR: VCO = source / M * N; core clock = VCO / 4 with P = 01; Q divides for the USB clock, which is not used. */
export const RCC_PLLCFGR_N_SHIFT: u32 = 6;
export const RCC_PLLCFGR_P_DIV4: u32 = 1 << 16;
export const RCC_PLLCFGR_SRC_HSE: u32 = 1 << 22;
export const RCC_PLLCFGR_Q_DIV7: u32 = 7 << 24;

/** PPRE1 = 100: PCLK1 = HCLK / 2 (at most 42 MHz). */
export const RCC_CFGR_PPRE1_DIV2: u32 = 4 << 10;

export const RCC_AHB1_GPIOA: u32 = 1 << 0;
export const RCC_AHB1_GPIOB: u32 = 1 << 1;
export const RCC_AHB1_DMA1: u32 = 1 << 21;
export const RCC_AHB2_OTGFS: u32 = 1 << 7;
export const RCC_APB1_TIM2: u32 = 1 << 0;
export const RCC_APB1_SPI2: u32 = 1 << 14;
export const RCC_APB1_PWR: u32 = 1 << 28;
export const RCC_APB2_USART1: u32 = 1 << 4;
export const RCC_APB2_ADC1: u32 = 1 << 8;
export const RCC_APB2_SYSCFG: u32 = 1 << 14;

/** Flash access control (3.8): two wait states above 60 MHz at 2.7 V and more; prefetch, both caches. */
export const FLASH_ACR: usize = 0x40023c00;
export const FLASH_ACR_TWO_WAITS: u32 = (2 << 0) | (1 << 8) | (1 << 9) | (1 << 10);

/** Power control (5.4): VOS = 10 allows 84 MHz. */
export const PWR_CR: usize = 0x40007000;
export const PWR_CR_VOS_SCALE2: u32 = 2 << 14;
export const PWR_CR_VOS_MASK: u32 = 3 << 14;

/** General-purpose I/O (8.4). */
export const GPIOA: usize = 0x40020000;
export const GPIOB: usize = 0x40020400;
export const GPIO_MODER: usize = 0x00;
export const GPIO_OTYPER: usize = 0x04;
export const GPIO_OSPEEDR: usize = 0x08;
export const GPIO_PUPDR: usize = 0x0c;
export const GPIO_IDR: usize = 0x10;
export const GPIO_BSRR: usize = 0x18;
export const GPIO_AFRL: usize = 0x20;

/** System configuration (7.2): EXTICR1 and the three behind it select the ports of lines 0..15. */
export const SYSCFG_EXTICR1: usize = 0x40013808;

export const EXTI: usize = 0x40013c00;
export const USART1: usize = 0x40011000;
export const SPI2: usize = 0x40003800;
export const TIM2: usize = 0x40000000;
export const ADC1: usize = 0x40012000;

/** ADC (11.12): start, and the register common to all converters. */
export const ADC_CR2_SWSTART: u32 = 1 << 30;
export const ADC_CCR: usize = 0x40012304;
/** ADCPRE = 01: PCLK2 / 4 (at most 36 MHz); internal channels on, battery channel off. */
export const ADC_CCR_INTERNAL: u32 = (1 << 16) | (1 << 23);

/** DMA1 (9.5): registers of stream n from 0x10 + 0x18 n. */
export const DMA1_LISR: usize = 0x40026000;
export const DMA1_HISR: usize = 0x40026004;
export const DMA1_LIFCR: usize = 0x40026008;
export const DMA1_HIFCR: usize = 0x4002600c;
export const DMA1_STREAM3: usize = 0x40026058;
export const DMA1_STREAM4: usize = 0x40026070;
export const DMA_CR: usize = 0x00;
export const DMA_NDTR: usize = 0x04;
export const DMA_PAR: usize = 0x08;
export const DMA_M0AR: usize = 0x0c;
export const DMA_FCR: usize = 0x14;
export const DMA_CR_EN: u32 = 1 << 0;
/** From memory to the peripheral. */
export const DMA_CR_DIR: u32 = 1 << 6;
export const DMA_CR_MINC: u32 = 1 << 10;
export const DMA_CR_PL_HIGH: u32 = 2 << 16;

/** Words of an NVIC register that hold the 85 interrupts. */
export const NVIC_WORDS: u32 = 3;

/** 96 bits that differ from chip to chip (24.1). */
export const UNIQUE_ID: usize = 0x1fff7a10;
