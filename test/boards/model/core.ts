import type { VirtualClock } from "../../../host-tools/sim/virtual-clock.js";
import { Violation, hex, type Peripheral } from "./bus.js";

const SYST = { CSR: 0x10, RVR: 0x14, CVR: 0x18 };
const NVIC = { ISER: 0x100, ICER: 0x180, ICPR: 0x280, END: 0x20 };
const SCB = { ICSR: 0xd04, VTOR: 0xd08, SCR: 0xd10, DEMCR: 0xdfc };

/**
 * SysTick, NVIC, the part of the system control block that the HAL uses, and the cycle counter (ARM v7-M Architecture
 * Reference Manual B3). Mapped at 0xe000e000 and, for the cycle counter, at 0xe0001000.
 */
export class Core implements Peripheral {
  /** Times that the processor has slept, and nanoseconds in all. */
  sleeps = 0;
  sleptNs = 0;
  /** Interrupts that are enabled and that are pending, by number; level-sensitive ones stay pending while they last. */
  readonly enabled = new Set<number>();
  readonly pending = new Set<number>();
  private readonly levels = new Map<number, () => boolean>();
  private csr = 0;
  private rvr = 0;
  private countFlag = false;
  private sysTickPending = false;
  private cancelTick: (() => void) | undefined;
  private demcr = 0;
  private counting = false;

  constructor(
    private readonly clock: VirtualClock,
    private readonly coreHz: () => number,
    private readonly interrupts: number,
  ) {}

  /** An interrupt that is pending for as long as `active` says so. */
  level(irq: number, active: () => boolean): void {
    this.levels.set(irq, active);
  }

  /** As a boot loader leaves it. */
  leave(irqs: number[], sysTick: boolean): void {
    for (const irq of irqs) this.enabled.add(irq);
    if (sysTick) this.csr = 7;
  }

  /** What ends WFI. */
  get awake(): boolean {
    for (const irq of this.enabled) {
      if (this.pending.has(irq) || this.levels.get(irq)?.()) return true;
    }
    return this.sysTickPending;
  }

  read(offset: number): number {
    switch (offset) {
      case SYST.CSR: {
        const value = this.csr | (this.countFlag ? 0x10000 : 0);
        this.countFlag = false;
        return value;
      }
      case SCB.DEMCR:
        return this.demcr;
      default:
        throw new Violation(`the HAL does not read ${hex(0xe000e000 + offset)}`);
    }
  }

  write(offset: number, value: number): void {
    if (offset >= NVIC.ISER && offset < NVIC.ISER + NVIC.END) {
      return this.each(offset - NVIC.ISER, value, (irq) => this.enabled.add(irq));
    }
    if (offset >= NVIC.ICER && offset < NVIC.ICER + NVIC.END) {
      return this.each(offset - NVIC.ICER, value, (irq) => this.enabled.delete(irq));
    }
    if (offset >= NVIC.ICPR && offset < NVIC.ICPR + NVIC.END) {
      return this.each(offset - NVIC.ICPR, value, (irq) => this.pending.delete(irq));
    }
    switch (offset) {
      case SYST.CSR:
        this.csr = value & 7;
        this.cancelTick?.();
        this.cancelTick = undefined;
        if (value & 1) this.startTick();
        return;
      case SYST.RVR:
        if (value > 0xffffff) throw new Violation("SYST_RVR has 24 bits");
        this.rvr = value;
        return;
      case SYST.CVR:
        this.countFlag = false;
        return;
      case SCB.ICSR:
        if (value & (1 << 25)) this.sysTickPending = false;
        return;
      case SCB.SCR:
        if (value !== 0) throw new Violation("deep sleep would stop SPI and timers");
        return;
      case SCB.DEMCR:
        this.demcr = value;
        return;
      default:
        throw new Violation(`the HAL does not write ${hex(0xe000e000 + offset)}`);
    }
  }

  /** DWT: CTRL and CYCCNT. */
  readonly dwt: Peripheral = {
    read: (offset) => {
      if (!(this.demcr & (1 << 24))) throw new Violation("DWT without TRCENA");
      if (offset === 0) return this.counting ? 1 : 0;
      if (offset === 4)
        return this.counting ? Math.floor((this.clock.nowNs * this.coreHz()) / 1e9) : 0;
      throw new Violation(`the HAL does not read DWT + ${hex(offset)}`);
    },
    write: (offset, value) => {
      if (offset !== 0) throw new Violation(`the HAL does not write DWT + ${hex(offset)}`);
      this.counting = (value & 1) !== 0;
    },
  };

  /** SysTick counts core clocks / 8 on STM32 while CLKSOURCE is 0. */
  private startTick(): void {
    const clocks = (this.rvr + 1) * (this.csr & 4 ? 1 : 8);
    this.cancelTick = this.clock.schedule((clocks * 1e9) / this.coreHz(), () => {
      this.countFlag = true;
      if (this.csr & 2) this.sysTickPending = true;
      this.startTick();
    });
  }

  private each(offset: number, value: number, action: (irq: number) => void): void {
    for (let bit = 0; bit < 32; bit++) {
      const irq = offset * 8 + bit;
      if ((value >>> bit) & 1 && irq < this.interrupts) action(irq);
    }
    if (offset * 8 >= this.interrupts) throw new Violation("an NVIC word that does not exist");
  }
}
