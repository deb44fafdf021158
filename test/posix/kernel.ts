/** The calls done by this machine's kernel, through a few lines of Python that keep the descriptors. */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { LOOPBACK, UNIX, type Calls } from "./calls.js";

let started = 0;

const SERVER = `
import ctypes, json, os, platform, select, socket, struct, sys
EVENT = "=IQ" if platform.machine() == "x86_64" else "=IxxxxQ"
libc = ctypes.CDLL(None, use_errno=True)
def call(f, *a):
    r = f(*a)
    return r if r >= 0 else -ctypes.get_errno()
def sa(port, address):
    return struct.pack("=H", 2) + struct.pack(">HI", port, address) + bytes(8)
def name(f, fd):
    b = ctypes.create_string_buffer(16); n = ctypes.c_uint(16)
    r = call(f, fd, b, ctypes.byref(n))
    return r if r < 0 else struct.unpack(">H", b.raw[2:4])[0]
def un(text):
    b = b"\\0" + text.encode()
    return struct.pack("=H", 1) + b, 2 + len(b)
def unname(f, fd):
    b = ctypes.create_string_buffer(110); n = ctypes.c_uint(110)
    r = call(f, fd, b, ctypes.byref(n))
    return r if r < 0 else b.raw[3:n.value].decode()
def opt(fd, level, option, value):
    return call(libc.setsockopt, fd, level, option, value, len(value))
def do(q):
    o, a = q[0], q[1:]
    if o == "socket": return call(libc.socket, a[0], a[1] | os.O_NONBLOCK, a[2])
    if o == "bind": return call(libc.bind, a[0], sa(a[1], a[2]), 16)
    if o == "listen": return call(libc.listen, a[0], a[1])
    if o == "accept": return call(libc.accept4, a[0], None, None, os.O_NONBLOCK)
    if o == "connect": return call(libc.connect, a[0], sa(a[1], a[2]), 16)
    if o == "send":
        d = a[1].encode(); return call(libc.send, a[0], d, len(d), a[2] | 0x4000)
    if o == "sendto":
        d = a[1].encode(); return call(libc.sendto, a[0], d, len(d), a[4] | 0x4000, sa(a[2], a[3]), 16)
    if o == "recv":
        b = ctypes.create_string_buffer(65536); r = call(libc.recv, a[0], b, a[1], a[2])
        return r if r < 0 else b.raw[:min(r, a[1])].decode()
    if o == "pair":
        b = (ctypes.c_int * 2)(); r = call(libc.socketpair, a[0], a[1] | os.O_NONBLOCK, a[2], b)
        return r if r < 0 else list(b)
    if o == "bindname": return call(libc.bind, a[0], *un(a[1]))
    if o == "connectname": return call(libc.connect, a[0], *un(a[1]))
    if o == "sendtoname":
        d = a[1].encode(); return call(libc.sendto, a[0], d, len(d), 0x4000, *un(a[2]))
    if o == "localname": return unname(libc.getsockname, a[0])
    if o == "peername": return unname(libc.getpeername, a[0])
    if o == "recvname":
        b = ctypes.create_string_buffer(4096); n = ctypes.c_uint(110); m = ctypes.create_string_buffer(110)
        r = call(libc.recvfrom, a[0], b, 4096, 0, m, ctypes.byref(n))
        return r if r < 0 else b.raw[:r].decode() + " from " + m.raw[3:n.value].decode()
    if o == "group": return opt(a[0], 0, a[1], struct.pack(">II", a[2], 0x7f000001))
    if o == "here": return opt(a[0], 0, 32, struct.pack(">I", 0x7f000001))
    if o == "dissolve": return call(libc.connect, a[0], bytes(16), 16)
    if o == "recvlength":
        b = ctypes.create_string_buffer(65536); return call(libc.recv, a[0], b, a[1], a[2])
    if o == "sendhex":
        d = bytes.fromhex(a[1])
        if a[2] == 0: return call(libc.send, a[0], d, len(d), a[3] | 0x4000)
        return call(libc.sendto, a[0], d, len(d), a[3] | 0x4000, sa(0, a[2]), 16)
    if o == "recvhex":
        b = ctypes.create_string_buffer(65536); r = call(libc.recv, a[0], b, a[1], a[2])
        return r if r < 0 else b.raw[:min(r, a[1])].hex()
    if o == "dup": return call(libc.dup, a[0])
    if o == "setname": return opt(a[0], a[1], a[2], a[3].encode() + b"\\0")
    if o == "getname":
        b = ctypes.create_string_buffer(16); n = ctypes.c_uint(16)
        r = call(libc.getsockopt, a[0], a[1], a[2], b, ctypes.byref(n))
        return r if r < 0 else b.raw[:n.value].split(b"\\0")[0].decode()
    if o == "recvto":
        s = socket.socket(fileno=a[0])
        try: d, c, f, p = s.recvmsg(4096, 64)
        except OSError as e: return -e.errno
        finally: s.detach()
        to = [socket.inet_ntoa(v[8:12]) for (l, t, v) in c if l == 0 and t == 8]
        return d.decode() + " to " + (to[0] if to else "?")
    if o == "recverror":
        try: s = socket.socket(fileno=a[0])
        except OSError as e: return -e.errno
        except ValueError: return -9
        try: d, c, f, p = s.recvmsg(4096, 512, 0x2000)
        except OSError as e: return -e.errno
        finally: s.detach()
        v = [v for (l, t, v) in c if l == 0 and t == 11]
        if not v: return -11
        v = v[0]
        n, o, t, k, _, i = struct.unpack("=IBBBBI", v[:12])
        return "%d %d %d %d, to %s:%d, by %s, %d" % (n, o, t, k, p[0], p[1], socket.inet_ntoa(v[20:24]), i)
    if o == "epollcreate": return call(libc.epoll_create1, 0)
    if o == "epollctl": return call(libc.epoll_ctl, a[0], a[1], a[2], struct.pack(EVENT, a[3], a[4]))
    if o == "epollwait":
        z = struct.calcsize(EVENT); b = ctypes.create_string_buffer(z * 64)
        r = call(libc.epoll_wait, a[0], b, a[1], 0)
        if r < 0: return r
        l = [struct.unpack(EVENT, b.raw[i * z:i * z + z]) for i in range(r)]
        return " ".join("%d:%d" % (d, e) for e, d in sorted(l, key=lambda x: x[1]))
    if o == "shutdown": return call(libc.shutdown, a[0], a[1])
    if o == "close": return call(libc.close, a[0])
    if o == "set": return opt(a[0], a[1], a[2], struct.pack("=i", a[3]))
    if o == "linger": return opt(a[0], 1, 13, struct.pack("=ii", 1, a[1]))
    if o == "get":
        b = ctypes.create_string_buffer(4); n = ctypes.c_uint(4)
        r = call(libc.getsockopt, a[0], a[1], a[2], b, ctypes.byref(n))
        return r if r < 0 else struct.unpack("=i", b.raw)[0]
    if o == "poll":
        if a[0] < 0: return 32
        p = select.poll(); p.register(a[0], select.POLLIN | select.POLLOUT)
        return dict(p.poll(0)).get(a[0], 0)
    if o == "local": return name(libc.getsockname, a[0])
    if o == "peer": return name(libc.getpeername, a[0])
for line in sys.stdin:
    print(json.dumps(do(json.loads(line))), flush=True)
`;

/** True where there is a Python and a Linux kernel to ask. */
export function kernelAvailable(): boolean {
  return process.platform === "linux" && spawnSync("python3", ["-c", "import ctypes"]).status === 0;
}

/** True where the kernel lets us open raw sockets. */
export function kernelPrivileged(): boolean {
  const opens = "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)";
  return spawnSync("python3", ["-c", opens]).status === 0;
}

/** Starts the helper. */
export function kernelCalls(): Calls {
  const child = spawn("python3", ["-c", SERVER], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(line));
  const ask = <T>(...question: (string | number)[]): Promise<T> =>
    new Promise((resolve) => {
      waiting.push((line) => resolve(JSON.parse(line) as T));
      child.stdin.write(`${JSON.stringify(question)}\n`);
    });
  // Names are those of the whole machine.
  const mark = `.${process.pid}.${started++}`;
  const own = (name: string): string => (name === "" ? name : `${name}${mark}`);
  const shown = (name: string | number): string | number =>
    typeof name === "string" ? name.replaceAll(mark, "") : name;
  return {
    socket: (type, protocol = 0, domain = 2) => ask("socket", domain, type, protocol),
    bind: (fd, port, address = LOOPBACK) => ask("bind", fd, port, address),
    listen: (fd, backlog) => ask("listen", fd, backlog),
    accept: (fd) => ask("accept", fd),
    connect: (fd, port, address = LOOPBACK) => ask("connect", fd, port, address),
    send: (fd, text, flags = 0) => ask("send", fd, text, flags),
    sendto: (fd, text, port, address = LOOPBACK, flags = 0) =>
      ask("sendto", fd, text, port, address, flags),
    recv: (fd, bytes = 4096, flags = 0) => ask("recv", fd, bytes, flags),
    socketpair: (type, protocol = 0, domain = UNIX) => ask("pair", domain, type, protocol),
    bindName: (fd, name) => ask("bindname", fd, own(name)),
    connectName: (fd, name) => ask("connectname", fd, own(name)),
    sendtoName: (fd, text, name) => ask("sendtoname", fd, text, own(name)),
    localName: (fd) => ask<string | number>("localname", fd).then(shown),
    peerName: (fd) => ask<string | number>("peername", fd).then(shown),
    recvName: (fd) => ask<string | number>("recvname", fd).then(shown),
    sendHex: (fd, hex, address = 0, flags = 0) => ask("sendhex", fd, hex, address, flags),
    recvHex: (fd, bytes = 4096, flags = 0) => ask("recvhex", fd, bytes, flags),
    joinGroup: (fd, group) => ask("group", fd, 35, group),
    leaveGroup: (fd, group) => ask("group", fd, 36, group),
    multicastHere: (fd) => ask("here", fd),
    dissolve: (fd) => ask("dissolve", fd),
    recvLength: (fd, bytes, flags) => ask("recvlength", fd, bytes, flags),
    dup: (fd) => ask("dup", fd),
    setName: (fd, level, option, name) => ask("setname", fd, level, option, name),
    getName: (fd, level, option) => ask("getname", fd, level, option),
    recvTo: (fd) => ask("recvto", fd),
    recvError: (fd) => ask("recverror", fd),
    epollCreate: () => ask("epollcreate"),
    epollCtl: (epfd, operation, fd, events = 0, data = 0) =>
      ask("epollctl", epfd, operation, fd, events, data),
    epollWait: (epfd, maxEvents = 64) => ask("epollwait", epfd, maxEvents),
    epollClose: (epfd) => ask("close", epfd),
    shutdown: (fd, how) => ask("shutdown", fd, how),
    close: (fd) => ask("close", fd),
    setOption: (fd, level, option, value) => ask("set", fd, level, option, value),
    getOption: (fd, level, option) => ask("get", fd, level, option),
    linger: (fd, seconds) => ask("linger", fd, seconds),
    poll: (fd) => ask("poll", fd),
    localPort: (fd) => ask("local", fd),
    peerPort: (fd) => ask("peer", fd),
    pause: () => new Promise((resolve) => setTimeout(resolve, 10)),
    tooLong: 400_000,
    end: () => void child.stdin.end(),
  };
}
