/** Register addresses and bits of the RP2040 that this HAL uses; names and numbers as in the datasheet's section given. */

/** Aliases of every peripheral register (2.1.2): a write there sets or clears the bits written. */
export const SET: usize = 0x2000;
export const CLR: usize = 0x3000;

/** 2.14 resets: one bit per block, 1 = held in reset. */
export const RESETS_RESET: usize = 0x4000c000;
export const RESETS_RESET_DONE: usize = 0x4000c008;
export const RESET_DMA: u32 = 1 << 2;
export const RESET_IO_BANK0: u32 = 1 << 5;
export const RESET_PADS_BANK0: u32 = 1 << 8;
export const RESET_PLL_SYS: u32 = 1 << 12;
export const RESET_SPI0: u32 = 1 << 16;
export const RESET_TIMER: u32 = 1 << 21;
export const RESET_UART0: u32 = 1 << 22;

/** 2.15 clocks. */
export const CLK_REF_CTRL: usize = 0x40008030;
export const CLK_REF_SELECTED: usize = 0x40008038;
export const CLK_REF_SRC_XOSC: u32 = 2;
export const CLK_REF_DIV: usize = 0x40008034;
export const CLK_SYS_DIV: usize = 0x40008040;
/** Of the divider registers: undivided. */
export const CLK_DIV_1: u32 = 1 << 8;
export const CLK_SYS_CTRL: usize = 0x4000803c;
export const CLK_SYS_SELECTED: usize = 0x40008044;
export const CLK_SYS_SRC_AUX: u32 = 1;
export const CLK_SYS_RESUS_CTRL: usize = 0x40008078;
export const CLK_PERI_CTRL: usize = 0x40008048;
export const CLK_PERI_ENABLE: u32 = 1 << 11;

/** 2.16 crystal oscillator. */
export const XOSC_CTRL: usize = 0x40024000;
export const XOSC_STATUS: usize = 0x40024004;
export const XOSC_STARTUP: usize = 0x4002400c;
export const XOSC_RANGE_1_15MHZ: u32 = 0xaa0;
export const XOSC_ENABLE: u32 = 0xfab << 12;
export const XOSC_STABLE: u32 = 1 << 31;

/** 2.17 ring oscillator. */
export const ROSC_RANDOMBIT: usize = 0x4006001c;

/** 2.18 PLL. */
export const PLL_SYS_CS: usize = 0x40028000;
export const PLL_SYS_PWR: usize = 0x40028004;
export const PLL_SYS_FBDIV_INT: usize = 0x40028008;
export const PLL_SYS_PRIM: usize = 0x4002800c;
export const PLL_LOCK: u32 = 1 << 31;
export const PLL_PD: u32 = 1 << 0;
export const PLL_POSTDIVPD: u32 = 1 << 3;
export const PLL_VCOPD: u32 = 1 << 5;

/** 2.19 GPIO: function select (status and control register per pin, 8 bytes), pads (4 bytes per pin). */
export const IO_BANK0_CTRL: usize = 0x40014004;
/** Edges that were seen, until they are written back (2.19.6.1). */
export const INTR0: usize = 0x400140f0;
export const PROC0_INTE0: usize = 0x40014100;
export const FUNCSEL_SPI: u32 = 1;
export const FUNCSEL_UART: u32 = 2;
export const FUNCSEL_SIO: u32 = 5;
export const GPIO_LEVEL_LOW: u32 = 1;
export const GPIO_EDGE_LOW: u32 = 4;
export const GPIO_EDGE_HIGH: u32 = 8;
export const PADS_BANK0_GPIO0: usize = 0x4001c004;
export const PAD_SLEWFAST: u32 = 1 << 0;
export const PAD_SCHMITT: u32 = 1 << 1;
export const PAD_PDE: u32 = 1 << 2;
export const PAD_PUE: u32 = 1 << 3;
export const PAD_DRIVE_4MA: u32 = 1 << 4;
export const PAD_DRIVE_8MA: u32 = 2 << 4;
export const PAD_IE: u32 = 1 << 6;
/** Pads of the flash: SCLK, SD0 to SD3, SS. */
export const PADS_QSPI_SCLK: usize = 0x40020004;
export const PADS_QSPI_SD0: usize = 0x40020008;

/** 2.3.1 single-cycle IO. */
export const SIO_GPIO_IN: usize = 0xd0000004;
export const SIO_GPIO_OUT_SET: usize = 0xd0000014;
export const SIO_GPIO_OUT_CLR: usize = 0xd0000018;
export const SIO_GPIO_OE_SET: usize = 0xd0000024;
export const SIO_GPIO_OE_CLR: usize = 0xd0000028;

/** 2.5 DMA: 64 bytes per channel. */
export const DMA: usize = 0x50000000;
export const DMA_READ_ADDR: usize = 0x00;
export const DMA_WRITE_ADDR: usize = 0x04;
export const DMA_TRANS_COUNT: usize = 0x08;
export const DMA_CTRL_TRIG: usize = 0x0c;
export const DMA_AL1_CTRL: usize = 0x10;
export const DMA_MULTI_CHAN_TRIGGER: usize = 0x50000430;
export const DMA_INTE0: usize = 0x50000404;
export const DMA_INTS0: usize = 0x5000040c;
export const DMA_CHAN_ABORT: usize = 0x50000444;
export const DMA_EN: u32 = 1 << 0;
export const DMA_INCR_READ: u32 = 1 << 4;
export const DMA_INCR_WRITE: u32 = 1 << 5;
export const DMA_CHAIN_TO_SHIFT: u32 = 11;
export const DMA_TREQ_SHIFT: u32 = 15;
export const DMA_BUSY: u32 = 1 << 24;
export const DREQ_SPI0_TX: u32 = 16;
export const DREQ_SPI0_RX: u32 = 17;
export const DREQ_UART0_TX: u32 = 20;

/** 4.2 UART (PL011). */
export const UART0_DR: usize = 0x40034000;
export const UART0_IBRD: usize = 0x40034024;
export const UART0_FBRD: usize = 0x40034028;
export const UART0_LCR_H: usize = 0x4003402c;
export const UART0_CR: usize = 0x40034030;
export const UART0_DMACR: usize = 0x40034048;
export const UART_8N1_FIFO: u32 = (3 << 5) | (1 << 4);
export const UART_TXE: u32 = 1 << 8;
export const UART_UARTEN: u32 = 1 << 0;
export const UART_TXDMAE: u32 = 1 << 1;

/** 4.4 SPI (PL022). */
export const SPI0_CR0: usize = 0x4003c000;
export const SPI0_CR1: usize = 0x4003c004;
export const SPI0_DR: usize = 0x4003c008;
export const SPI0_SR: usize = 0x4003c00c;
export const SPI0_CPSR: usize = 0x4003c010;
export const SPI0_ICR: usize = 0x4003c020;
export const SPI0_DMACR: usize = 0x4003c024;
export const SPI_8_BITS: u32 = 7;
export const SPI_MODE_0: u32 = 0;
export const SPI_MODE_3: u32 = (1 << 6) | (1 << 7);
export const SPI_SSE: u32 = 1 << 1;
export const SPI_TNF: u32 = 1 << 1;
export const SPI_RNE: u32 = 1 << 2;
export const SPI_BSY: u32 = 1 << 4;
export const SPI_TXDMAE: u32 = 1 << 1;
export const SPI_RXDMAE: u32 = 1 << 0;
export const SPI_RORIC: u32 = 1 << 0;

/** 4.6 timer: microseconds. */
export const TIMER_ALARM0: usize = 0x40054010;
export const TIMER_ALARM1: usize = 0x40054014;
export const TIMER_ARMED: usize = 0x40054020;
export const TIMER_TIMERAWL: usize = 0x40054028;
export const TIMER_INTR: usize = 0x40054034;
export const TIMER_INTE: usize = 0x40054038;

/** 4.7 watchdog; its tick also feeds the timer. */
export const WATCHDOG_CTRL: usize = 0x40058000;
export const WATCHDOG_LOAD: usize = 0x40058004;
export const WATCHDOG_SCRATCH0: usize = 0x4005800c;
export const WATCHDOG_TICK: usize = 0x4005802c;
export const WATCHDOG_ENABLE: u32 = 1 << 30;
export const WATCHDOG_PAUSE_DEBUG: u32 = 7 << 24;
export const WATCHDOG_TICK_ENABLE: u32 = 1 << 9;
/** 2.13 power-on state machine: what a watchdog reset resets (all but the oscillators). */
export const PSM_WDSEL: usize = 0x40010008;
export const PSM_ALL_BUT_OSCILLATORS: u32 = 0x1fffc;

/** ARMv6-M NVIC: enable, disable, clear pending; interrupt numbers of 2.3.2. */
export const NVIC_ISER: usize = 0xe000e100;
export const NVIC_ICER: usize = 0xe000e180;
export const NVIC_ICPR: usize = 0xe000e280;
export const TIMER_IRQ_0: u32 = 1 << 0;
export const TIMER_IRQ_1: u32 = 1 << 1;
export const DMA_IRQ_0: u32 = 1 << 11;
export const IO_IRQ_BANK0: u32 = 1 << 13;
