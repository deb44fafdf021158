import { longestFrame, SHORTEST_FRAME } from "./macraw.js";
import type { Protocol, SocketChip, SocketFace } from "./protocol.js";
import { SN_CR, SN_IR_SENDOK, Sn } from "./registers.js";

/** Socket 0 in MACRAW mode: what the host writes is a frame, what comes is one with its length in front. */
export class MacRaw implements Protocol {
  sendingTo: number | undefined;
  /** TX_WR as further SENDs took it: each is a frame of its own, sent when the one before is. */
  private readonly queued: number[] = [];
  /** The running SEND never ends (a fault), whatever the link does. */
  private hung = false;
  private stopped = false;

  constructor(
    private readonly socket: SocketFace,
    private readonly chip: SocketChip,
  ) {}

  get heldTo(): number | undefined {
    return this.sendingTo;
  }

  command(code: number): void {
    if (code !== SN_CR.SEND) {
      return this.socket.violation("command", `command 0x${code.toString(16)} in MACRAW mode`);
    }
    const end = this.socket.word(Sn.TX_WR);
    if (this.sendingTo === undefined) return this.transmit(end);
    this.socket.violation("send-before-sendok", "SEND before SENDOK of the last frame");
    this.queued.push(end);
  }

  received(): void {}

  resume(): void {
    // A frame that could not go out, or was cut off, begins anew.
    if (this.sendingTo !== undefined && !this.hung) this.transmit(this.sendingTo);
  }

  stop(): void {
    this.stopped = true;
    this.sendingTo = undefined;
  }

  /** A frame that passed the filter: stored with its length in front, or dropped whole (false) if it does not fit. */
  deliver(frame: Uint8Array): boolean {
    const { faults, random } = this.chip;
    const length = frame.length + 2;
    if (length > this.socket.room) return false;
    let header = length;
    if (faults.corruptLength > 0) {
      faults.corruptLength--;
      header = random.u32() & 0xffff;
      // Some random numbers are good lengths; this one must not be.
      if (header >= 62 && header <= 1520) header |= 0x8000;
    }
    this.socket.store([header >> 8, header & 0xff], frame);
    return true;
  }

  /** Sends memory from TX_RD to `end` as one frame. */
  private transmit(end: number): void {
    const { socket } = this;
    const size = this.chip.tx.size(socket.index);
    const bytes = (end - socket.txRead) & 0xffff;
    if (bytes > size) {
      return socket.violation(
        "tx-pointer",
        `SEND with Sn_TX_WR ${end}, which is ${bytes} beyond Sn_TX_RD ${socket.txRead} in a buffer of ${size}`,
      );
    }
    const frame = new Uint8Array(Math.max(bytes, SHORTEST_FRAME));
    frame.set(socket.sendable(socket.txRead, bytes));
    if (bytes < 14 || bytes > longestFrame(frame)) {
      return socket.violation("tx-length", `SEND of a frame of ${bytes} bytes`);
    }
    this.sendingTo = end;
    this.chip.transmit(frame, () => this.sent(end));
  }

  private sent(end: number): void {
    if (this.stopped) return;
    const { faults } = this.chip;
    if (faults.hangSend > 0) {
      faults.hangSend--;
      this.hung = true;
      return;
    }
    this.socket.txRead = this.socket.txFreed = end;
    this.sendingTo = undefined;
    if (faults.loseSendOk > 0) faults.loseSendOk--;
    else this.socket.raise(SN_IR_SENDOK);
    const next = this.queued.shift();
    if (next !== undefined) this.transmit(next);
  }
}
