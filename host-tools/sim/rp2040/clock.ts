import type { VirtualClock } from "../virtual-clock.js";

/** What rp2040js asks of a clock. */
export interface EmulatorClock {
  readonly nanos: number;
  createAlarm(callback: () => void): EmulatorAlarm;
}

interface EmulatorAlarm {
  schedule(deltaNanos: number): void;
  cancel(): void;
}

/** The simulation's clock as the emulator sees it: timers of the MCU and models of the chip wait on one clock. */
export class Rp2040Clock implements EmulatorClock {
  constructor(private readonly clock: VirtualClock) {}

  get nanos(): number {
    return this.clock.nowNs;
  }

  /** Scheduling an alarm again replaces its time. */
  createAlarm(callback: () => void): EmulatorAlarm {
    const { clock } = this;
    let cancel: (() => void) | undefined;
    const fire = (): void => {
      cancel = undefined;
      callback();
    };
    return {
      schedule: (deltaNanos) => {
        cancel?.();
        cancel = clock.schedule(Math.max(0, deltaNanos), fire);
      },
      cancel: () => {
        cancel?.();
        cancel = undefined;
      },
    };
  }
}
