/**
 * Byte-wise simulators of the boot loaders that `flash` talks to: the STM32 ROM over a UART
 * (AN3155) and the Espruino one. They hold a flash, do what the chip does with it, and misbehave on
 * request.
 */

/** What a boot loader lives in. */
export interface ChipSpec {
  mode: "rom" | "espruino";
  /** What Get ID reports. */
  id: number;
  origin: number;
  /** Erase units, bytes, in order. */
  units: number[];
  /** Bytes at the origin that belong to the boot loader. */
  bootBytes: number;
  eraseCommand: 0x43 | 0x44;
}

const KIB = 1024;
const F4_UNITS = [16, 16, 16, 16, 64, 128, 128].map((kib) => kib * KIB);

/** The chips of the boards. */
export const CHIPS = {
  /** STM32F103C8, ROM boot loader (AN2606: product id 0x410). */
  f103: {
    mode: "rom",
    id: 0x410,
    origin: 0x08000000,
    units: Array.from({ length: 64 }, () => KIB),
    bootBytes: 0,
    eraseCommand: 0x43,
  },
  /** STM32F401CD, ROM boot loader (0x433). */
  f401: {
    mode: "rom",
    id: 0x433,
    origin: 0x08000000,
    units: F4_UNITS,
    bootBytes: 0,
    eraseCommand: 0x44,
  },
  /** Espruino Pico: STM32F401CD with the Espruino boot loader in its first 16 KiB. */
  espruinoPico: {
    mode: "espruino",
    id: 0x6433,
    origin: 0x08000000,
    units: F4_UNITS,
    bootBytes: 16 * KIB,
    eraseCommand: 0x44,
  },
} satisfies Record<string, ChipSpec>;

const ACK = 0x79;
const NACK = 0x1f;

/** A point at which the boot loader answers. */
export type Step =
  | "sync"
  | "get"
  | "version"
  | "id"
  | "read"
  | "read-address"
  | "read-count"
  | "go"
  | "go-address"
  | "write"
  | "write-address"
  | "write-data"
  | "erase"
  | "erase-units"
  | "unprotect"
  | "unprotected";

/** How a step goes wrong. */
export type Fault = "nack" | "silence" | "garbage" | "unplug";

type Bytes<T> = Generator<undefined, T, number>;

function xor(bytes: Iterable<number>): number {
  let sum = 0;
  for (const byte of bytes) sum ^= byte;
  return sum;
}

/** One chip in its boot loader. */
export class BootLoaderSimulator {
  readonly flash: Uint8Array;
  /** Words that were stored outside of the flash (Espruino boot loader). */
  readonly stores: { address: number; data: number[] }[] = [];
  /** All steps so far, in order. */
  readonly steps: Step[] = [];
  /** Reading and writing are refused (RDP), and so is erasing; or only the latter two (WRP). */
  readProtected = false;
  writeProtected = false;
  /** Address of a cell whose lowest bit is always 0. */
  worn: number | undefined;
  /** Address that Go was given. */
  started: number | undefined;
  /** Bytes to the host. */
  onSend: (bytes: Uint8Array) => void = () => undefined;
  /** The cable was pulled. */
  onUnplug: () => void = () => undefined;
  /** Decides about the `nth` (from 1) occurrence of a step. */
  fault: (step: Step, nth: number) => Fault | undefined = () => undefined;
  private dead = false;
  private resets = false;
  private readonly program: Bytes<void>;
  private readonly counts = new Map<Step, number>();

  constructor(readonly chip: ChipSpec) {
    const bytes = chip.units.reduce((sum, unit) => sum + unit, 0);
    // What a former program left behind: an erase that is forgotten shows.
    this.flash = new Uint8Array(bytes).fill(0x5a);
    this.program = this.session();
    this.program.next();
  }

  /** Bytes from the host. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) if (!this.dead) this.program.next(byte);
  }

  /** The content of the flash from an address on. */
  content(address: number, bytes: number): Uint8Array {
    const at = address - this.chip.origin;
    return this.flash.slice(at, at + bytes);
  }

  private send(...bytes: number[]): void {
    this.onSend(Uint8Array.from(bytes));
  }

  /** Answers ACK, or what the fault says; false ends the command. */
  private answer(step: Step, good = true): boolean {
    this.steps.push(step);
    const nth = (this.counts.get(step) ?? 0) + 1;
    this.counts.set(step, nth);
    const fault = this.fault(step, nth);
    switch (fault) {
      case "silence":
        this.dead = true;
        return false;
      case "unplug":
        this.dead = true;
        this.onUnplug();
        return false;
      case "garbage":
        this.send(0x55);
        return false;
    }
    const accepted = good && fault !== "nack";
    this.send(accepted ? ACK : NACK);
    return accepted;
  }

  private *session(): Bytes<void> {
    for (;;) yield* this.start();
  }

  /** From one reset to the next. */
  private *start(): Bytes<void> {
    for (;;) if ((yield) === 0x7f && this.answer("sync")) break;
    while (!this.resets) {
      const code = yield;
      const complement = yield;
      // The Espruino boot loader's check of the complement has no effect.
      if (this.chip.mode === "rom" && (code ^ complement) !== 0xff) this.send(NACK);
      else yield* this.command(code);
    }
    this.resets = false;
  }

  private *command(code: number): Bytes<void> {
    const { id, mode, eraseCommand } = this.chip;
    const codes =
      mode === "rom" ? [0, 1, 2, 0x11, 0x21, 0x31, 0x73, 0x92] : [0, 2, 0x11, 0x21, 0x31];
    if (![...codes, eraseCommand].includes(code)) return this.send(NACK);
    switch (code) {
      case 0x00:
        if (!this.answer("get")) return;
        return this.send(codes.length + 1, 0x30, ...codes, eraseCommand, ACK);
      case 0x01:
        if (!this.answer("version")) return;
        return this.send(0x30, 0, 0, ACK);
      case 0x02:
        if (!this.answer("id")) return;
        return this.send(1, id >> 8, id & 0xff, ACK);
      case 0x11:
        return yield* this.read();
      case 0x73:
      case 0x92:
        return this.unprotect(code);
      case 0x21: {
        if (!this.answer("go")) return;
        const { address, good } = yield* this.address();
        if (this.answer("go-address", good)) this.started = address;
        return;
      }
      case 0x31:
        return yield* this.write();
      default:
        if (!this.answer("erase", !this.readProtected && !this.writeProtected)) return;
        if (code === 0x43) yield* this.erase();
        else yield* this.extendedErase();
    }
  }

  /** Write Unprotect and Readout Unprotect: two answers, then a reset; the latter erases. */
  private unprotect(code: number): void {
    if (!this.answer("unprotect", code === 0x92 || !this.readProtected)) return;
    if (code === 0x73) this.writeProtected = false;
    else if (this.readProtected) this.eraseAll();
    if (code === 0x92) this.readProtected = false;
    this.resets = this.answer("unprotected");
  }

  private *address(): Bytes<{ address: number; good: boolean }> {
    const bytes: number[] = [];
    for (let count = 0; count < 4; count++) bytes.push(yield);
    const check = yield;
    const address = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    return { address, good: xor(bytes) === check };
  }

  private inFlash(address: number): boolean {
    return address >= this.chip.origin && address < this.chip.origin + this.flash.length;
  }

  private *read(): Bytes<void> {
    const rom = this.chip.mode === "rom";
    if (!this.answer("read", !this.readProtected)) return;
    const { address, good } = yield* this.address();
    if (!this.answer("read-address", !rom || (good && this.inFlash(address)))) return;
    const count = yield;
    const check = yield;
    if (!this.answer("read-count", !rom || (count ^ check) === 0xff)) return;
    if (this.inFlash(address)) this.send(...this.content(address, count + 1));
    else this.send(...Array.from({ length: count + 1 }, () => 0));
  }

  private *write(): Bytes<void> {
    const { mode, origin, bootBytes } = this.chip;
    if (!this.answer("write", !this.readProtected)) return;
    const { address, good } = yield* this.address();
    const allowed = mode === "espruino" || this.inFlash(address);
    if (!this.answer("write-address", good && allowed && address % 4 === 0)) return;
    const count = yield;
    const data: number[] = [];
    for (let index = 0; index <= count; index++) data.push(yield);
    const check = yield;
    const whole = data.length % 4 === 0 && xor([count, ...data]) === check;
    if (whole && !this.inFlash(address)) this.stores.push({ address, data });
    if (whole && this.inFlash(address) && address >= origin + bootBytes) {
      // Programming can only clear bits.
      data.forEach((byte, index) => {
        const at = address - origin + index;
        this.flash[at] =
          (this.flash[at] as number) & byte & (address + index === this.worn ? 0xfe : 0xff);
      });
    }
    this.answer("write-data", whole);
  }

  private *erase(): Bytes<void> {
    const count = yield;
    if (count === 0xff) {
      const good = (yield) === 0;
      if (good) this.eraseAll();
      return void this.answer("erase-units", good);
    }
    const units: number[] = [];
    for (let index = 0; index <= count; index++) units.push(yield);
    this.eraseUnits(units, (yield) === xor([count, ...units]));
  }

  private *extendedErase(): Bytes<void> {
    const head = [yield, yield] as [number, number];
    const count = head[0] * 256 + head[1];
    if (count >= 0xfff0) {
      const good = (yield) === xor(head) && count === 0xffff;
      if (good) this.eraseAll();
      return void this.answer("erase-units", good);
    }
    const bytes: number[] = [];
    for (let index = 0; index < 2 * (count + 1); index++) bytes.push(yield);
    const units: number[] = [];
    for (let at = 0; at < bytes.length; at += 2) {
      units.push((bytes[at] as number) * 256 + (bytes[at + 1] as number));
    }
    const good = (yield) === xor([...head, ...bytes]) && this.chip.mode === "rom";
    this.eraseUnits(units, good);
  }

  private eraseUnits(units: number[], good: boolean): void {
    const exist = units.every((unit) => unit < this.chip.units.length);
    if (good && exist) {
      for (const unit of units) {
        const start = this.chip.units.slice(0, unit).reduce((sum, bytes) => sum + bytes, 0);
        this.flash.fill(0xff, start, start + (this.chip.units[unit] as number));
      }
    }
    this.answer("erase-units", good && exist);
  }

  private eraseAll(): void {
    this.flash.fill(0xff, this.chip.bootBytes);
  }
}
