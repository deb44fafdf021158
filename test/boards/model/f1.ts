import { Registers, Violation, type Peripheral } from "./bus.js";
import { Dma, F1_LAYOUT } from "./dma.js";
import { Mcu, type McuLayout, type McuOptions, type Pin } from "./mcu.js";

const RCC = {
  CFGR: 0x04,
  APB2RSTR: 0x0c,
  APB1RSTR: 0x10,
  AHBENR: 0x14,
  APB2ENR: 0x18,
  APB1ENR: 0x1c,
};

/** STM32F103, medium density (RM0008; limits: data sheet DS5319 5.3). */
const LAYOUT: McuLayout = {
  clocks: {
    hsiHz: 8e6,
    resets: {
      0x00: 0x83,
      [RCC.CFGR]: 0,
      0x08: 0,
      [RCC.APB2RSTR]: 0,
      [RCC.APB1RSTR]: 0,
      [RCC.AHBENR]: 0x14,
      [RCC.APB2ENR]: 0,
      [RCC.APB1ENR]: 0,
      0x24: 0,
    },
    cfgr: RCC.CFGR,
    pllRegister: RCC.CFGR,
    pllBits: 0x3f << 16,
    csr: 0x24,
    pllHz: (cfgr, hsi, hse) => {
      const factor = Math.min(((cfgr >>> 18) & 15) + 2, 16);
      const source = cfgr & (1 << 16) ? hse / (cfgr & (1 << 17) ? 2 : 1) : hsi / 2;
      return source * factor;
    },
    maxHz: { core: 72e6, apb1: 36e6, apb2: 72e6 },
    apb1Shift: 8,
    apb2Shift: 11,
    waitStates: (hz) => (hz > 48e6 ? 2 : hz > 24e6 ? 1 : 0),
  },
  rcc: 0x40021000,
  flash: 0x40022000,
  exti: 0x40010400,
  usart: 0x40013800,
  spi: 0x40013000,
  adc: 0x40012400,
  id: 0x1ffff7e8,
  interrupts: 43,
  powerOnRam: 0x20000000,
};

/** The Blue Pill's pins; port 0 is A. */
const WIRING = {
  cs: { port: 0, pin: 4 },
  sck: { port: 0, pin: 5 },
  miso: { port: 0, pin: 6 },
  mosi: { port: 0, pin: 7 },
  reset: { port: 1, pin: 0 },
  interrupt: { port: 1, pin: 1 },
  log: { port: 0, pin: 9 },
};

const ALTERNATE_50MHZ = 0xb;

/** A port: CRL, CRH, IDR, ODR, BSRR, BRR. */
class Port implements Peripheral {
  configuration = [0x44444444, 0x44444444];
  private odr = 0;

  constructor(
    private readonly input: (pin: number) => boolean,
    private readonly onOutput: (pin: number, high: boolean) => void,
  ) {}

  /** CNF and MODE of a pin. */
  mode(pin: number): number {
    return ((this.configuration[pin >>> 3] as number) >>> ((pin & 7) * 4)) & 15;
  }

  pulledUp(pin: number): boolean {
    return this.mode(pin) === 8 && (this.odr & (1 << pin)) !== 0;
  }

  read(offset: number): number {
    if (offset <= 4) return this.configuration[offset >>> 2] as number;
    if (offset !== 8) throw new Violation(`the HAL does not read GPIO + ${offset}`);
    let value = 0;
    for (let pin = 0; pin < 16; pin++) if (this.input(pin)) value |= 1 << pin;
    return value;
  }

  write(offset: number, value: number): void {
    const before = this.odr;
    if (offset <= 4) this.configuration[offset >>> 2] = value;
    else if (offset === 0x10) this.odr = (this.odr & ~(value >>> 16)) | (value & 0xffff);
    else if (offset === 0x14) this.odr &= ~value;
    else throw new Violation(`the HAL does not write GPIO + ${offset}`);
    for (let pin = 0; pin < 16; pin++) {
      const becameOutput = offset <= 4 && (this.mode(pin) & 3) !== 0;
      const changed = ((before ^ this.odr) & (1 << pin)) !== 0;
      if ((changed || becameOutput) && (this.mode(pin) & 0xf) <= 3 && (this.mode(pin) & 3) !== 0) {
        this.onOutput(pin, (this.odr & (1 << pin)) !== 0);
      }
    }
  }
}

/** A Blue Pill. */
export class BluePill extends Mcu {
  private readonly ports: Port[];
  private readonly afio = new Registers("AFIO", { 0x04: 0, 0x08: 0 });

  constructor(options: McuOptions) {
    super(options, LAYOUT, WIRING);
    const { rcc } = this;
    const apb2 = (bit: number) => (): boolean => rcc.has(RCC.APB2ENR, 1 << bit);
    const apb1 = (bit: number) => (): boolean => rcc.has(RCC.APB1ENR, 1 << bit);
    this.ports = [0, 1, 2].map(
      (port) =>
        new Port(
          (pin) => this.level({ port, pin }),
          (pin, high) => this.output({ port, pin }, high),
        ),
    );
    this.ports.forEach((port, at) =>
      this.map(0x40010800 + at * 0x400, 0x1c, `GPIO${"ABC"[at]}`, port, apb2(2 + at)),
    );
    this.map(0x40010000, 0x10, "AFIO", this.afio, apb2(0));
    this.map(LAYOUT.usart, 0x1c, "USART1", this.usart, apb2(14));
    this.map(LAYOUT.spi, 0x10, "SPI1", this.spi, apb2(12));
    const ready = (1 << 0) | (1 << 20) | (7 << 17) | (1 << 23);
    const adc = this.adc([16, 17], 1 << 22, ready, () => true);
    this.map(LAYOUT.adc, 0x50, "ADC1", adc, apb2(9));
    const tim2 = this.timer(16);
    this.map(0x40000000, 0x30, "TIM2", tim2, apb1(0));
    this.map(0x40000400, 0x30, "TIM3", this.timer(16, tim2), apb1(1));
    const dma = new Dma(F1_LAYOUT, this.spi, LAYOUT.spi + 0x0c, options.memory);
    this.map(0x40020000, 0x44, "DMA1", dma, () => rcc.has(RCC.AHBENR, 1));
  }

  protected spiHz(): number {
    return this.rcc.apb2Hz;
  }

  protected spiIsWired(): boolean {
    const a = this.ports[0] as Port;
    const alternate =
      a.mode(WIRING.sck.pin) === ALTERNATE_50MHZ && a.mode(WIRING.mosi.pin) === ALTERNATE_50MHZ;
    return alternate && a.pulledUp(WIRING.miso.pin) && (a.mode(WIRING.cs.pin) & 0xc) === 0;
  }

  protected logIsWired(): boolean {
    return ((this.ports[0] as Port).mode(WIRING.log.pin) & 0xc) === 8;
  }

  protected lineIsJoined(): boolean {
    return ((this.afio.read(8) >>> (4 * WIRING.interrupt.pin)) & 15) === WIRING.interrupt.port;
  }

  private level({ port, pin }: Pin): boolean {
    const { interrupt } = WIRING;
    if (port !== interrupt.port || pin !== interrupt.pin) return false;
    const own = this.ports[port] as Port;
    if (!own.pulledUp(pin)) throw new Violation("INTn has no pull-up");
    return !this.options.chip.interrupt;
  }
}
