import type { Firmware } from "../build/compile.js";
import type { LogLine } from "../log/decode.js";
import { formatAddress, formatMac, type Mac } from "../net/addresses.js";
import type { LinkDirection } from "../net/link.js";
import type { Fiber } from "../sim/fiber.js";
import type { BusCount } from "../sim/hw-imports.js";
import { LED_PIN, RELEASED_MS } from "../sim/pins.js";
import type { ChipModel } from "../sim/types.js";
import { readCounters } from "./counters.js";
import type { Lan } from "./lan.js";
import type { TcpStream } from "./host.js";

/** What a network gives a device. */
export interface DeviceParts {
  name: string;
  mac: Mac;
  firmware: Firmware;
  links: { up: LinkDirection; down: LinkDirection };
  /** Gives power. */
  start: () => Promise<void>;
}

/** A device of a simulated network: firmware on a virtual board. */
export class Device {
  /** Lines of its log since power was given. */
  readonly log: LogLine[] = [];
  /** Its address as a host-order number; 0 while it has none. */
  addressNumber = 0;
  /** For the network only. */
  fiber: Fiber | undefined;

  readonly name: string;
  readonly firmware: Firmware;
  /** Both directions of its cable; `count` of each tells what has happened on it. */
  readonly links: { up: LinkDirection; down: LinkDirection };
  /** Its hardware address, as 02:00:00:00:01:00. */
  readonly mac: string;

  /** When the button may be pressed again. */
  private letGoNs = 0;

  /** Made by `Lan.device`. */
  constructor(
    private readonly lan: Lan,
    private readonly parts: DeviceParts,
  ) {
    this.name = parts.name;
    this.firmware = parts.firmware;
    this.links = parts.links;
    this.mac = formatMac(parts.mac);
  }

  /** The Ethernet chip's model: registers' errata and faults are its switches. */
  get chip(): ChipModel {
    return this.powered().board.chip;
  }

  /** Traffic on the SPI bus since power was given. */
  get spi(): BusCount {
    return this.powered().board.bus;
  }

  /** How often the processor has gone to sleep since power was given: an idle device should seldom wake. */
  get sleeps(): number {
    return this.powered().sleeps;
  }

  /** Counters of the stack by name (stack/statistics.ts), as TCP_RETRANSMIT; a name that there is not is refused. */
  get counters(): Record<string, number> {
    const memory = this.powered().board.instance.exports["memory"] as WebAssembly.Memory;
    return readCounters(this.firmware, memory.buffer, this.name);
  }

  /** The address as text. */
  get address(): string {
    return formatAddress(this.addressNumber);
  }

  /** Waits for a line of the log; one that has come already counts too. Gives its text. */
  async logged(wanted: string | RegExp, limitMs?: number): Promise<string> {
    const fits = ({ text }: LogLine): boolean =>
      typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
    await this.lan.until(() => this.log.some(fits), `a log line ${String(wanted)}`, limitMs);
    return (this.log.find(fits) as LogLine).text;
  }

  /** Waits until the device uses an address, by DHCP or its own; gives it as text. */
  async ready(limitMs?: number): Promise<string> {
    await this.lan.until(() => this.addressNumber !== 0, `the address of ${this.name}`, limitMs);
    return this.address;
  }

  /** Connects from the network's own host; waits for the device's address first, and while the port is not open yet. */
  async connect(port: number, limitMs?: number): Promise<TcpStream> {
    await this.ready(limitMs);
    return (await this.lan.peer()).connectSoon(this, port, limitMs);
  }

  /** Plugs the cable in or out. */
  cable(plugged: boolean): void {
    this.chip.setLink(plugged);
  }

  /** Presses the button for a while; a press right behind another one waits until that has been let go for a moment. */
  async press(ms = 100): Promise<void> {
    const { clock } = this.lan;
    if (clock.nowNs < this.letGoNs) await this.lan.sleep((this.letGoNs - clock.nowNs) / 1e6);
    const { pins } = this.powered().board;
    pins.press(true);
    await this.lan.sleep(ms);
    pins.press(false);
    this.letGoNs = clock.nowNs + RELEASED_MS * 1e6;
  }

  /** True while the status LED is lit. */
  get led(): boolean {
    return this.pin(LED_PIN);
  }

  /** Level of a pin. */
  pin(number: number): boolean {
    return this.powered().board.pins.level(number);
  }

  /** Drives an input of the device, or lets it go (undefined). */
  drive(number: number, high: boolean | undefined): void {
    this.powered().board.pins.drive(number, high);
  }

  /** Takes the power away: the device is gone, and its log with it. */
  powerOff(): void {
    this.fiber = undefined;
    this.addressNumber = 0;
  }

  /** Gives power: the firmware starts anew. */
  async powerOn(): Promise<void> {
    this.log.length = 0;
    this.addressNumber = 0;
    await this.parts.start();
  }

  private powered(): Fiber {
    if (!this.fiber) throw new Error(`${this.name} has no power`);
    return this.fiber;
  }
}
