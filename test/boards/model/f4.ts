import { Registers, Violation, type Peripheral } from "./bus.js";
import { Dma, F4_LAYOUT } from "./dma.js";
import { Mcu, type McuLayout, type McuOptions, type Pin } from "./mcu.js";

const RCC = {
  PLLCFGR: 0x04,
  CFGR: 0x08,
  AHB1RSTR: 0x10,
  AHB2RSTR: 0x14,
  APB1RSTR: 0x20,
  APB2RSTR: 0x24,
  AHB1ENR: 0x30,
  AHB2ENR: 0x34,
  APB1ENR: 0x40,
  APB2ENR: 0x44,
};

/** STM32F401 (RM0368; limits: data sheet DS9716 6.3). The clocks are as Espruino's boot loader leaves them: PLL, USB on. */
const LAYOUT: McuLayout = {
  clocks: {
    hsiHz: 16e6,
    resets: {
      0x00: 0x03000083 | (3 << 16),
      [RCC.PLLCFGR]: 8 | (336 << 6) | (1 << 16) | (1 << 22) | (7 << 24),
      [RCC.CFGR]: 0x0000100a,
      0x0c: 0,
      [RCC.AHB1RSTR]: 0,
      [RCC.AHB2RSTR]: 0,
      [RCC.APB1RSTR]: 0,
      [RCC.APB2RSTR]: 0,
      [RCC.AHB1ENR]: 0x0000001f,
      [RCC.AHB2ENR]: 0x80,
      [RCC.APB1ENR]: 0x10000001,
      [RCC.APB2ENR]: 0x4000,
      0x74: 0,
    },
    cfgr: RCC.CFGR,
    pllRegister: RCC.PLLCFGR,
    pllBits: 0x0f437fff,
    csr: 0x74,
    pllHz: (pll, hsi, hse) => {
      const input = (pll & (1 << 22) ? hse : hsi) / (pll & 63);
      const vco = input * ((pll >>> 6) & 511);
      if (input < 0.95e6 || input > 2.1e6) throw new Violation(`PLL input ${input / 1e6} MHz`);
      if (vco < 192e6 || vco > 432e6) throw new Violation(`PLL oscillator ${vco / 1e6} MHz`);
      return vco / (2 * (((pll >>> 16) & 3) + 1));
    },
    maxHz: { core: 84e6, apb1: 42e6, apb2: 84e6 },
    apb1Shift: 10,
    apb2Shift: 13,
    waitStates: (hz) => (hz > 60e6 ? 2 : hz > 30e6 ? 1 : 0),
  },
  rcc: 0x40023800,
  flash: 0x40023c00,
  exti: 0x40013c00,
  usart: 0x40011000,
  spi: 0x40003800,
  adc: 0x40012000,
  id: 0x1fff7a10,
  interrupts: 85,
  // The boot loader has its variables below and its stack above.
  powerOnRam: 0x2000c000,
};

/** The Espruino Pico's pins; port 0 is A. */
const WIRING = {
  cs: { port: 1, pin: 10 },
  sck: { port: 1, pin: 13 },
  miso: { port: 1, pin: 14 },
  mosi: { port: 1, pin: 15 },
  reset: { port: 0, pin: 7 },
  interrupt: { port: 1, pin: 1 },
  log: { port: 1, pin: 6 },
};

const USB_IRQ = 67;

/** A port: MODER, OTYPER, OSPEEDR, PUPDR, IDR, BSRR, AFRL, AFRH. */
class Port implements Peripheral {
  private readonly registers: Registers;
  private odr = 0;

  constructor(
    reset: number,
    private readonly input: (pin: number) => boolean,
    private readonly onOutput: (pin: number, high: boolean) => void,
  ) {
    this.registers = new Registers("GPIO", {
      0x00: reset,
      0x04: 0,
      0x08: 0,
      0x0c: 0,
      0x20: 0,
      0x24: 0,
    });
  }

  /** Two bits of a pin: mode (offset 0), speed (8), pull (12). */
  bits(offset: number, pin: number): number {
    return (this.registers.read(offset) >>> (pin * 2)) & 3;
  }

  /** Alternate function of a pin, where it has one. */
  alternate(pin: number): number | undefined {
    if (this.bits(0, pin) !== 2) return undefined;
    return (this.registers.read(pin < 8 ? 0x20 : 0x24) >>> ((pin & 7) * 4)) & 15;
  }

  read(offset: number): number {
    if (offset !== 0x10) return this.registers.read(offset);
    let value = 0;
    for (let pin = 0; pin < 16; pin++) if (this.input(pin)) value |= 1 << pin;
    return value;
  }

  write(offset: number, value: number): void {
    const before = this.odr;
    if (offset === 0x18) this.odr = (this.odr & ~(value >>> 16)) | (value & 0xffff);
    else this.registers.write(offset, value);
    for (let pin = 0; pin < 16; pin++) {
      const changed = ((before ^ this.odr) & (1 << pin)) !== 0;
      if (this.bits(0, pin) === 1 && (changed || offset === 0)) {
        this.onOutput(pin, (this.odr & (1 << pin)) !== 0);
      }
    }
  }
}

/** An Espruino Pico behind its boot loader. */
export class EspruinoPico extends Mcu {
  private readonly ports: Port[];
  private readonly syscfg = new Registers("SYSCFG", { 0x08: 0 });

  constructor(options: McuOptions) {
    super(options, LAYOUT, WIRING);
    const { rcc } = this;
    rcc.flash.set(0, 0x702);
    this.core.leave([USB_IRQ], true);
    const enabled = (register: number, bit: number) => (): boolean =>
      rcc.has(register, 1 << bit) && rcc.settled(register, bit);
    this.ports = [0, 1].map(
      (port) =>
        new Port(
          port === 0 ? 0xa8000000 : 0x280,
          (pin) => this.level({ port, pin }),
          (pin, high) => this.output({ port, pin }, high),
        ),
    );
    this.ports.forEach((port, at) =>
      this.map(0x40020000 + at * 0x400, 0x28, `GPIO${"AB"[at]}`, port, enabled(RCC.AHB1ENR, at)),
    );
    const power = new Registers("PWR", { 0x00: 0x8000 });
    this.map(0x40007000, 4, "PWR", power, enabled(RCC.APB1ENR, 28));
    this.map(0x40013800, 0x14, "SYSCFG", this.syscfg, enabled(RCC.APB2ENR, 14));
    this.map(LAYOUT.usart, 0x1c, "USART1", this.usart, enabled(RCC.APB2ENR, 4));
    this.map(LAYOUT.spi, 0x10, "SPI2", this.spi, enabled(RCC.APB1ENR, 14));
    this.map(0x40000000, 0x30, "TIM2", this.timer(32), enabled(RCC.APB1ENR, 0));
    const common = new Registers("ADC common", { 0x04: 0 });
    this.map(0x40012300, 8, "ADC common", common, enabled(RCC.APB2ENR, 8));
    const adc = this.adc([17, 18], 1 << 30, 1, () => (common.read(4) & 0xc30000) === 0x810000);
    this.map(LAYOUT.adc, 0x50, "ADC1", adc, enabled(RCC.APB2ENR, 8));
    const dma = new Dma(F4_LAYOUT, this.spi, LAYOUT.spi + 0x0c, options.memory);
    this.map(0x40026000, 0xd0, "DMA1", dma, enabled(RCC.AHB1ENR, 21));
  }

  /** Is the USB device of the boot loader still there? */
  get usbIsOn(): boolean {
    return this.rcc.has(RCC.AHB2ENR, 0x80) || this.core.enabled.has(USB_IRQ);
  }

  protected spiHz(): number {
    return this.rcc.apb1Hz;
  }

  protected spiIsWired(): boolean {
    const b = this.ports[1] as Port;
    const { sck, miso, mosi, cs } = WIRING;
    const alternate = [sck, miso, mosi].every(({ pin }) => b.alternate(pin) === 5);
    return (
      alternate && b.bits(8, sck.pin) === 3 && b.bits(12, miso.pin) === 1 && b.bits(0, cs.pin) === 1
    );
  }

  protected logIsWired(): boolean {
    return (this.ports[1] as Port).alternate(WIRING.log.pin) === 7;
  }

  protected lineIsJoined(): boolean {
    return ((this.syscfg.read(8) >>> (4 * WIRING.interrupt.pin)) & 15) === WIRING.interrupt.port;
  }

  private level({ port, pin }: Pin): boolean {
    const { interrupt } = WIRING;
    if (port !== interrupt.port || pin !== interrupt.pin) return false;
    if ((this.ports[port] as Port).bits(12, pin) !== 1) throw new Violation("INTn has no pull-up");
    return !this.options.chip.interrupt;
  }
}
