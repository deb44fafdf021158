/**
 * Frames on the SPI bus. CSn stays low between the pieces of a received or sent frame, so that a stream costs one header;
 * any other access closes the open stream first. 16-bit values are big-endian on the bus.
 */
import { spiDeselect, spiGet, spiPut, spiRead, spiSelect, spiWrite } from "board";
import { S0_RX_READ, S0_TX_WRITE } from "./registers";

const CLOSED: u32 = 0xff;

/** Control byte of the open stream. */
let stream: u32 = CLOSED;
/** Pointer of the next byte of the open stream: free-running, 16 bits. */
let position: u32 = 0;

function begin(address: u32, control: u32): void {
  closeStream();
  spiSelect();
  spiPut(address >>> 8);
  spiPut(address & 0xff);
  spiPut(control);
}

/** Ends the open stream, if there is one: CSn goes high. */
export function closeStream(): void {
  if (stream == CLOSED) return;
  stream = CLOSED;
  spiDeselect();
}

/** True if the open stream goes on at `pointer` of receive memory. */
export function isReadingAt(pointer: u32): bool {
  return stream == S0_RX_READ && position == pointer;
}

function seek(control: u32, pointer: u32): void {
  if (stream == control && position == pointer) return;
  begin(pointer, control);
  stream = control;
  position = pointer;
}

/** Reads receive memory from `pointer`; the chip wraps at the end of the buffer. */
export function readStream(pointer: u32, to: usize, bytes: u32): void {
  seek(S0_RX_READ, pointer);
  spiRead(to, bytes);
  position = (position + bytes) & 0xffff;
}

/** Reads a 16-bit value from receive memory. */
export function readStream16(pointer: u32): u32 {
  seek(S0_RX_READ, pointer);
  position = (position + 2) & 0xffff;
  const high = spiGet();
  return (high << 8) | spiGet();
}

/** Clocks `bytes` bytes of the open stream past. */
export function passStream(bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) spiGet();
  position = (position + bytes) & 0xffff;
}

/** Writes transmit memory from `pointer`; the chip wraps at the end of the buffer. */
export function writeStream(pointer: u32, from: usize, bytes: u32): void {
  seek(S0_TX_WRITE, pointer);
  spiWrite(from, bytes);
  position = (position + bytes) & 0xffff;
}

export function read8(address: u32, control: u32): u32 {
  begin(address, control);
  const value = spiGet();
  spiDeselect();
  return value;
}

export function read16(address: u32, control: u32): u32 {
  begin(address, control);
  const high = spiGet();
  const low = spiGet();
  spiDeselect();
  return (high << 8) | low;
}

export function readBytes(address: u32, control: u32, to: usize, bytes: u32): void {
  begin(address, control);
  spiRead(to, bytes);
  spiDeselect();
}

export function write8(address: u32, control: u32, value: u32): void {
  begin(address, control);
  spiPut(value);
  spiDeselect();
}

/** Writes two bytes, the high one first: a 16-bit register or two neighbours. */
export function write16(address: u32, control: u32, value: u32): void {
  begin(address, control);
  spiPut((value >>> 8) & 0xff);
  spiPut(value & 0xff);
  spiDeselect();
}

export function writeBytes(address: u32, control: u32, from: usize, bytes: u32): void {
  begin(address, control);
  spiWrite(from, bytes);
  spiDeselect();
}
