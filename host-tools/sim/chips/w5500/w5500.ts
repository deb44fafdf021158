import type { ChipModel, Clock } from "../../types.js";
import { Random } from "../../random.js";
import { InterruptPin } from "./interrupt.js";
import { longestFrame, passesFilter, SHORTEST_FRAME, type Drops } from "./macraw.js";
import { PacketMemory } from "./memory.js";
import {
  NO_FAULTS,
  type LinkPartner,
  type W5500Faults,
  type W5500Options,
  type W5500Rule,
} from "./options.js";
import { Phy } from "./phy.js";
import { HardwareStack } from "./hardware/stack.js";
import {
  Common,
  COMMON_MAP,
  IR_BITS,
  MR_FARP,
  MR_PB,
  MR_PPPOE,
  MR_RST,
  MR_WOL,
  SOCKET_MAP,
  SOCK_MACRAW,
  type RegisterMap,
} from "./registers.js";
import type { SocketChip } from "./protocol.js";
import { Socket } from "./socket.js";
import { RX_BLOCK, SOCKET_BLOCK, SpiFrame, TX_BLOCK, type SpiTarget } from "./spi-frame.js";
import { Wire } from "./wire.js";

/** RSTn low, ns (datasheet 5.5.1, TRC). */
const RESET_LOW_NS = 500_000;

/**
 * WIZnet W5500 as an SPI slave byte by byte: socket 0 in MACRAW mode, the hardware sockets (TCP, UDP, IP) and what the chip answers by
 * itself (ARP, ping). Source: W5500 datasheet 1.0.9 and 1.1.0; where it is silent, what drivers in the field rely on. PPPoE and
 * wake on LAN are left out: their use is reported.
 */
export class W5500 implements ChipModel, SpiTarget {
  readonly name = "W5500";
  /** May be changed while running: faults that count down begin anew. */
  readonly faults: W5500Faults;
  /** Frames that were not delivered, by reason. */
  readonly drops: Drops = {
    noLink: 0,
    badFcs: 0,
    runt: 0,
    jumbo: 0,
    closed: 0,
    filtered: 0,
    full: 0,
  };
  onTransmit: (frame: Uint8Array) => void = () => undefined;
  onInterrupt: (low: boolean) => void = () => undefined;

  private readonly clock: Clock;
  private readonly common = new Uint8Array(COMMON_MAP.reset.length);
  private readonly rx: PacketMemory;
  private readonly tx: PacketMemory;
  private readonly sockets: Socket[];
  private readonly hardware: HardwareStack;
  private readonly phy: Phy;
  private readonly wire: Wire;
  private readonly pin: InterruptPin;
  private readonly tolerated: ReadonlySet<W5500Rule>;

  private readonly spi: SpiFrame;
  private resetLow = false;
  private resetLowNs = 0;
  private readyNs = 0;
  private softResetUntilNs = 0;
  private versionZeroUntilNs = 0;
  /** Power has failed, and the host has not reset the chip since. */
  private unnoticed = false;

  constructor(private readonly options: W5500Options) {
    this.clock = options.clock;
    this.faults = Object.seal({ ...NO_FAULTS, ...options.faults });
    this.tolerated = new Set(options.tolerate);
    const random = new Random(options.seed);
    this.rx = new PacketMemory(random);
    this.tx = new PacketMemory(random);
    const violation = (rule: W5500Rule, message: string): void => this.violation(rule, message);
    this.pin = new InterruptPin(
      this.clock,
      (low) => this.onInterrupt(low),
      () => this.faults.loseInterrupt > 0 && this.faults.loseInterrupt-- > 0,
    );
    this.wire = new Wire(this.clock, (frame) => this.onTransmit(frame));
    this.phy = new Phy({
      clock: this.clock,
      pmode: options.pmode ?? 7,
      partner: options.partner ?? { mbits: 100, fullDuplex: true },
      autoNegotiationMs: options.autoNegotiationMs ?? 1500,
      forcedLinkMs: options.forcedLinkMs ?? 300,
      violation,
      onLink: (up) => {
        if (!up) this.wire.abort();
        else if ((options.sendWithoutLink ?? "wait") === "wait")
          this.sockets.forEach((s) => s.resume());
      },
    });
    this.hardware = new HardwareStack({
      clock: this.clock,
      random: new Random(~options.seed),
      common: this.common,
      send: (frame, sent) => {
        if (this.phy.up) this.wire.send(frame, this.phy.byteNs, sent);
      },
      interrupt: (flag) => this.raise(flag),
    });
    const chip: SocketChip = {
      clock: this.clock,
      faults: this.faults,
      random,
      rx: this.rx,
      tx: this.tx,
      commandNs: options.commandNs ?? 500,
      recvRemains: options.recvRemains ?? true,
      violation,
      network: this.hardware.network,
      transmit: (frame, done) => this.transmit(frame, done),
      interruptChanged: (change) => this.interruptChanged(change),
    };
    this.sockets = Array.from({ length: 8 }, (_, n) => new Socket(n, chip));
    this.spi = new SpiFrame(this.clock, this, violation);
    this.spi.checkClock(options.spiHz);
    this.resetRegisters();
    this.versionZeroUntilNs = this.clock.nowNs + this.faults.versionZeroNs;
  }

  /** True while INTn is low. */
  get interrupt(): boolean {
    return this.pin.low && !this.faults.absent;
  }

  /** True while the PHY has a link. */
  get link(): boolean {
    return this.phy.up;
  }

  // SPI

  select(): void {
    this.spi.select();
  }

  deselect(): void {
    this.spi.deselect();
  }

  exchange(mosi: number): number {
    if (this.faults.absent) return this.faults.absentLevel;
    return this.spi.exchange(mosi);
  }

  burst(data: Uint8Array, writing: boolean): boolean {
    return !this.faults.absent && this.spi.burst(data, writing);
  }

  /** RSTn (datasheet 5.5.1): low for 500 us resets everything; ready when the PLL has locked. */
  reset(low: boolean): void {
    if (low === this.resetLow) return;
    this.resetLow = low;
    if (low) {
      this.resetLowNs = this.clock.nowNs;
      this.unnoticed = false;
      this.resetRegisters();
      this.spi.restart();
      this.phy.softReset();
      this.phy.hold();
      return;
    }
    if (this.clock.nowNs - this.resetLowNs < RESET_LOW_NS) {
      this.violation("reset-time", "RSTn was low for less than 500 us");
    }
    this.readyNs = this.clock.nowNs + (this.options.pllLockNs ?? 1_000_000);
    this.versionZeroUntilNs = this.readyNs + this.faults.versionZeroNs;
    this.phy.powerUp();
  }

  /**
   * Power fails and comes back: as after RSTn. The host cannot know, so nothing that it does is its mistake until it
   * resets the chip.
   */
  powerCycle(): void {
    this.unnoticed = true;
    this.resetRegisters();
    this.phy.softReset();
    this.phy.hold();
    this.readyNs = this.clock.nowNs + (this.options.pllLockNs ?? 1_000_000);
    this.phy.powerUp();
  }

  ready(): boolean {
    if (!this.resetLow && this.clock.nowNs >= this.readyNs) return true;
    this.violation("not-ready", "an access in reset or before the PLL has locked");
    return false;
  }

  hasMemory(block: number, socket: number): boolean {
    return (block === TX_BLOCK ? this.tx : this.rx).size(socket) > 0;
  }

  read(block: number, socket: number, address: number): number {
    switch (block) {
      case RX_BLOCK:
        return this.rx.read(socket, address);
      case TX_BLOCK:
        return this.tx.read(socket, address);
      case SOCKET_BLOCK:
        if (!this.exists(address, SOCKET_MAP)) return 0;
        return (this.sockets[socket] as Socket).read(address);
      default:
        return this.exists(address, COMMON_MAP) ? this.readCommon(address) : 0;
    }
  }

  write(block: number, socket: number, address: number, value: number): void {
    const at = this.sockets[socket] as Socket;
    if (block === TX_BLOCK) at.writeTx(address, value);
    else if (block === RX_BLOCK) this.rx.write(socket, address, value);
    else if (block === SOCKET_BLOCK) {
      if (this.writable(address, SOCKET_MAP)) at.write(address, value);
    } else if (this.writable(address, COMMON_MAP)) this.writeCommon(address, value);
  }

  readMemory(block: number, socket: number, address: number, to: Uint8Array): void {
    (block === TX_BLOCK ? this.tx : this.rx).readBytes(socket, address, to);
  }

  writeMemory(block: number, socket: number, address: number, from: Uint8Array): void {
    if (block === TX_BLOCK) (this.sockets[socket] as Socket).writeTxBytes(address, from);
    else this.rx.writeBytes(socket, address, from);
  }

  /** An upset: bits of a common register (`socket` absent) or of a socket's turn over by themselves. */
  upset(address: number, bits: number, socket?: number): void {
    if (socket !== undefined) (this.sockets[socket] as Socket).upset(address, bits);
    else if (address === Common.PHYCFGR) this.phy.write(this.phy.read() ^ bits);
    else this.common[address] = (this.common[address] as number) ^ bits;
  }

  private exists(address: number, map: RegisterMap): boolean {
    const name = map.name(address);
    if (name === undefined) {
      const block = map === COMMON_MAP ? "common" : "socket";
      this.violation("unknown-register", `no ${block} register at 0x${address.toString(16)}`);
      return false;
    }
    // While MR.RST is set only MR can be read.
    if (this.clock.nowNs < this.softResetUntilNs && name !== "MR") {
      this.violation("not-ready", `${name} accessed while MR.RST is set`);
    }
    return true;
  }

  private writable(address: number, map: RegisterMap): boolean {
    if (!this.exists(address, map)) return false;
    if (!map.readOnly(address)) return true;
    this.violation("read-only-register", `a write to ${map.name(address)}`);
    return false;
  }

  // Common registers

  private readCommon(address: number): number {
    switch (address) {
      case Common.MR: {
        const resetting = this.clock.nowNs < this.softResetUntilNs;
        return (this.common[Common.MR] as number) | (resetting ? MR_RST : 0);
      }
      case Common.SIR:
        return this.socketInterrupts;
      case Common.PHYCFGR:
        return this.phy.read();
      case Common.VERSIONR:
        return this.clock.nowNs < this.versionZeroUntilNs ? 0 : (this.common[address] as number);
      default:
        return this.common[address] as number;
    }
  }

  private writeCommon(address: number, value: number): void {
    switch (address) {
      case Common.MR:
        return this.writeMode(value);
      case Common.IR:
        this.common[Common.IR] = (this.common[Common.IR] as number) & ~(value & IR_BITS);
        return this.interruptChanged("cleared");
      case Common.IMR:
      case Common.SIMR:
        this.common[address] = address === Common.IMR ? value & IR_BITS : value;
        return this.interruptChanged("mask");
      case Common.PHYCFGR:
        return this.phy.write(value);
      default:
        this.common[address] = value;
    }
  }

  private writeMode(value: number): void {
    if (value & MR_RST) {
      this.unnoticed = false;
      this.resetRegisters();
      this.phy.softReset();
      this.softResetUntilNs = this.clock.nowNs + (this.options.softResetNs ?? 500);
      return;
    }
    if (value & ~(MR_WOL | MR_PB | MR_PPPOE | MR_FARP)) {
      this.violation("reserved-value", "reserved bits of MR are set");
    }
    if (value & (MR_WOL | MR_PPPOE)) {
      this.violation("not-modelled", "PPPoE and wake on LAN");
    }
    this.common[Common.MR] = value & (MR_WOL | MR_PB | MR_PPPOE | MR_FARP);
  }

  private resetRegisters(): void {
    this.common.set(COMMON_MAP.reset);
    for (const socket of this.sockets) socket.reset();
    this.rx.reset();
    this.tx.reset();
    this.wire.abort();
    this.pin.reset();
  }

  // Interrupts

  private get socketInterrupts(): number {
    return this.sockets.reduce((bits, socket, n) => bits | (socket.pending ? 1 << n : 0), 0);
  }

  /** A flag of the chip itself. */
  private raise(flag: number): void {
    this.common[Common.IR] = (this.common[Common.IR] as number) | flag;
    this.interruptChanged("set");
  }

  private interruptChanged(change: "set" | "cleared" | "mask"): void {
    const common = (this.common[Common.IR] as number) & (this.common[Common.IMR] as number);
    const pending = (this.socketInterrupts & (this.common[Common.SIMR] as number)) !== 0;
    const level =
      ((this.common[Common.INTLEVEL] as number) << 8) |
      (this.common[Common.INTLEVEL + 1] as number);
    if (change === "set") this.pin.event();
    if (change === "cleared") this.pin.cleared(level, pending || common !== 0);
    else this.pin.update(pending || common !== 0);
  }

  // Ethernet

  setLink(up: boolean): void {
    this.phy.setCable(up);
  }

  /** What is at the other end of the cable changes while the chip runs. */
  setPartner(partner: LinkPartner): void {
    this.phy.setPartner(partner);
  }

  receive(frame: Uint8Array, fcsGood = true): void {
    if (!this.phy.up || this.resetLow || this.faults.absent) this.drops.noLink++;
    else if (!fcsGood) this.drops.badFcs++;
    else if (frame.length < SHORTEST_FRAME) this.drops.runt++;
    else if (frame.length > longestFrame(frame)) this.drops.jumbo++;
    else this.take(frame);
  }

  private take(frame: Uint8Array): void {
    const socket = this.sockets[0] as Socket;
    if (this.hardware.input(frame, this.sockets)) return;
    const mac = this.common.subarray(Common.SHAR, Common.SHAR + 6);
    if (socket.status !== SOCK_MACRAW) this.drops.closed++;
    else if (!passesFilter(frame, socket.mode, mac, this.options.multicast ?? "ip")) {
      this.drops.filtered++;
    } else if (!socket.deliver(frame)) this.drops.full++;
  }

  private transmit(frame: Uint8Array, done: () => void): void {
    if (this.phy.up) return this.wire.send(frame, this.phy.byteNs, done);
    if (this.options.sendWithoutLink === "complete") {
      this.clock.schedule(frame.length * this.phy.byteNs, done);
    }
  }

  // Reports

  private violation(rule: W5500Rule, message: string): void {
    if (this.faults.absent || this.unnoticed) return;
    if (this.options.strict === false || this.tolerated.has(rule)) return;
    this.options.onViolation(`W5500 [${rule}]: ${message}`);
  }
}
