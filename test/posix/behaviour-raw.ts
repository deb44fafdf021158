/** Raw sockets (raw(7)). Each behaviour has addresses of its own, since a kernel gives a packet to every raw socket there is. */
import {
  DGRAM,
  E,
  ERR,
  IN,
  IP,
  MSG,
  OUT,
  RAW,
  SHUT,
  SO,
  SOL,
  STREAM,
  type Calls,
} from "./calls.js";
import type { Behaviour, Result } from "./ends.js";

/** A protocol for experiments (RFC 3692), and one more. */
const PROTOCOL = 253;
const OTHER = 254;
const ICMP = 1;

let used = 0x7f4d0000 + ((process.pid & 0xff) << 8);
/** An address of 127.0.0.0/8 that nobody else uses. */
function fresh(): number {
  return ++used;
}

/** A raw socket at an address; what it has heard before it had that is forgotten. */
async function rawAt(c: Calls, protocol: number, address: number): Promise<number> {
  const fd = await c.socket(RAW, protocol);
  await c.bind(fd, 0, address);
  while (typeof (await c.recvHex(fd)) === "string");
  return fd;
}

/** What a raw socket must show of a packet, without identification and checksum: type of service, time to live, ends, text. */
function seen(hex: string | number): Result {
  if (typeof hex === "number") return hex;
  const bytes = Buffer.from(hex, "hex");
  const headerBytes = ((bytes[0] as number) & 15) * 4;
  const text = bytes.subarray(headerBytes).toString("hex");
  const whole = bytes.readUInt16BE(2) === bytes.length ? "" : ", cut";
  return `tos ${bytes[1]} ttl ${bytes[8]} of ${bytes[9]}: ${text}${whole}`;
}

/** An IPv4 header with a wrong length and no checksum, as IP_HDRINCL permits. */
function header(
  source: number,
  destination: number,
  fields: { ttl?: number; options?: string },
): string {
  const options = Buffer.from(fields.options ?? "", "hex");
  const bytes = Buffer.alloc(20);
  bytes[0] = 0x45 + options.length / 4;
  bytes[1] = 0x10;
  bytes[6] = 0x40;
  bytes[8] = fields.ttl ?? 9;
  bytes[9] = PROTOCOL;
  bytes.writeUInt32BE(source, 12);
  bytes.writeUInt32BE(destination, 16);
  return Buffer.concat([bytes, options]).toString("hex");
}

/** Echo request with this text and its checksum. */
function echo(type: number, text: string): string {
  const bytes = Buffer.concat([Buffer.from([type, 0, 0, 0, 0x12, 0x34, 0, 1]), Buffer.from(text)]);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, 2);
  return bytes.toString("hex");
}

const BEHAVIOURS: Behaviour[] = [
  {
    title: "raw: no protocol, numbers that are none; SO_TYPE, SO_PROTOCOL, SO_DOMAIN",
    run: async (c) => {
      const fd = await c.socket(RAW, PROTOCOL);
      return [
        await c.socket(RAW, 0),
        await c.socket(RAW, 300),
        await c.socket(STREAM, -1),
        await c.socket(9),
        await c.getOption(fd, SOL.SOCKET, SO.TYPE),
        await c.getOption(fd, SOL.SOCKET, SO.PROTOCOL),
        await c.getOption(fd, SOL.SOCKET, SO.DOMAIN),
        await c.localPort(fd),
        await c.peerPort(fd),
      ];
    },
    expect: [
      E.PROTONOSUPPORT,
      E.INVAL,
      E.INVAL,
      E.SOCKTNOSUPPORT,
      RAW,
      PROTOCOL,
      2,
      PROTOCOL,
      E.NOTCONN,
    ],
  },
  {
    title: "raw: a packet comes with its IP header to every socket of its protocol and address",
    run: async (c) => {
      const address = fresh();
      const a = await rawAt(c, PROTOCOL, address);
      const b = await rawAt(c, PROTOCOL, address);
      const other = await rawAt(c, OTHER, address);
      const elsewhere = await rawAt(c, PROTOCOL, fresh());
      const results: Result[] = [];
      results.push(await c.recvHex(a), (await c.poll(a)) & (IN | OUT | ERR));
      results.push(await c.sendHex(a, "0102030405", address));
      results.push((await c.poll(b)) & (IN | OUT | ERR));
      for (const fd of [a, b, other, elsewhere]) results.push(seen(await c.recvHex(fd)));
      results.push(await c.recvHex(a));
      return results;
    },
    expect: [
      ...[E.AGAIN, OUT, 5, IN | OUT],
      "tos 0 ttl 64 of 253: 0102030405",
      "tos 0 ttl 64 of 253: 0102030405",
      ...[E.AGAIN, E.AGAIN, E.AGAIN],
    ],
  },
  {
    title: "raw: IP_TTL, IP_TOS; packets keep their bounds; MSG_PEEK; a short read loses the rest",
    run: async (c) => {
      const address = fresh();
      const fd = await rawAt(c, PROTOCOL, address);
      await c.setOption(fd, SOL.IP, IP.TTL, 7);
      await c.setOption(fd, SOL.IP, IP.TOS, 0x20);
      await c.sendHex(fd, "aa", address);
      await c.sendHex(fd, "", address);
      await c.sendHex(fd, "bb", address);
      return [
        seen(await c.recvHex(fd, 4096, MSG.PEEK)),
        seen(await c.recvHex(fd)),
        seen(await c.recvHex(fd)),
        seen(await c.recvHex(fd, 20)),
        await c.recvHex(fd),
      ];
    },
    expect: [
      "tos 32 ttl 7 of 253: aa",
      "tos 32 ttl 7 of 253: aa",
      "tos 32 ttl 7 of 253: ",
      "tos 32 ttl 7 of 253: , cut",
      E.AGAIN,
    ],
  },
  {
    title: "raw: connect; send goes there, others are not heard; send without it: EDESTADDRREQ",
    run: async (c) => {
      const [here, peer, third] = [fresh(), fresh(), fresh()];
      const a = await rawAt(c, PROTOCOL, here);
      const b = await rawAt(c, PROTOCOL, peer);
      const d = await rawAt(c, PROTOCOL, third);
      return [
        await c.sendHex(a, "00"),
        await c.shutdown(a, SHUT.WR),
        await c.connect(a, 0, peer),
        await c.bind(a, 0, here),
        await c.sendHex(a, "01"),
        seen(await c.recvHex(b)),
        await c.sendHex(d, "02", here),
        await c.recvHex(a),
        await c.sendHex(b, "03", here),
        seen(await c.recvHex(a)),
        await c.connect(a, 77, peer),
        await c.peerPort(a),
      ];
    },
    expect: [
      ...[E.DESTADDRREQ, E.NOTCONN, 0, E.INVAL, 1, "tos 0 ttl 64 of 253: 01", 1, E.AGAIN, 1],
      "tos 0 ttl 64 of 253: 03",
      ...[0, 77],
    ],
  },
  {
    title:
      "raw: IP_HDRINCL: length and checksum are filled in, a source of 0 too; what is no header",
    run: async (c) => {
      const address = fresh();
      const fd = await rawAt(c, PROTOCOL, address);
      return [
        await c.getOption(fd, SOL.IP, IP.HDRINCL),
        await c.setOption(fd, SOL.IP, IP.HDRINCL, 1),
        await c.getOption(fd, SOL.IP, IP.HDRINCL),
        await c.sendHex(fd, `${header(0, address, {})}0a0b`, address),
        seen(await c.recvHex(fd)),
        await c.sendHex(fd, `${header(fresh(), address, { ttl: 3 })}0c`, address),
        seen(await c.recvHex(fd)),
        await c.sendHex(fd, `${header(0, address, { options: "01010100" })}0d`, address),
        seen(await c.recvHex(fd)),
        await c.sendHex(fd, "45000014", address),
        await c.sendHex(fd, `4f${header(0, address, {}).slice(2)}`, address),
      ];
    },
    expect: [
      ...[0, 0, 1, 22, "tos 16 ttl 9 of 253: 0a0b", 21, "tos 16 ttl 3 of 253: 0c"],
      ...[25, "tos 16 ttl 9 of 253: 0d", E.INVAL, E.INVAL],
    ],
  },
  {
    title: "raw: IPPROTO_RAW has its header included; IP_HDRINCL elsewhere is no option",
    run: async (c) => {
      const address = fresh();
      const hears = await rawAt(c, PROTOCOL, address);
      const fd = await c.socket(RAW, 255);
      return [
        await c.getOption(fd, SOL.IP, IP.HDRINCL),
        await c.sendHex(fd, `${header(0, address, {})}0e`, address),
        seen(await c.recvHex(hears)),
        await c.recvHex(fd),
        await c.setOption(await c.socket(DGRAM), SOL.IP, IP.HDRINCL, 1),
      ];
    },
    expect: [1, 21, "tos 16 ttl 9 of 253: 0e", E.AGAIN, E.NOPROTOOPT],
  },
  {
    title: "raw: ping of ourselves: the request and the stack's answer are both heard; ICMP_FILTER",
    run: async (c) => {
      const address = fresh();
      const a = await rawAt(c, ICMP, address);
      const filtered = await rawAt(c, ICMP, address);
      const results = [
        await c.setOption(filtered, SOL.RAW, 1, 1 << 8),
        await c.getOption(filtered, SOL.RAW, 1),
        await c.sendHex(a, echo(8, "ping"), address),
        seen(await c.recvHex(a)),
        seen(await c.recvHex(a)),
        seen(await c.recvHex(filtered)),
        await c.recvHex(filtered),
      ];
      const other = await c.socket(RAW, PROTOCOL);
      return [
        ...results,
        await c.setOption(other, SOL.RAW, 1, 1),
        await c.setOption(a, SOL.RAW, 9, 1),
      ];
    },
    expect: [
      ...[0, 1 << 8, 12],
      `tos 0 ttl 64 of 1: ${echo(8, "ping")}`,
      `tos 0 ttl 64 of 1: ${echo(0, "ping")}`,
      `tos 0 ttl 64 of 1: ${echo(0, "ping")}`,
      ...[E.AGAIN, E.OPNOTSUPP, E.NOPROTOOPT],
    ],
  },
  {
    title: "raw: nobody has the protocol: ENOPROTOOPT, once, for a connected socket",
    run: async (c) => {
      const [here, peer] = [fresh(), fresh()];
      const a = await rawAt(c, OTHER, here);
      await c.connect(a, 0, peer);
      // Fewer than eight bytes behind the header are no quotation that anybody looks at.
      const packet = "0001020304050607";
      const send = async (): Promise<number> => {
        const sent = await c.sendHex(a, packet);
        await c.pause();
        return sent;
      };
      return [
        await send(),
        (await c.poll(a)) & ERR,
        await c.recvHex(a),
        (await c.poll(a)) & ERR,
        await send(),
        await c.getOption(a, SOL.SOCKET, SO.ERROR),
        await send(),
        await send(),
        await c.recvHex(a),
        await c.getOption(a, SOL.SOCKET, SO.ERROR),
        await c.recvHex(a),
      ];
    },
    expect: [8, ERR, E.NOPROTOOPT, 0, 8, -E.NOPROTOOPT, 8, 8, E.NOPROTOOPT, 0, E.AGAIN],
  },
  {
    title: "raw: calls of streams; addresses; broadcast; too long",
    run: async (c) => {
      const fd = await c.socket(RAW, PROTOCOL);
      return [
        await c.listen(fd, 1),
        await c.accept(fd),
        await c.bind(fd, 0, 0x08080808),
        await c.bind(fd, 0, fresh()),
        await c.bind(fd, 0, fresh()),
        await c.sendHex(fd, "00", 0xffffffff),
        await c.setOption(fd, SOL.TCP, 1, 1),
        await c.getOption(fd, SOL.SOCKET, SO.BROADCAST),
        await c.setOption(fd, SOL.SOCKET, SO.BROADCAST, 1),
        await c.sendHex(fd, "00".repeat(65536), fresh()),
        await c.close(fd),
        await c.recvHex(fd),
      ];
    },
    expect: [
      ...[E.OPNOTSUPP, E.OPNOTSUPP, E.ADDRNOTAVAIL, 0, 0, E.ACCES, E.NOPROTOOPT, 0, 0, E.MSGSIZE],
      ...[0, E.BADF],
    ],
  },
  {
    title: "raw: beside a stack that has the protocol itself: UDP goes to both",
    run: async (c) => {
      const address = fresh();
      const udp = await c.socket(DGRAM);
      await c.bind(udp, 0, address);
      const port = await c.localPort(udp);
      const raw = await rawAt(c, 17, address);
      const from = await c.socket(DGRAM);
      await c.sendto(from, "both", port, address);
      const heard = await c.recvHex(raw);
      return [
        await c.recv(udp),
        typeof heard === "string" && heard.endsWith(Buffer.from("both").toString("hex")),
        typeof heard === "string" ? heard.length / 2 : heard,
        await c.recvHex(raw),
      ];
    },
    expect: ["both", true, 32, E.AGAIN],
  },
];

export const RAW_SOCKETS: Behaviour[] = BEHAVIOURS.map((it) => ({ ...it, privileged: true }));
