import { connect, createServer, type Server, type Socket } from "node:net";
import { UserError } from "../errors.js";
import type { StreamEndpoint } from "./net-options.js";
import type { EthernetSwitch, SwitchPort } from "./switch.js";

const HEADER_BYTES = 4;
/** Longest frame that is believed; a longer one means that the other side speaks something else. */
const FRAME_BYTES_MAX = 65535;
/** Bytes that may wait for a slow reader; beyond it frames are lost, as on a full network card. */
const WAITING_BYTES_MAX = 1 << 20;

/** Takes frames out of a stream of "u32 big-endian length, frame" (as QEMU's `-netdev stream` and passt speak it). */
export class FrameDecoder {
  private rest: Buffer = Buffer.alloc(0);

  /** Gives each whole frame of the stream so far to `sink`; false when the stream makes no sense. */
  push(chunk: Buffer, sink: (frame: Uint8Array) => void): boolean {
    let data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (data.length >= HEADER_BYTES) {
      const bytes = data.readUInt32BE(0);
      if (bytes > FRAME_BYTES_MAX) return false;
      if (data.length < HEADER_BYTES + bytes) break;
      sink(new Uint8Array(data.buffer, data.byteOffset + HEADER_BYTES, bytes));
      data = data.subarray(HEADER_BYTES + bytes);
    }
    this.rest = data;
    return true;
  }
}

/** A frame with its length in front. */
export function encodeFrame(frame: Uint8Array): Buffer {
  const data = Buffer.allocUnsafe(HEADER_BYTES + frame.length);
  data.writeUInt32BE(frame.length, 0);
  data.set(frame, HEADER_BYTES);
  return data;
}

/** A far end that speaks frames over a UNIX or TCP socket, as a station of the virtual switch. */
export class StreamAdapter {
  /** Frames that the far end was too slow for, or that came while nobody was there. */
  dropped = 0;
  /** The far end is gone, and nobody else will come. */
  onEnd: (message: string) => void = () => undefined;
  private server: Server | undefined;
  private peer: Socket | undefined;
  private readonly port: SwitchPort;
  private closed = false;

  private constructor(ethernet: EthernetSwitch) {
    this.port = ethernet.attach("stream", (frame) => this.send(frame));
  }

  /** Connects, or waits for connections; the far end that came last is the one that counts. */
  static async open(endpoint: StreamEndpoint, ethernet: EthernetSwitch): Promise<StreamAdapter> {
    const adapter = new StreamAdapter(ethernet);
    await (endpoint.listen ? adapter.listen(endpoint) : adapter.connect(endpoint));
    return adapter;
  }

  close(): void {
    this.closed = true;
    this.server?.close();
    this.peer?.destroy();
    this.port.detach();
  }

  private connect(endpoint: StreamEndpoint): Promise<void> {
    const socket = connect(addressOf(endpoint));
    return new Promise((resolve, reject) => {
      socket.once("error", (error: NodeJS.ErrnoException) => {
        const hint = "start the other side first, or use stream:listen:";
        reject(new UserError(`no connection to ${nameOf(endpoint)} (${error.code}); ${hint}`));
      });
      socket.once("connect", () => {
        socket.removeAllListeners("error");
        this.serve(socket, (why) => this.onEnd(`the other side of ${nameOf(endpoint)} ${why}`));
        resolve();
      });
    });
  }

  private listen(endpoint: StreamEndpoint): Promise<void> {
    const server = createServer((socket) => {
      this.peer?.destroy();
      this.serve(socket, () => undefined);
    });
    this.server = server;
    return new Promise((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        reject(
          new UserError(`cannot listen on ${nameOf(endpoint)} (${error.code}); choose another`),
        );
      });
      server.listen(addressOf(endpoint), resolve);
    });
  }

  private serve(socket: Socket, onGone: (why: string) => void): void {
    const decoder = new FrameDecoder();
    this.peer = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      if (decoder.push(chunk, this.port.send)) return;
      socket.destroy(new Error("does not speak frames with a 32-bit length in front"));
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (this.peer === socket) this.peer = undefined;
      if (!this.closed) onGone(socket.errored?.message ?? "has closed the connection");
    });
  }

  private send(frame: Uint8Array): void {
    const { peer } = this;
    if (!peer || peer.writableLength > WAITING_BYTES_MAX) this.dropped++;
    else peer.write(encodeFrame(frame));
  }
}

/**
 * What Node takes as the path of a local socket: on Windows a named pipe. A name that is none of a pipe stands for one, so that both sides
 * meet at whatever they are given: `/tmp/net.sock` is `\\.\pipe\tmp-net.sock`.
 */
export function socketPath(path: string, platform: NodeJS.Platform = process.platform): string {
  if (platform !== "win32") return path;
  const plain = path.replaceAll("/", "\\");
  if (/^\\\\[.?]\\pipe\\./i.test(plain)) return plain;
  return `\\\\.\\pipe\\${plain.replace(/^\\+/, "").replace(/[\\:]+/g, "-")}`;
}

function addressOf(endpoint: StreamEndpoint): { path: string } | { host: string; port: number } {
  return endpoint.path !== undefined
    ? { path: socketPath(endpoint.path) }
    : { host: endpoint.host as string, port: endpoint.port as number };
}

function nameOf(endpoint: StreamEndpoint): string {
  return endpoint.path ?? `${endpoint.host}:${endpoint.port}`;
}
