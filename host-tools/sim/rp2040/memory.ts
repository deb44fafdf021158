import type { RP2040 } from "rp2040js";

const RAM = 0x20000000;
const RAM_END = 0x20042000;
const FLASH = 0x10000000;
const FLASH_END = 0x11000000;
const ROM_END = 0x4000;
/** Flash and its mirrors without cache; behind them the flash's controller. */
const XIP_END = 0x18000000;
const PERIPHERALS = 0x40000000;

interface Checks {
  slow: Record<"read32" | "read16" | "read8", (address: number) => number> &
    Record<"write32" | "write16" | "write8", (address: number, value: number) => void>;
  readable: (address: number) => void;
  writable: (address: number) => void;
  aligned: (address: number, bytes: number) => void;
}

/** What the core asks before an access that is not on the short path, and the accesses as the emulator has them. */
function checks(mcu: RP2040, flashBytes: number, onViolation: (message: string) => void): Checks {
  const at = (address: number): string =>
    `0x${(address >>> 0).toString(16)} (by the instruction at 0x${((mcu.core.PC - 2) >>> 0).toString(16)})`;
  const slow = {
    read32: mcu.readUint32.bind(mcu),
    read16: mcu.readUint16.bind(mcu),
    read8: mcu.readUint8.bind(mcu),
    write32: mcu.writeUint32.bind(mcu),
    write16: mcu.writeUint16.bind(mcu),
    write8: mcu.writeUint8.bind(mcu),
  };
  const readable = (address: number): void => {
    if (address < ROM_END) onViolation(`read through a null pointer: ${at(address)}`);
    else if (address >= FLASH + flashBytes && address < FLASH_END) {
      onViolation(`read behind the end of the flash: ${at(address)}`);
    }
  };
  const writable = (address: number): void => {
    if (address < ROM_END) onViolation(`write through a null pointer: ${at(address)}`);
    else if (address < XIP_END) onViolation(`write into flash: ${at(address)}`);
    else if (address >= RAM_END && address < PERIPHERALS) {
      onViolation(`write behind the end of RAM: ${at(address)}`);
    }
  };
  const aligned = (address: number, bytes: number): void => {
    if (address & (bytes - 1)) onViolation(`unaligned ${bytes * 8}-bit access: ${at(address)}`);
  };
  return { slow, readable, writable, aligned };
}

/**
 * Puts the memory accesses of the core on a short path, and reports what silicon would not do as asked: an unaligned
 * access (a hard fault on the M0+), a store into flash, and an access to the boot ROM, which this firmware never uses,
 * so that it is a null pointer.
 *
 * @param flashBytes size of the board's flash: beyond it lies a mirror image on silicon.
 */
export function strictMemory(
  mcu: RP2040,
  flashBytes: number,
  onViolation: (message: string) => void,
): void {
  const { sram, sramView, flash, flashView } = mcu;
  const { slow, readable, writable, aligned } = checks(mcu, flashBytes, onViolation);

  mcu.readUint32 = (given) => {
    const address = given >>> 0;
    if (address & 3) aligned(address, 4);
    if (address >= RAM && address < RAM_END - 3) return sramView.getUint32(address - RAM, true);
    if (address >= FLASH && address < FLASH + flashBytes) {
      return flashView.getUint32(address - FLASH, true);
    }
    readable(address);
    return slow.read32(address);
  };
  mcu.readUint16 = (given) => {
    const address = given >>> 0;
    if (address & 1) aligned(address, 2);
    if (address >= FLASH && address < FLASH + flashBytes) {
      return flashView.getUint16(address - FLASH, true);
    }
    if (address >= RAM && address < RAM_END - 1) return sramView.getUint16(address - RAM, true);
    readable(address);
    return slow.read16(address);
  };
  mcu.readUint8 = (given) => {
    const address = given >>> 0;
    if (address >= RAM && address < RAM_END) return sram[address - RAM] as number;
    if (address >= FLASH && address < FLASH + flashBytes) return flash[address - FLASH] as number;
    readable(address);
    return slow.read8(address);
  };
  mcu.writeUint32 = (given, value) => {
    const address = given >>> 0;
    if (address & 3) aligned(address, 4);
    if (address >= RAM && address < RAM_END - 3) {
      return sramView.setUint32(address - RAM, value, true);
    }
    writable(address);
    if (address >= XIP_END) slow.write32(address, value);
  };
  mcu.writeUint16 = (given, value) => {
    const address = given >>> 0;
    if (address & 1) aligned(address, 2);
    if (address >= RAM && address < RAM_END - 1) {
      return sramView.setUint16(address - RAM, value, true);
    }
    writable(address);
    if (address >= XIP_END) slow.write16(address, value);
  };
  mcu.writeUint8 = (given, value) => {
    const address = given >>> 0;
    if (address >= RAM && address < RAM_END) {
      sram[address - RAM] = value;
      return;
    }
    writable(address);
    if (address >= XIP_END) slow.write8(address, value);
  };
}
