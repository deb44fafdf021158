/** Serial ports in memory with a boot loader simulator, or anything else, behind them. */
import { createRequire } from "node:module";
import type { MockBindingInterface } from "@serialport/binding-mock" with {
  "resolution-mode": "require",
};
import type { SerialBinding } from "../../host-tools/serial/line.js";

/** The board's end of a cable. */
export interface Peer {
  receive(bytes: Uint8Array): void;
  onSend: (bytes: Uint8Array) => void;
  onUnplug: () => void;
}

/** Modem line settings and openings that a port has seen. */
export interface PortRecord {
  opened: Record<string, unknown>[];
  lines: Record<string, unknown>[];
  openNow: number;
}

/** The port as the stream sees it, with the peer at its other end. */
class MemoryPort {
  isOpen = true;
  private queue: Buffer[] = [];
  private wake: (() => void) | undefined;
  private failure: Error | undefined;

  constructor(
    readonly openOptions: Record<string, unknown>,
    private readonly peer: Peer,
    private readonly record: PortRecord,
  ) {
    record.openNow += 1;
    peer.onSend = (bytes) => {
      this.queue.push(Buffer.from(bytes));
      this.wake?.();
    };
    peer.onUnplug = () => this.end(Object.assign(new Error("unplugged"), { disconnected: true }));
  }

  async read(
    buffer: Buffer,
    offset: number,
    length: number,
  ): Promise<{ buffer: Buffer; bytesRead: number }> {
    while (this.queue.length === 0) {
      if (this.failure) throw this.failure;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    const [first, ...rest] = this.queue as [Buffer, ...Buffer[]];
    const bytesRead = first.copy(buffer, offset, 0, length);
    this.queue = bytesRead < first.length ? [first.subarray(bytesRead), ...rest] : rest;
    return { buffer, bytesRead };
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.failure) throw this.failure;
    this.peer.receive(bytes);
  }

  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.record.openNow -= 1;
    this.end(Object.assign(new Error("closed"), { canceled: true }));
  }

  async set(lines: Record<string, unknown>): Promise<void> {
    this.record.lines.push(lines);
  }

  async update(): Promise<void> {}
  async flush(): Promise<void> {}
  async drain(): Promise<void> {}
  async get(): Promise<object> {
    return { cts: false, dsr: false, dcd: false };
  }
  async getBaudRate(): Promise<object> {
    return { baudRate: this.openOptions["baudRate"] };
  }

  private end(error: Error): void {
    this.failure = error;
    this.wake?.();
  }
}

/** A machine with one port. `path` is what it is called; others do not exist. */
export function memoryBinding(
  path: string,
  peer: Peer,
): { binding: SerialBinding; record: PortRecord } {
  const record: PortRecord = { opened: [], lines: [], openNow: 0 };
  const binding = {
    list: async () => [],
    open: async (options: Record<string, unknown>) => {
      if (options["path"] !== path) throw new Error("Error: No such file or directory");
      if (record.openNow > 0) throw new Error("Error: Cannot lock port");
      record.opened.push(options);
      return new MemoryPort(options, peer, record);
    },
  };
  return { binding: binding as unknown as SerialBinding, record };
}

const load = createRequire(import.meta.url);
const { MockBinding } = load("@serialport/binding-mock") as { MockBinding: MockBindingInterface };

/** The serialport project's own mock binding with a peer behind its port. */
export function mockBinding(path: string, peer: Peer): SerialBinding {
  MockBinding.createPort(path, { record: true });
  const open = async (
    options: Parameters<MockBindingInterface["open"]>[0],
  ): ReturnType<MockBindingInterface["open"]> => {
    const port = await MockBinding.open(options);
    const write = port.write.bind(port);
    peer.onSend = (bytes) => port.emitData(Buffer.from(bytes));
    port.write = async (bytes) => {
      await write(bytes);
      peer.receive(bytes);
    };
    return port;
  };
  return { list: () => MockBinding.list(), open } as unknown as SerialBinding;
}
