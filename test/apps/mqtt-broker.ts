/** Packets of MQTT (OASIS Standard, 3.1.1 and 5), for scripted brokers. */
import type { Script } from "./bench.js";
import type { Connection } from "./peer.js";

/** A packet without its length. */
export interface Packet {
  type: number;
  body: Buffer;
}

/** A whole packet at the front of what has come, or nothing. */
function whole(data: Buffer): (Packet & { bytes: number }) | undefined {
  let length = 0;
  for (let at = 1; at < data.length && at < 5; at++) {
    const digit = data[at] as number;
    length |= (digit & 0x7f) << (7 * (at - 1));
    if (digit & 0x80) continue;
    const bytes = at + 1 + length;
    if (data.length < bytes) return undefined;
    return { type: data[0] as number, body: data.subarray(at + 1, bytes), bytes };
  }
  return undefined;
}

/** The next packet of the device; type 0 when the connection has ended. */
export function* next(client: Connection): Script<Packet> {
  yield* client.receive((data) => whole(data) !== undefined);
  const packet = whole(client.received);
  if (!packet) return { type: 0, body: Buffer.alloc(0) };
  client.take(packet.bytes);
  return packet;
}

/** A text with its length in front. */
export const string = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]);

/** A packet of a broker. */
export function packet(type: number, ...parts: (Buffer | number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length =
    body.length < 128 ? [body.length] : [0x80 | (body.length & 0x7f), body.length >> 7];
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

/** Lets the device in, by the body of CONNACK; its CONNECT. */
export function* welcome(client: Connection, ...answer: number[]): Script<Packet> {
  const connect = yield* next(client);
  yield* client.send(packet(0x20, answer));
  return connect;
}

/** The next packet but pings, which are answered. */
export function* nextTold(client: Connection): Script<Packet> {
  for (;;) {
    const packetNow = yield* next(client);
    if (packetNow.type !== 0xc0) return packetNow;
    yield* client.send(packet(0xd0));
  }
}
