/**
 * What ../stm32 and ../log ask of the STM32F401: the package "mcu", which the build binds to the file of this name of the board's target.
 * Nothing that is listed here may import "mcu" itself.
 */
export { uartPoll, uartPut } from "../stm32/uart";
export {
  DMA_RECEIVED,
  DMA_RECEIVED_AT,
  DMA_RECEIVES,
  DMA_SENDS,
  DMA_SENT,
  DMA_SENT_AT,
  dmaStart,
  dmaStop,
} from "./dma";
export { ADC_CONVERT, CHANNEL_REFERENCE, CHANNEL_TEMPERATURE, adcStart, powerOnRam } from "./noise";
export {
  ADC1,
  DMA_CR_DIR as DMA_DIR,
  DMA_CR_MINC as DMA_MINC,
  DMA_CR_PL_HIGH as DMA_PL_HIGH,
  EXTI,
  SYSCFG_EXTICR1 as EXTICR1,
  FLASH_ACR,
  FLASH_ACR_TWO_WAITS,
  GPIOA,
  GPIO_BSRR,
  GPIO_IDR,
  HSI_MHZ,
  RCC_CFGR,
  RCC_CIR,
  RCC_CR,
  RCC_CSR,
  SPI2 as SPI,
  UNIQUE_ID,
} from "./registers";
export { clockUs } from "./timers";
