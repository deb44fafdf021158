import type { VirtualClock } from "../../../host-tools/sim/virtual-clock.js";
import { Registers, Violation, type Peripheral } from "./bus.js";

/** What may be wrong with a board's clocks. */
export interface ClockFaults {
  /** The crystal does not start. */
  noCrystal?: boolean;
  /** The PLL does not lock. */
  noLock?: boolean;
}

const ON = { HSI: 0, HSE: 16, PLL: 24 } as const;

/** How the two families differ. */
export interface ClockLayout {
  hsiHz: number;
  /** Registers with their reset values; CR is at 0. */
  resets: Record<number, number>;
  /** Offset of CFGR. */
  cfgr: number;
  /** Offset of the register with the PLL's dividers, which must not change while the PLL is on. */
  pllRegister: number;
  pllBits: number;
  /** Offset of CSR: LSI on and ready. */
  csr: number;
  /** Frequency of the PLL from its register. */
  pllHz(register: number, hsiHz: number, hseHz: number): number;
  /** Highest frequencies. */
  maxHz: { core: number; apb1: number; apb2: number };
  /** Bits of CFGR: shift of PPRE1 and PPRE2. */
  apb1Shift: number;
  apb2Shift: number;
  /** Wait states needed at a core clock. */
  waitStates(hz: number): number;
}

const HSE_HZ = 8e6;

/** Reset and clock control, and the flash's wait states, of which it is the measure. */
export class ResetClock implements Peripheral {
  readonly registers: Registers;
  /** FLASH_ACR. */
  readonly flash: Registers;
  /** FLASH_ACR as the bus sees it: wait states count from the read on that follows their write (RM0368 3.4.1). */
  readonly flashPort: Peripheral = {
    read: (offset) => {
      this.waitsKnown = true;
      return this.flash.read(offset);
    },
    write: (offset, value) => {
      this.waitsKnown = false;
      this.flash.write(offset, value);
    },
  };
  private waitsKnown = true;
  /** Bits that have been set in a reset register since the start, by offset. */
  readonly resets = new Map<number, number>();

  constructor(
    private readonly clock: VirtualClock,
    private readonly layout: ClockLayout,
    private readonly faults: ClockFaults,
  ) {
    this.registers = new Registers("RCC", layout.resets, (offset, value, before) =>
      this.changed(offset, value, before),
    );
    this.flash = new Registers("FLASH", { 0: 0x30 });
  }

  read(offset: number): number {
    this.settling.clear();
    return this.registers.read(offset);
  }

  /** ES0299 2.2.7: a clock that has just been enabled reaches its peripheral two cycles later; a read of RCC takes them. */
  settled(offset: number, bit: number): boolean {
    return ((this.settling.get(offset) ?? 0) & (1 << bit)) === 0;
  }

  write(offset: number, value: number): void {
    this.settling.set(offset, value & ~this.registers.read(offset));
    this.registers.write(offset, value);
  }

  /** Clock of the core. */
  get coreHz(): number {
    const { registers, layout } = this;
    if (((registers.read(layout.cfgr) >>> 2) & 3) !== 2) return layout.hsiHz;
    return layout.pllHz(registers.read(layout.pllRegister), layout.hsiHz, HSE_HZ);
  }

  apbHz(shift: number): number {
    const divider = (this.registers.read(this.layout.cfgr) >>> shift) & 7;
    return this.coreHz / (divider < 4 ? 1 : 2 ** (divider - 3));
  }

  get apb1Hz(): number {
    return this.apbHz(this.layout.apb1Shift);
  }

  get apb2Hz(): number {
    return this.apbHz(this.layout.apb2Shift);
  }

  /** Timers on APB1 count twice its clock when that is divided. */
  get timerHz(): number {
    return this.apb1Hz === this.coreHz ? this.coreHz : this.apb1Hz * 2;
  }

  /** True when all bits of a mask are set in a register. */
  has(offset: number, mask: number): boolean {
    return (this.registers.read(offset) & mask) === mask;
  }

  /** Bits that were set since the last read, by offset. */
  private readonly settling = new Map<number, number>();

  private changed(offset: number, value: number, before: number): number {
    const { layout, registers } = this;
    if (offset === 0) return this.control(value, before);
    if (offset === layout.csr) return value & 1 ? value | 2 : value & ~2;
    const pllOn = registers.bit(0, ON.PLL);
    if (offset === layout.pllRegister && pllOn && (value ^ before) & layout.pllBits) {
      throw new Violation("the PLL's dividers change while it is on");
    }
    if (offset !== layout.cfgr) return value;
    const wanted = value & 3;
    if (wanted === 2 && !registers.bit(0, ON.PLL + 1)) throw new Violation("the PLL is not locked");
    if (wanted === 1) throw new Violation("the crystal alone is too slow");
    registers.set(offset, (value & ~0xc) | (wanted << 2));
    this.checkSpeeds();
    return registers.read(offset);
  }

  /** Oscillators become ready some time after they are switched on; the one in use cannot be switched off. */
  private control(value: number, before: number): number {
    const { registers, layout, faults } = this;
    const source = (registers.read(layout.cfgr) >>> 2) & 3;
    let result = value & ~((1 << (ON.HSI + 1)) | (1 << (ON.HSE + 1)) | (1 << (ON.PLL + 1)));
    const keep = (bit: number): void => {
      if (result & (1 << bit) && before & (1 << (bit + 1))) result |= 1 << (bit + 1);
    };
    for (const bit of [ON.HSI, ON.HSE, ON.PLL]) keep(bit);
    if (source === 2 && !(result & (1 << ON.PLL))) throw new Violation("the PLL in use is stopped");
    if (source === 0 && !(result & (1 << ON.HSI))) throw new Violation("the HSI in use is stopped");
    const start = (bit: number, delayNs: number): void => {
      if (!(result & (1 << bit)) || result & (1 << (bit + 1))) return;
      this.clock.schedule(delayNs, () => {
        if (registers.bit(0, bit)) registers.set(0, registers.read(0) | (1 << (bit + 1)));
      });
    };
    start(ON.HSI, 2000);
    if (!faults.noCrystal) start(ON.HSE, 2e6);
    if (!faults.noLock) start(ON.PLL, 200e3);
    return result;
  }

  private checkSpeeds(): void {
    const { layout, coreHz } = this;
    if (coreHz > layout.maxHz.core) throw new Violation(`core clock ${coreHz / 1e6} MHz`);
    if (this.apb1Hz > layout.maxHz.apb1) throw new Violation(`PCLK1 ${this.apb1Hz / 1e6} MHz`);
    if (this.apb2Hz > layout.maxHz.apb2) throw new Violation(`PCLK2 ${this.apb2Hz / 1e6} MHz`);
    if (!this.waitsKnown && (this.registers.read(layout.cfgr) & 3) === 2) {
      throw new Violation("the wait states are not read back before the clock is faster");
    }
    if ((this.flash.read(0) & 7) < layout.waitStates(coreHz)) {
      throw new Violation(`too few wait states for ${coreHz / 1e6} MHz`);
    }
  }
}
