import test from "ava";
import { BOARD_TIMING, createHw, virtualSleep } from "../../host-tools/sim/hw-imports.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import { W5500 } from "../../host-tools/sim/chips/w5500/index.js";
import { ScriptedSpi } from "../support/scripted-spi.js";

function make(startMs = 0): {
  clock: VirtualClock;
  spi: ScriptedSpi;
  call: (name: string, ...args: number[]) => number;
  bytes: Uint8Array;
  bus: { bytes: number; transactions: number };
  log: unknown[];
} {
  const clock = new VirtualClock();
  const spi = new ScriptedSpi();
  const bytes = new Uint8Array(64);
  const log: unknown[] = [];
  const { imports, bus } = createHw({
    clock,
    advance: (ns) => clock.advance(ns),
    chip: spi,
    spiHz: 8_000_000,
    timing: BOARD_TIMING.enc28j60,
    memory: () => ({ buffer: bytes.buffer as ArrayBuffer, grow: () => 0 }),
    log: (id, args) => void log.push([id, ...args]),
    startMs,
  });
  const call = (name: string, ...args: number[]): number =>
    (imports[name] as (...args: number[]) => number)(...args);
  return { clock, spi, call, bytes, bus, log };
}

test("hw: an SPI byte takes eight clocks, CSn its set-up, hold and high times", (t) => {
  const { clock, spi, call, bytes, bus } = make();
  spi.expect("01 02 03 04 00 00", "00 00 00 00 aa bb");
  bytes.set([2, 3, 4], 8);
  call("spiSelect");
  call("spiPut", 1);
  call("spiWrite", 8, 3);
  call("spiRead", 16, 2);
  call("spiDeselect");
  t.is(clock.nowNs, 6 * 1000 + 50 + 10 + 50);
  t.deepEqual([...bytes.subarray(16, 18)], [0xaa, 0xbb]);
  t.deepEqual(bus, { bytes: 6, transactions: 1 });
});

test("hw: clocks and pins take a little time, so that polling loops end", (t) => {
  const { clock, call } = make();
  const before = clock.nowNs;
  for (let i = 0; i < 10; i++) {
    call("clockUs");
    call("clockMs");
    call("chipInterrupt");
  }
  t.is(clock.nowNs - before, 30 * 100);
});

test("hw: clockMs and clockUs wrap at 2^32", (t) => {
  const { clock, call } = make(0xffff_ffff);
  t.is(call("clockMs") >>> 0, 0xffff_ffff);
  clock.advance(1e6);
  t.is(call("clockMs"), 0);
});

test("hw: sleeping ends at the deadline, or when INTn goes low", (t) => {
  const { clock, spi, call } = make(0xffff_fff0);
  call("sleepUntil", 4);
  t.is(clock.nowNs, 20e6);
  clock.schedule(3e6, () => void (spi.interrupt = true));
  call("sleepUntil", 100);
  t.true(clock.nowNs >= 23e6 && clock.nowNs < 24e6);
  const before = clock.nowNs;
  call("sleepUntil", 100);
  t.true(clock.nowNs > before && clock.nowNs < before + 1e5, "INTn low: no sleep, but time passes");
  virtualSleep(clock, spi, 0, 0);
  t.true(clock.nowNs < before + 2e5, "a deadline that is over");
});

test("hw: a log line has as many arguments as it says, unsigned", (t) => {
  const { call, log } = make();
  call("log", 7, 2, -1, 5, 9, 9);
  t.deepEqual(log, [[7, 0xffff_ffff, 5]]);
});

test("hw: a burst is the same as its bytes one by one: memory, instants, what falls due in between", (t) => {
  const play = (bursts: boolean): unknown[] => {
    const clock = new VirtualClock();
    const told: unknown[] = [];
    const chip = new W5500({
      clock,
      spiHz: 33_300_000,
      seed: 3,
      onViolation: (message) => told.push(message),
    });
    const bytes = new Uint8Array(8192);
    const { imports, bus } = createHw({
      clock,
      advance: (ns) => clock.advance(ns),
      ...(bursts && { burstClock: clock }),
      chip,
      spiHz: 33_300_000,
      timing: BOARD_TIMING.w5500,
      memory: () => ({ buffer: bytes.buffer as ArrayBuffer, grow: () => 0 }),
      log: () => undefined,
    });
    const call = (name: string, ...args: number[]): unknown => imports[name]?.(...args);
    for (let i = 0; i < 3000; i++) bytes[i] = (i * 7) ^ (i >> 5);
    // What has been read by then: the second transfer begins after 721 microseconds.
    for (const delay of [9_000, 800_000, 1_200_123.4]) {
      clock.schedule(delay, () => {
        told.push(clock.nowNs, Buffer.from(bytes.subarray(4096)).toString("base64"));
      });
    }
    // Address 1900 of 2 KB: the burst wraps; the header comes in the same call.
    bytes.set([1900 >> 8, 1900 & 0xff, 0b00010_1_00]);
    call("spiSelect");
    call("spiWrite", 0, 3000);
    call("spiDeselect");
    call("spiSelect");
    for (const byte of [0, 100, 0b00010_0_00]) call("spiPut", byte);
    call("spiRead", 4096, 4000);
    call("spiDeselect");
    return [...told, clock.nowNs, bus, Buffer.from(bytes).toString("base64")];
  };
  const single = play(false);
  t.deepEqual(play(true), single);
  t.is(single.length, 9);
});
