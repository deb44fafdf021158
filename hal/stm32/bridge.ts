/**
 * The Ethernet chip of an image that runs under QEMU, which has no SPI slave, no pins and, on one machine, no timer. What a
 * virtual board imports from its host (hal/virtual/hw.ts) goes there through ARM semihosting: two FIFOs in QEMU's working
 * folder, `to-host` and `to-target`. Simulated time is the host's, so a run repeats however fast the machine is.
 *
 * A call is 12 bytes, little-endian: number of the operation, two arguments; `spiWrite` adds its bytes. Operations that
 * give a result are answered by 4 bytes, `spiRead` by its bytes; the others are not answered, so they cost one write.
 * The host's side is host-tools/sim/qemu/bridge.ts.
 */
import { semihost } from "./hw";

/** Semihosting operations (ARM IHI 0085 5). */
const SYS_OPEN: u32 = 0x01;
const SYS_WRITE: u32 = 0x05;
const SYS_READ: u32 = 0x06;
/** Modes of SYS_OPEN: "rb" and "wb". */
const MODE_READ: u32 = 1;
const MODE_WRITE: u32 = 5;

/** Reads that bring nothing until the host is given up. */
const READ_ATTEMPTS: u32 = 16;

/** Operations; the host has the same list in the same order. */
const SPI_SELECT: u32 = 0;
const SPI_DESELECT: u32 = 1;
const SPI_WRITE: u32 = 2;
const SPI_READ: u32 = 3;
const SPI_PUT: u32 = 4;
const SPI_GET: u32 = 5;
const DELAY_NS: u32 = 6;
const CHIP_RESET: u32 = 7;
const CHIP_INTERRUPT: u32 = 8;
const CLOCK_MS: u32 = 9;
const CLOCK_US: u32 = 10;
const SLEEP_UNTIL: u32 = 11;
const ENTROPY: u32 = 12;
const WATCHDOG_FEED: u32 = 13;
const HELLO: u32 = 14;
const GPIO_MODE: u32 = 15;
const GPIO_READ: u32 = 16;
const GPIO_WRITE: u32 = 17;
const GPIO_ARM: u32 = 18;
const GPIO_EDGES: u32 = 19;

/** Arguments of a semihosting call; a call to the host; its answer. Three words each. */
const BLOCK: usize = memory.data(12, 4);
const CALL: usize = memory.data(12, 4);
const ANSWER: usize = memory.data(4, 4);
/** Names of the FIFOs, each with its final zero. */
const TO_HOST: usize = memory.data<u8>([0x74, 0x6f, 0x2d, 0x68, 0x6f, 0x73, 0x74, 0]);
const TO_TARGET: usize = memory.data<u8>([0x74, 0x6f, 0x2d, 0x74, 0x61, 0x72, 0x67, 0x65, 0x74, 0]);
const TO_HOST_BYTES: u32 = 7;
const TO_TARGET_BYTES: u32 = 9;

let toHost: u32 = 0;
let toTarget: u32 = 0;

function operation(number: u32, a: u32, b: u32, c: u32): u32 {
  store<u32>(BLOCK, a);
  store<u32>(BLOCK + 4, b);
  store<u32>(BLOCK + 8, c);
  return semihost(number, BLOCK);
}

function call(number: u32, a: u32, b: u32): void {
  store<u32>(CALL, number);
  store<u32>(CALL + 4, a);
  store<u32>(CALL + 8, b);
  operation(SYS_WRITE, toHost, <u32>CALL, 12);
}

/** Reads exactly `bytes` bytes; SYS_READ gives the number that it did not read. */
function read(to: usize, bytes: u32): void {
  for (let i: u32 = 0; i < READ_ATTEMPTS && bytes != 0; i++) {
    const left = operation(SYS_READ, toTarget, <u32>to, bytes);
    assert(left <= bytes);
    to += <usize>(bytes - left);
    if (left != bytes) i = 0;
    bytes = left;
  }
  // The host has gone: there is no world left to run in.
  assert(bytes == 0);
}

function ask(number: u32, a: u32): u32 {
  call(number, a, 0);
  read(ANSWER, 4);
  return load<u32>(ANSWER);
}

/**
 * Opens both FIFOs, which the host has made. Its answer is the address of the USART for the log where the machine is another
 * MCU than the board's, whose other peripherals must then be left alone; 0 where it is the same.
 */
export function bridgeOpen(): u32 {
  toHost = operation(SYS_OPEN, <u32>TO_HOST, MODE_WRITE, TO_HOST_BYTES);
  toTarget = operation(SYS_OPEN, <u32>TO_TARGET, MODE_READ, TO_TARGET_BYTES);
  return ask(HELLO, 0);
}

export function spiSelect(): void {
  call(SPI_SELECT, 0, 0);
}

export function spiDeselect(): void {
  call(SPI_DESELECT, 0, 0);
}

export function spiWrite(from: usize, bytes: u32): void {
  call(SPI_WRITE, bytes, 0);
  if (bytes != 0) operation(SYS_WRITE, toHost, <u32>from, bytes);
}

export function spiRead(to: usize, bytes: u32): void {
  call(SPI_READ, bytes, 0);
  read(to, bytes);
}

export function spiPut(byte: u32): void {
  call(SPI_PUT, byte, 0);
}

export function spiGet(): u32 {
  return ask(SPI_GET, 0);
}

export function delayNs(ns: u32): void {
  call(DELAY_NS, ns, 0);
}

export function delayUs(us: u32): void {
  call(DELAY_NS, us * 1000, 0);
}

export function chipReset(low: bool): void {
  call(CHIP_RESET, low ? 1 : 0, 0);
}

export function chipInterrupt(): bool {
  return ask(CHIP_INTERRUPT, 0) != 0;
}

export function clockMs(): u32 {
  return ask(CLOCK_MS, 0);
}

export function clockUs(): u32 {
  return ask(CLOCK_US, 0);
}

export function sleepUntil(deadlineMs: u32): void {
  ask(SLEEP_UNTIL, deadlineMs);
}

export function entropy(): u32 {
  return ask(ENTROPY, 0);
}

/** QEMU has no unique id; the MAC comes from the settings block or from entropy. */
export function uniqueId(_to: usize): u32 {
  return 0;
}

export function watchdogFeed(): void {
  call(WATCHDOG_FEED, 0, 0);
}

export function gpioMode(pin: u32, mode: u32): void {
  call(GPIO_MODE, pin, mode);
}

export function gpioRead(pin: u32): bool {
  return ask(GPIO_READ, pin) != 0;
}

export function gpioWrite(pin: u32, high: bool): void {
  call(GPIO_WRITE, pin, high ? 1 : 0);
}

export function gpioArm(pin: u32): bool {
  return ask(GPIO_ARM, pin) != 0;
}

export function gpioEdges(pin: u32): bool {
  return ask(GPIO_EDGES, pin) != 0;
}
