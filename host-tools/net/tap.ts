import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { platform } from "node:os";
import { UserError } from "../errors.js";
import { requireOptional } from "../optional.js";
import type { Subnet } from "./addresses.js";
import { put32 } from "./packets.js";
import type { EthernetSwitch } from "./switch.js";

// linux/if_tun.h, linux/sockios.h, linux/if.h
const TUNSETIFF = 0x400454ca;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const SIOCSIFNETMASK = 0x891c;
const SIOCGIFINDEX = 0x8933;
const IFF_UP = 1;
const AF_INET = 2;
const SOCK_DGRAM = 2;
/** sizeof(struct ifreq) on 64-bit systems; the name takes the first 16 bytes. */
const IFREQ_BYTES = 40;
const IFREQ_VALUE = 16;

/** struct pollfd of poll(2): fd, events, revents. */
const POLLFD_BYTES = 8;
const POLLIN = 1;
/**
 * Longest single wait for a frame. The wait holds a thread of Node's pool, and a process ends only when those are back: `close` ends it
 * at once by the second descriptor, and this is for the case that nobody closes.
 */
const POLL_MS = 2000;
/** Flags of eventfd(2): O_NONBLOCK. */
const EFD_NONBLOCK = 0x800;

const EPERM = 1;
const EBUSY = 16;
const EINVAL = 22;

/** Larger than any frame of an interface with the usual MTU, VLAN tag included. */
const FRAME_BYTES_MAX = 2048;

/** Frames read in one go, before anything else has its turn. */
const FRAMES_AT_ONCE = 64;

/** The C library, as far as it is needed. Results below zero mean failure, with the reason in `errno()`. */
interface LibC {
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  socket(domain: number, type: number, protocol: number): number;
  close(fd: number): number;
  /** poll(2) on another thread; calls back with its result. */
  poll(fds: Uint8Array, count: number, timeoutMs: number, done: (result: number) => void): void;
  eventfd(count: number, flags: number): number;
  errno(): number;
}

async function loadLibC(): Promise<LibC> {
  requireOptional("koffi", "a TAP interface");
  const { default: koffi } = await import("koffi");
  // The process itself: it is linked with whatever C library this system has.
  const library = koffi.load(null);
  const poll = library.func("int poll(void *, unsigned long, int)");
  return {
    poll: (fds, count, timeoutMs, done) => {
      poll.async(fds, count, timeoutMs, (error: unknown, result: number) =>
        done(error ? -1 : result),
      );
    },
    ioctl: library.func("int ioctl(int, unsigned long, void *)"),
    socket: library.func("int socket(int, int, int)"),
    close: library.func("int close(int)"),
    eventfd: library.func("int eventfd(unsigned int, int)"),
    errno: () => koffi.errno(),
  };
}

function ifreq(name: string): Buffer {
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(name, "latin1");
  return request;
}

/** Those that are open: what ends this process ends their waits. */
const opened = new Set<TapAdapter>();

function closeAll(): void {
  for (const adapter of opened) adapter.close();
}

/** A TAP interface of Linux as a station of the virtual switch. */
export class TapAdapter {
  /** Frames that Linux did not take. */
  dropped = 0;
  private open = true;
  /** A wait is under way, which has both descriptors. */
  private attached = false;
  /** Can be read from when the wait has to end. */
  private readonly wake: number;

  private constructor(
    readonly name: string,
    /** The interface did not exist before, and goes with this process. */
    readonly created: boolean,
    private readonly fd: number,
    private readonly libc: LibC,
  ) {
    this.wake = libc.eventfd(0, EFD_NONBLOCK);
    if (opened.size === 0) process.once("exit", closeAll);
    opened.add(this);
  }

  /**
   * Opens the interface, and makes it if it does not exist. One that was made gets the address `host`, so that this
   * computer takes part in the device's network at once; an existing one is used as it is.
   */
  static async open(name: string, host: Subnet): Promise<TapAdapter> {
    if (platform() !== "linux") {
      throw new UserError("TAP interfaces exist on Linux only; use --net forward:8080=80");
    }
    const libc = await loadLibC();
    const existed = interfaceExists(libc, name);
    const fd = openTun();
    const request = ifreq(name);
    request.writeUInt16LE(IFF_TAP | IFF_NO_PI, IFREQ_VALUE);
    if (libc.ioctl(fd, TUNSETIFF, request) < 0) {
      const errno = libc.errno();
      closeSync(fd);
      throw tapError(name, errno);
    }
    try {
      if (!existed) configure(libc, name, host);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return new TapAdapter(name, !existed, fd, libc);
  }

  /** Joins the interface to a switch. */
  attach(ethernet: EthernetSwitch): void {
    const port = ethernet.attach(this.name, (frame) => this.send(frame));
    const buffer = new Uint8Array(FRAME_BYTES_MAX);
    const waiting = Buffer.alloc(2 * POLLFD_BYTES);
    for (const [i, fd] of [this.fd, this.wake].entries()) {
      waiting.writeInt32LE(fd, i * POLLFD_BYTES);
      waiting.writeInt16LE(POLLIN, i * POLLFD_BYTES + 4);
    }
    this.attached = true;
    const next = (): void => {
      this.libc.poll(waiting, 2, POLL_MS, (ready) => {
        if (ready > 0) this.drain(buffer, (frame) => port.send(frame));
        if (this.open) next();
        else this.release();
      });
    };
    next();
  }

  /** Takes the frames that are there. */
  private drain(buffer: Uint8Array, take: (frame: Uint8Array) => void): void {
    for (let frames = 0; this.open && frames < FRAMES_AT_ONCE; frames++) {
      let bytes: number;
      try {
        bytes = readSync(this.fd, buffer, 0, FRAME_BYTES_MAX, null);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // EAGAIN: no more; EIO: the interface is down, and may come up again.
        if (code !== "EAGAIN" && code !== "EIO") this.open = false;
        return;
      }
      if (bytes > 0) take(buffer.subarray(0, bytes));
    }
  }

  /** No more frames go either way. The system takes the interface back. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    opened.delete(this);
    if (opened.size === 0) process.off("exit", closeAll);
    if (this.attached) writeSync(this.wake, new Uint8Array(new BigUint64Array([1n]).buffer));
    else this.release();
  }

  private release(): void {
    closeSync(this.fd);
    closeSync(this.wake);
  }

  private send(frame: Uint8Array): void {
    // The number of a descriptor that was closed may be another file's.
    if (!this.open) return;
    try {
      writeSync(this.fd, frame);
    } catch {
      // EIO while the interface is down: its cable is out.
      this.dropped++;
    }
  }
}

function openTun(): number {
  try {
    return openSync("/dev/net/tun", constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") throw rightsError("");
    throw new UserError(
      `/dev/net/tun cannot be opened (${code}): this system offers no TAP interfaces; use --net forward:8080=80`,
    );
  }
}

function rightsError(name: string): UserError {
  const tap = name || "tap0";
  return new UserError(
    `no right to use TAP interface ${tap}; run as root, or let root make it: ip tuntap add dev ${tap} mode tap user $USER`,
  );
}

function tapError(name: string, errno: number): UserError {
  switch (errno) {
    case EPERM:
      return rightsError(name);
    case EBUSY:
      return new UserError(
        `TAP interface ${name} is in use by another program; choose another name`,
      );
    case EINVAL:
      return new UserError(`${name} exists and is not a TAP interface; choose another name`);
    default:
      return new UserError(`TAP interface ${name} cannot be opened (errno ${errno})`);
  }
}

function withSocket<T>(libc: LibC, action: (fd: number) => T): T {
  const fd = libc.socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) throw new UserError(`cannot open a socket (errno ${libc.errno()})`);
  try {
    return action(fd);
  } finally {
    libc.close(fd);
  }
}

function interfaceExists(libc: LibC, name: string): boolean {
  return withSocket(libc, (fd) => libc.ioctl(fd, SIOCGIFINDEX, ifreq(name)) === 0);
}

/** Gives an interface its address and switches it on. */
function configure(libc: LibC, name: string, { address, mask }: Subnet): void {
  withSocket(libc, (fd) => {
    const apply = (what: string, code: number, request: Buffer): void => {
      if (libc.ioctl(fd, code, request) >= 0) return;
      throw new UserError(`cannot set the ${what} of ${name} (errno ${libc.errno()})`);
    };
    for (const [what, code, value] of [
      ["address", SIOCSIFADDR, address],
      ["network mask", SIOCSIFNETMASK, mask],
    ] as const) {
      const request = ifreq(name);
      request.writeUInt16LE(AF_INET, IFREQ_VALUE);
      put32(request, IFREQ_VALUE + 4, value);
      apply(what, code, request);
    }
    const flags = ifreq(name);
    apply("flags", SIOCGIFFLAGS, flags);
    flags.writeUInt16LE(flags.readUInt16LE(IFREQ_VALUE) | IFF_UP, IFREQ_VALUE);
    apply("flags", SIOCSIFFLAGS, flags);
  });
}
