import type { Core } from "./core.js";
import type { Phy } from "./phy.js";
import { MICMD, MISTAT, R } from "./registers.js";

/** One MIIM transaction (DS39662E 3.3). */
const TRANSACTION_NS = 10_240;

/** The MII management interface: the way to the PHY registers, one transaction at a time. */
export class Mii {
  private busyUntilNs = 0;
  /** What the transaction under way does at its end. */
  private finish: (() => void) | undefined;
  private cancel: (() => void) | undefined;
  private scanStartNs = 0;
  private scanning = false;
  private lastSampleNs = 0;

  constructor(
    private readonly core: Core,
    private readonly phy: Phy,
  ) {}

  reset(): void {
    this.cancel?.();
    this.finish = undefined;
    this.scanning = false;
    this.busyUntilNs = 0;
  }

  get busy(): boolean {
    return this.scanning || this.core.clock.nowNs < this.busyUntilNs;
  }

  /** MISTAT. */
  get status(): number {
    let value = this.busy ? MISTAT.BUSY : 0;
    if (this.scanning) {
      value |= MISTAT.SCAN;
      if (this.core.clock.nowNs < this.scanStartNs + TRANSACTION_NS) value |= MISTAT.NVALID;
    }
    return value;
  }

  /** MICMD written: a rising MIIRD starts a read, MIISCAN starts and ends scanning. */
  command(before: number, value: number): void {
    const rising = value & ~before;
    if (this.scanning && !(value & MICMD.MIISCAN)) {
      // The transaction under way is finished.
      this.sample();
      this.scanning = false;
      this.busyUntilNs = this.core.clock.nowNs + TRANSACTION_NS;
    }
    if (rising && this.busy) {
      this.core.violation("MICMD starts a transaction while MISTAT.BUSY is set");
      return;
    }
    if (rising & MICMD.MIIRD) {
      const register = this.core.registers[R.MIREGADR] as number;
      this.begin(() => this.core.setPair(R.MIRDL, this.phy.read(register)));
    } else if (rising & MICMD.MIISCAN) {
      this.scanning = true;
      this.scanStartNs = this.core.clock.nowNs;
      this.lastSampleNs = this.scanStartNs;
    }
  }

  /** MIWRH written: the PHY register is written. */
  write(): void {
    if (this.busy) {
      this.core.violation("MIWRH is written while MISTAT.BUSY is set");
      return;
    }
    const register = this.core.registers[R.MIREGADR] as number;
    const value = this.core.pair(R.MIWRL);
    this.begin(() => this.phy.write(register, value));
  }

  /** Brings MIRD up to date while scanning: a sample every 10.24 us, taken when somebody looks. */
  sample(): void {
    if (!this.scanning || this.core.clock.nowNs < this.lastSampleNs + TRANSACTION_NS) return;
    this.lastSampleNs = this.core.clock.nowNs;
    const register = this.core.registers[R.MIREGADR] as number;
    this.core.setPair(R.MIRDL, this.phy.read(register));
  }

  private begin(finish: () => void): void {
    // After a system reset the PHY answers when its clock runs again.
    const delay = this.core.untilReadyNs + TRANSACTION_NS;
    this.busyUntilNs = this.core.clock.nowNs + delay;
    this.finish = finish;
    this.cancel = this.core.clock.schedule(delay, () => {
      const action = this.finish;
      this.finish = undefined;
      action?.();
    });
  }
}
