/** Writes and reads of many lengths over the board's SPI; the other side is scripted by the test. */
import {
  boardInit,
  clockMs,
  log0,
  log2,
  sleepUntil,
  spiDeselect,
  spiGet,
  spiPut,
  spiRead,
  spiSelect,
  spiWrite,
} from "board";
import { checksumOf, checksumRead } from "cpu";

const BYTES: u32 = 700;
const OUT: usize = memory.data(BYTES, 4);
const IN: usize = memory.data(BYTES, 4);

/** One header byte, then `bytes` bytes out. */
function write(bytes: u32): void {
  spiSelect();
  spiPut(0x57);
  spiWrite(OUT + (bytes & 3), bytes);
  spiDeselect();
}

/** One header byte, then `bytes` bytes in; the test's side sends 1, 2, 3, …. */
function read(bytes: u32): void {
  memory.fill(IN, 0xee, BYTES);
  spiSelect();
  spiPut(0x52);
  spiRead(IN, bytes);
  spiDeselect();
  let wrong: u32 = 0;
  for (let i: u32 = 0; i < BYTES; i++) {
    const expected: u8 = i < bytes ? <u8>(i + 1) : 0xee;
    if (load<u8>(IN + i) != expected) wrong++;
  }
  if (wrong != 0) log2("error: %u of %u bytes are wrong", wrong, bytes);
}

let early: u32 = 0;
let late: u32 = 0;

/** What the processor sums while DMA reads is what it would sum afterwards: of any length, once, and not of what is there later. */
function sums(bytes: u32): void {
  read(bytes);
  const then = checksumOf(IN, bytes);
  store<u8>(IN + 9, 0x55);
  const now = checksumOf(IN, bytes);
  const first = checksumRead(IN, bytes);
  const second = checksumRead(IN, bytes);
  if (first == then) early++;
  if (second == now && then != now) late++;
}

export function main(): void {
  boardInit();
  for (let i: u32 = 0; i < BYTES; i++) store<u8>(OUT + i, <u8>(i ^ (i >>> 8)));
  for (let bytes: u32 = 1; bytes <= 40; bytes++) {
    write(bytes);
    read(bytes);
  }
  write(600);
  read(600);
  for (let bytes: u32 = 252; bytes <= 260; bytes++) sums(bytes);
  for (let bytes: u32 = 597; bytes <= 600; bytes++) sums(bytes);
  log2("info: sums %u %u", early, late);
  // The log holds no more than the three lines that follow.
  sleepUntil(clockMs() + 10);
  // Mixed in one transaction: nothing may be left over from one call for the next.
  spiSelect();
  spiPut(0x52);
  spiWrite(OUT, 30);
  const first = spiGet();
  spiRead(IN, 5);
  const second = spiGet();
  spiPut(0);
  spiWrite(OUT, 3);
  spiRead(IN, 30);
  spiDeselect();
  log2("info: mixed %u %u", first, second);
  log2("info: mixed %u %u", <u32>load<u8>(IN), <u32>load<u8>(IN + 29));
  log0("info: done");
  for (;;) sleepUntil(clockMs() + 1000);
}
