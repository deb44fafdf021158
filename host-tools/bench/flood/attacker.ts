import { Random } from "../../sim/random.js";
import { parseFrame } from "../../testing/wire-parse.js";
import { Peer } from "../../testing/wire-peer.js";
import type { Device, Lan } from "../../testing/index.js";

const SYN = 2;
const ACK_OF_SYN = 0x12;
const ROUTER_MAC = "02:00:00:00:00:66";
/** Frames are handed over in bundles of this time, so that they come close together, as from a fast attacker. */
const BUNDLE_MS = 2;

/** The router of a network, from behind which SYNs come whose senders do not exist. It counts what it is answered. */
export class Attacker {
  sent = 0;
  answers = 0;
  private readonly port: { send(frame: Uint8Array): void };
  private readonly random: Random;

  constructor(
    private readonly lan: Lan,
    private readonly device: Device,
    private readonly router: number,
    seed: number,
  ) {
    this.random = new Random(seed);
    this.port = lan.ethernet.attach("attacker", (frame) => this.look(new Uint8Array(frame)));
  }

  /** Sends SYNs from random addresses and ports to `port`, so many in all and a second; then calls `done`. */
  flood(port: number, count: number, perSecond: number, done: () => void): void {
    const { clock } = this.lan;
    const startNs = clock.nowNs;
    const end = this.sent + count;
    const nobody = new Peer(ROUTER_MAC, 0, this.device.mac, this.device.addressNumber);
    const bundle = (): void => {
      const due = Math.ceil(((clock.nowNs - startNs) * perSecond) / 1e9);
      for (let left = due - (count - (end - this.sent)); left > 0 && this.sent < end; left--)
        this.syn(nobody, port);
      if (this.sent < end) clock.schedule(BUNDLE_MS * 1e6, bundle);
      else done();
    };
    bundle();
  }

  private syn(nobody: Peer, port: number): void {
    const { random } = this;
    this.sent++;
    this.port.send(
      nobody.as(0x0b00_0000 + random.below(0xff_ffff)).tcp({
        sourcePort: 1024 + random.below(60_000),
        destinationPort: port,
        seq: random.u32(),
        flags: SYN,
        options: { mss: 1460 },
      }),
    );
  }

  private look(frame: Uint8Array): void {
    const { arp, tcp, source } = parseFrame(frame);
    if (tcp && (tcp.flags & 0x3f) === ACK_OF_SYN) this.answers++;
    if (arp?.operation !== 1 || arp.targetAddress !== this.router) return;
    const reply = new Peer(ROUTER_MAC, this.router, source, arp.senderAddress).arpReply();
    this.lan.clock.schedule(0, () => this.port.send(reply));
  }
}
