/** A stack with a name on a link, and what is said there by multicast DNS (RFC 6762). */
import { StackHarness, type HarnessConfig } from "./stack-harness.js";
import type { Parsed } from "./wire-parse.js";
import { be16, be32, concat, ip } from "./wire.js";

export const GROUP = ip("224.0.0.251");
export const GROUP_MAC = "01:00:5e:00:00:fb";
export const HOST = "plant.local";
export const INSTANCE = "plant._http._tcp.local";
export const SERVICE = "_http._tcp.local";
export const TYPES = "_services._dns-sd._udp.local";
export const T = { A: 1, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, NSEC: 47, ANY: 255 };

export const name = (text: string): Uint8Array =>
  concat(...text.split(".").map((label) => concat([label.length], Buffer.from(label))), [0]);
export const question = (of: string, type: number, top = false): Uint8Array =>
  concat(name(of), be16(type), be16(top ? 0x8001 : 1));
export const record = (of: string, type: number, ttl: number, data: Uint8Array): Uint8Array =>
  concat(name(of), be16(type), be16(1), be32(ttl), be16(data.length), data);

export interface Sections {
  id?: number;
  flags?: number;
  questions?: Uint8Array[];
  /** Questions that the header tells of, where there are not so many. */
  told?: number;
  answers?: Uint8Array[];
  authority?: Uint8Array[];
}

export function message(sections: Sections): Uint8Array {
  const { questions = [], answers = [], authority = [] } = sections;
  return concat(
    be16(sections.id ?? 0),
    be16(sections.flags ?? 0),
    be16(sections.told ?? questions.length),
    be16(answers.length),
    be16(authority.length),
    be16(0),
    ...questions,
    ...answers,
    ...authority,
  );
}

interface Rr {
  name: string;
  type: number;
  class: number;
  ttl: number;
  data: Uint8Array;
}

interface Said {
  frame: Parsed;
  id: number;
  flags: number;
  questions: { name: string; type: number; class: number }[];
  answers: Rr[];
  authority: Rr[];
  additional: Rr[];
}

/** A message of the stack; throws when anything in it is malformed. */
export function said(frame: Parsed): Said {
  const bytes = frame.udp?.data ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 12;
  const readName = (): string => {
    const labels: string[] = [];
    while (view.getUint8(at) !== 0) {
      const length = view.getUint8(at);
      if (length > 63) throw new Error("label");
      labels.push(Buffer.from(bytes.subarray(at + 1, at + 1 + length)).toString("latin1"));
      at += length + 1;
    }
    at += 1;
    return labels.join(".");
  };
  const questions = Array.from({ length: view.getUint16(4) }, () => {
    const asked = { name: readName(), type: view.getUint16(at), class: view.getUint16(at + 2) };
    at += 4;
    return asked;
  });
  const section = (count: number): Rr[] =>
    Array.from({ length: count }, () => {
      const owner = readName();
      const length = view.getUint16(at + 8);
      const rr = {
        name: owner,
        type: view.getUint16(at),
        class: view.getUint16(at + 2),
        ttl: view.getUint32(at + 4),
        data: bytes.slice(at + 10, at + 10 + length),
      };
      at += 10 + length;
      return rr;
    });
  const parsed = {
    frame,
    id: view.getUint16(0),
    flags: view.getUint16(2),
    questions,
    answers: section(view.getUint16(6)),
    authority: section(view.getUint16(8)),
    additional: section(view.getUint16(10)),
  };
  if (at !== bytes.length) throw new Error("bytes behind the records");
  return parsed;
}

export class Link {
  readonly #asker;

  private constructor(readonly stack: StackHarness) {
    this.#asker = stack.neighbour("192.168.7.9");
  }

  /** A stack that has just been named. */
  static async named(service = true, config: HarnessConfig = {}): Promise<Link> {
    const stack = await StackHarness.quiet(config);
    const link = new Link(stack);
    if (service) stack.wasm.announceHttp(80);
    const at = stack.wasm.scratch() >>> 0;
    new Uint8Array(stack.wasm.memory.buffer).set(Buffer.from("Plant"), at + 4096);
    stack.wasm.hostName(at + 4096, 5);
    return link;
  }

  /** A stack whose name has been announced a while ago. */
  static async running(): Promise<Link> {
    const link = await Link.named();
    link.stack.advance(20_000);
    link.stack.take();
    return link;
  }

  /** The messages of the stack until now. */
  heard(): Said[] {
    return this.stack
      .take()
      .filter((frame) => frame.udp)
      .map((frame) => said(frame));
  }

  during(ms: number): Said[] {
    this.stack.advance(ms);
    return this.heard();
  }

  say(sections: Sections, from = "192.168.7.9", sourcePort = 5353, to = GROUP): void {
    const host = this.#asker.as(ip(from));
    this.stack.inject(
      host.udp({ sourcePort, destinationPort: 5353 }, message(sections), {
        ip: { destination: to, ttl: 255 },
        ethernet: { destination: to === GROUP ? GROUP_MAC : this.stack.mac },
      }),
    );
  }

  ask(of: string, type: number, more: Sections = {}): Said[] {
    this.stack.advance(1100);
    this.heard();
    this.say({ questions: [question(of, type)], ...more });
    return this.heard();
  }
}

/** Owner and type of a record. */
export const lower = (rr: Rr): string => `${rr.name.toLowerCase()} ${rr.type}`;
