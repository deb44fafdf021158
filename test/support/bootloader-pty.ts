/** A pseudo-terminal with a peer at its master end: a real port of the operating system. */
import { closeSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { ReadStream } from "node:tty";
import type { Peer } from "./bootloader-binding.js";

/** An open pseudo-terminal. */
export interface Pty {
  /** Path of the end that programs open as a serial port. */
  path: string;
  /** Takes both ends away, as unplugging does. */
  close(): void;
}

/** True where pseudo-terminals can be made. */
export const hasPty = process.platform === "linux";

interface Libc {
  func(signature: string): (...args: unknown[]) => number;
}

const O_RDWR = 2;
const O_NOCTTY = 0o400;

/** Opens a raw pseudo-terminal and joins the peer to it. Linux only. */
export function openPty(peer: Peer): Pty {
  const load = createRequire(import.meta.url);
  const koffi = load("koffi") as { load(name: string): Libc };
  const libc = koffi.load("libc.so.6");
  const call = (signature: string, ...args: unknown[]): void => {
    const result = libc.func(signature)(...args);
    if (result < 0) throw new Error(`${signature} failed`);
  };
  const fd = libc.func("int posix_openpt(int flags)")(O_RDWR | O_NOCTTY);
  if (fd < 0) throw new Error("posix_openpt failed");
  call("int grantpt(int fd)", fd);
  call("int unlockpt(int fd)", fd);
  const name = Buffer.alloc(64);
  call("int ptsname_r(int fd, _Out_ uint8_t *name, size_t bytes)", fd, name, name.length);
  const path = name.toString("latin1", 0, name.indexOf(0));
  // Held open so that the master does not see an end each time a program closes the port.
  const slave = openSync(path, O_RDWR | O_NOCTTY);
  const termios = Buffer.alloc(128);
  call("int tcgetattr(int fd, _Inout_ uint8_t *termios)", slave, termios);
  libc.func("void cfmakeraw(_Inout_ uint8_t *termios)")(termios);
  call("int tcsetattr(int fd, int actions, _Inout_ uint8_t *termios)", slave, 0, termios);
  const master = new ReadStream(fd);
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    closeSync(slave);
    master.destroy();
  };
  master.on("data", (bytes: Buffer) => peer.receive(bytes));
  master.on("error", close);
  peer.onSend = (bytes) => void (open && master.write(Buffer.from(bytes)));
  peer.onUnplug = close;
  return { path, close };
}
