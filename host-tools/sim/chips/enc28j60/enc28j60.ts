import { Random } from "../../random.js";
import type { ChipModel } from "../../types.js";
import { Bist } from "./bist.js";
import { Control, type Parts } from "./control.js";
import { Core, MEMORY_BYTES } from "./core.js";
import { Dma } from "./dma.js";
import { FlowControl } from "./flow-control.js";
import { Mii } from "./mii.js";
import { EREVID, type Enc28j60Options, type ErratumRates, type Faults } from "./options.js";
import { Phy } from "./phy.js";
import { Receiver } from "./receiver.js";
import { ECON1, ECON2, R, groupOf } from "./registers.js";
import { Transmitter } from "./transmitter.js";
import { Wire } from "./wire.js";

/** Fastest SCK (DS39662E table 16-6). */
const SCK_MAX_HZ = 20_000_000;
/** CSn high between two instructions. */
const CS_HIGH_NS = 50;
/** CSn hold after a MAC or MII access. */
const CS_HOLD_MAC_NS = 210;
/** Shorter pulses on RESET are filtered out. */
const RESET_PULSE_NS = 400;

/** What the bytes of the instruction under way mean. */
const enum Phase {
  /** The first byte of a transaction. */
  Opcode,
  ReadBuffer,
  WriteBuffer,
  /** RCR of a MAC or MII register: the dummy byte. */
  Dummy,
  /** RCR: the value. */
  Value,
  /** RCR: clocks after the value, which the data sheet does not describe. */
  Repeat,
  /** WCR, BFS, BFC: the data byte. */
  Data,
  /** The instruction is over; further bytes are a violation. */
  Over,
  /** Ignore everything until CSn rises. */
  Ignore,
}

/**
 * Register-level model of the Microchip ENC28J60, a 10BASE-T Ethernet controller on SPI. Byte-level SPI slave: `exchange`
 * is called when the eight clocks of a byte are over. It takes time from the clock alone and undefined values from the
 * seed. Sources: data sheet DS39662E, errata DS80349C.
 */
export class Enc28j60 implements ChipModel {
  readonly name = "ENC28J60";
  onTransmit: (frame: Uint8Array) => void = () => undefined;
  private readonly core: Core;
  private readonly parts: Parts;
  private readonly control: Control;
  /** Of its own, so that how many bytes nobody looks at does not change what else is left to chance. */
  private readonly noise: Random;
  private selected = false;
  private phase = Phase.Opcode;
  private opcode = 0;
  /** Register of the instruction under way. */
  private index = 0;
  private latched = 0;
  private lastByteNs = 0;
  private deselectedNs = -Infinity;
  private macAccess = false;
  private resetSinceNs: number | undefined;

  constructor(private readonly options: Enc28j60Options) {
    const core = new Core(options);
    const phy = new Phy(core);
    const mii = new Mii(core, phy);
    const wire = new Wire(core, options.lineFrames ?? 128);
    const receiver = new Receiver(core);
    const transmitter = new Transmitter(core, phy, wire, receiver);
    const dma = new Dma(core, receiver);
    const bist = new Bist(core);
    const flow = new FlowControl(core, transmitter, wire);
    this.core = core;
    this.noise = new Random(options.seed ^ 0x5a5a);
    this.parts = { phy, mii, wire, receiver, transmitter, dma, bist, flow };
    this.control = new Control(core, this.parts);
    wire.receiver = receiver;
    wire.transmitter = transmitter;
    phy.activity = () => wire.busy;
    phy.onLinkLost = () => wire.disconnect();
    receiver.onPause = (quanta) => transmitter.pause(quanta);
    receiver.onBegin = () => dma.frameBegins();
    transmitter.onFrame = (frame) => this.onTransmit(frame);
    transmitter.onIdle = () => {
      if (core.bit(R.ECON1, ECON1.DMAST) && !dma.running) dma.start();
    };
    dma.onIdle = () => {
      if (core.bit(R.ECON1, ECON1.TXRTS)) transmitter.start();
    };
    core.startOscillator();
    this.defaults(true);
  }

  // Pins

  get interrupt(): boolean {
    return this.core.interrupt;
  }

  get onInterrupt(): (low: boolean) => void {
    return this.core.onInterrupt;
  }

  set onInterrupt(listener: (low: boolean) => void) {
    this.core.onInterrupt = listener;
  }

  select(): void {
    this.selected = true;
    this.phase = this.resetSinceNs === undefined ? Phase.Opcode : Phase.Ignore;
    this.macAccess = false;
    if (this.options.spiHz > SCK_MAX_HZ) this.core.violation("SCK above 20 MHz");
    const high = this.core.clock.nowNs - this.deselectedNs + 0.5;
    if (high < CS_HIGH_NS) {
      this.core.violation(`CSn was high for ${Math.floor(high)} ns, 50 are due`);
    }
  }

  deselect(): void {
    if (!this.selected) return;
    this.selected = false;
    this.deselectedNs = this.core.clock.nowNs;
    // Half a nanosecond for the rounding of a clock that counts in fractions.
    const hold = this.core.clock.nowNs - this.lastByteNs + 0.5;
    if (this.macAccess && hold < CS_HOLD_MAC_NS) {
      this.core.violation(
        `CSn rises ${Math.floor(hold)} ns after a MAC or MII access, 210 are due`,
      );
    }
  }

  exchange(mosi: number): number {
    const stuck = this.core.faults.misoStuck;
    if (stuck !== undefined) return stuck;
    if (!this.selected) return 0xff;
    this.lastByteNs = this.core.clock.nowNs;
    if (this.phase === Phase.ReadBuffer) return this.readBuffer();
    if (this.phase === Phase.WriteBuffer) {
      this.writeBuffer(mosi);
      return this.undefinedByte();
    }
    return this.exchangeControl(mosi);
  }

  /** The packet memory, many bytes at once; false where a byte may mean more than itself. */
  burst(data: Uint8Array, writing: boolean): boolean {
    const { core } = this;
    const phase = writing ? Phase.WriteBuffer : Phase.ReadBuffer;
    const plain = this.selected && this.phase === phase && core.bit(R.ECON2, ECON2.AUTOINC);
    if (!plain || core.faults.misoStuck !== undefined) return false;
    if (core.bit(R.ECON1, ECON1.TXRTS) && this.nearSending(data.length, writing)) return false;
    if (writing) core.writeBytes(data);
    else core.readBytes(data);
    return true;
  }

  reset(low: boolean): void {
    const now = this.core.clock.nowNs;
    if (low) {
      this.resetSinceNs ??= now;
    } else if (this.resetSinceNs !== undefined) {
      const held = now - this.resetSinceNs;
      this.resetSinceNs = undefined;
      if (held >= RESET_PULSE_NS) this.systemReset();
    }
  }

  // Wire

  receive(frame: Uint8Array, fcsGood = true): void {
    if (this.parts.phy.connected) this.parts.wire.submit(frame, fcsGood);
  }

  setLink(up: boolean): void {
    this.parts.phy.setPlugged(up);
    if (!up) this.parts.wire.disconnect();
  }

  // For tests and tools

  /** Faults in force; may be changed at any time. */
  get faults(): Faults {
    return this.core.faults;
  }

  /** How often errata strike; may be changed at any time. */
  get rates(): ErratumRates {
    return this.core.rates;
  }

  /** Everything illegal that was done. */
  get violations(): readonly string[] {
    return this.core.violations;
  }

  /** The packet memory itself. */
  get memory(): Uint8Array {
    return this.core.ram;
  }

  /** Frames that the link partner lost because it had to hold back too many. */
  get lineLost(): number {
    return this.parts.wire.lost;
  }

  /** Value of a register without the effects of reading it. */
  peek(name: keyof typeof R): number {
    return this.control.peek(R[name]);
  }

  /** An upset: bits of a register turn over by themselves. */
  upset(name: keyof typeof R, bits: number): void {
    const { registers } = this.core;
    registers[R[name]] = (registers[R[name]] as number) ^ bits;
  }

  /** An upset in a register of the PHY. */
  upsetPhy(register: number, bits: number): void {
    this.parts.phy.upset(register, bits);
  }

  /** The faults of the INT pin have changed. */
  refreshInterrupt(): void {
    this.core.updateInterrupt();
  }

  /** Power is cut and comes back: everything is lost. */
  powerCycle(): void {
    this.core.random.fill(this.core.ram);
    this.stopParts();
    this.core.startOscillator();
    this.defaults(true);
  }

  // Reset

  /** SRC or the RESET pin. Memory, ECOCON and CLKRDY stay as they are (DS39662E 11.2). */
  private systemReset(): void {
    const sleeping = this.core.bit(R.ECON2, ECON2.PWRSV);
    this.stopParts();
    if (sleeping) this.core.startOscillator();
    this.core.restartPhyClock();
    this.defaults(false);
  }

  private stopParts(): void {
    const { mii, receiver, transmitter, dma, bist, flow } = this.parts;
    mii.reset();
    receiver.cancel();
    transmitter.reset();
    dma.reset();
    bist.reset();
    flow.reset();
  }

  private defaults(powerOn: boolean): void {
    this.core.resetRegisters(powerOn);
    this.core.registers[R.EREVID] = EREVID[this.core.revision];
    this.control.reset();
    this.parts.receiver.reset();
    this.parts.phy.reset();
    this.core.updateInterrupt();
  }

  // SPI

  private undefinedByte(): number {
    return this.noise.u32() & 0xff;
  }

  private exchangeControl(mosi: number): number {
    switch (this.phase) {
      case Phase.Opcode:
        this.decode(mosi);
        return this.undefinedByte();
      case Phase.Dummy:
        this.latched = this.control.read(this.index);
        this.phase = Phase.Value;
        return this.undefinedByte();
      case Phase.Value:
        this.phase = Phase.Repeat;
        return this.latched;
      case Phase.Repeat:
        this.core.violation("RCR goes on after the register's value");
        return this.latched;
      case Phase.Data:
        this.phase = Phase.Over;
        this.execute(mosi);
        return this.undefinedByte();
      case Phase.Over:
        this.core.violation("a byte after the end of the instruction; addresses do not increment");
        return this.undefinedByte();
      default:
        return this.undefinedByte();
    }
  }

  private decode(byte: number): void {
    this.opcode = byte & 0xe0;
    const argument = byte & 0x1f;
    if (byte === 0x3a) {
      this.phase = Phase.ReadBuffer;
    } else if (byte === 0x7a) {
      this.phase = Phase.WriteBuffer;
    } else if (byte === 0xff) {
      // Drivers are known to clock a second byte here; the chip is busy resetting.
      this.phase = Phase.Ignore;
      if (this.core.has(19) && this.core.bit(R.ECON2, ECON2.PWRSV)) return;
      this.systemReset();
    } else if (this.opcode === 0x20 || this.opcode === 0x60 || this.opcode >= 0xc0) {
      this.core.violation(`0x${byte.toString(16)} is not an instruction`);
      this.phase = Phase.Ignore;
    } else {
      this.index = this.control.index(argument);
      this.macAccess = groupOf(this.index) !== "ETH";
      if (this.opcode !== 0x00) this.phase = Phase.Data;
      else if (this.macAccess) this.phase = Phase.Dummy;
      else {
        this.latched = this.control.read(this.index);
        this.phase = Phase.Value;
      }
    }
  }

  private execute(data: number): void {
    if (this.opcode === 0x40) this.control.write(this.index, data);
    else if (this.opcode === 0x80) this.control.setBits(this.index, data);
    else this.control.clearBits(this.index, data);
  }

  private readBuffer(): number {
    const { core } = this;
    const at = core.erdpt;
    if (core.bit(R.ECON1, ECON1.TXRTS)) this.checkSending(at, "read");
    if (core.bit(R.ECON2, ECON2.AUTOINC)) core.erdpt = core.afterRead(at);
    return core.ram[at] as number;
  }

  private writeBuffer(value: number): void {
    const { core } = this;
    const at = core.ewrpt;
    if (core.bit(R.ECON1, ECON1.TXRTS)) this.checkSending(at, "written");
    core.ram[at] = value;
    if (core.bit(R.ECON2, ECON2.AUTOINC)) core.ewrpt = (at + 1) & (MEMORY_BYTES - 1);
  }

  /** Whether any of so many bytes may belong to the frame that is being sent: where the buffer wraps, that is not looked at closely. */
  private nearSending(bytes: number, writing: boolean): boolean {
    const { core } = this;
    const at = writing ? core.ewrpt : core.erdpt;
    const wrap = writing ? MEMORY_BYTES - 1 : core.pair(R.ERXNDL);
    if (at <= wrap && at + bytes > wrap) return true;
    return at <= core.pair(R.ETXNDL) && at + bytes > core.pair(R.ETXSTL);
  }

  /** The bytes of a frame must not be touched while it is being sent (DS39662E 7.1). */
  private checkSending(at: number, what: string): void {
    const start = this.core.pair(R.ETXSTL);
    const end = this.core.pair(R.ETXNDL);
    if (at >= start && at <= end) {
      this.core.violation(`0x${at.toString(16)} is ${what} while the frame there is being sent`);
    }
  }
}
