import type { RP2040 } from "rp2040js";

type Core = RP2040["core"];
type Dma = RP2040["dma"];

/**
 * Sleep with interrupts masked (ARMv6-M B1.5.16): what is enabled and pending wakes the processor from WFI, and no handler
 * runs. The emulator would enter the handler.
 */
export function fixCore(core: Core): void {
  const check = core.checkForInterrupts.bind(core);
  core.checkForInterrupts = (): boolean => {
    if (!core.PM) return check();
    core.interruptsUpdated = false;
    return core.waiting && (core.pendingInterrupts & core.enabledInterrupts) !== 0;
  };
}

/** A DMA channel, private parts included. */
interface Channel {
  treq: number;
  start(): void;
  transfer(): void;
  scheduleTransfer(): void;
}

/** Request line that is always there. */
const PERMANENT = 0x3f;

/**
 * DMA transfers happen at once when they are asked for; the emulator makes an event on the clock of each, which takes as
 * long (none) and costs the host much more. `onWait` is told the request line of each channel that is started.
 */
export function hurryDma(dma: Dma, onWait: (dreq: number) => void): void {
  for (const each of dma.channels) {
    const channel = each as unknown as Channel;
    const start = channel.start.bind(channel);
    channel.start = () => {
      if (channel.treq !== PERMANENT) onWait(channel.treq);
      start();
    };
    channel.scheduleTransfer = () => {
      if (channel.treq === PERMANENT || dma.dreq[channel.treq]) channel.transfer();
    };
  }
}

/** The timer's parts that its correction needs. */
interface Timer {
  writeUint32(offset: number, value: number): void;
  alarms: { clockAlarm: { schedule(ns: number): void } }[];
}

const ALARM0 = 0x10;
const ALARM3 = 0x1c;

/** An alarm rings when the counter reaches its value; the emulator's rings up to a microsecond early. */
export function fixTimer(mcu: RP2040): void {
  const timer = mcu.peripherals[0x40054] as unknown as Timer;
  const write = timer.writeUint32.bind(timer);
  timer.writeUint32 = (offset, value) => {
    write(offset, value);
    if (offset < ALARM0 || offset > ALARM3) return;
    const us = (value >>> 0) - ((mcu.clock.nanos / 1000) % 0x1_0000_0000);
    timer.alarms[(offset - ALARM0) / 4]?.clockAlarm.schedule(
      (us < 0 ? us + 0x1_0000_0000 : us) * 1000 + 1,
    );
  };
}
