import { createSocket } from "node:dgram";
import { getServers } from "node:dns";
import { isIPv6 } from "node:net";
import type { Clock } from "../sim/types.js";
import { UserError } from "../errors.js";
import { parsePort } from "./addresses.js";
import { get16, put16 } from "./packets.js";
import { closeQuietly } from "./udp-out.js";

/** A name server of the host's network. */
export interface Resolver {
  host: string;
  port: number;
}

const DNS_PORT = 53;
const HEADER_BYTES = 12;
/** Bits of the second word of the header (RFC 1035 4.1.1). */
const QR = 0x8000;
const OPCODE_AND_RD = 0x7900;
const TC = 0x0200;
const RA = 0x0080;
const SERVFAIL = 2;
/** A server is waited for so long, then the next one is asked. */
const SERVER_NS = 2e9;
/** Questions at a time; beyond it they are lost, and come again. */
const QUESTIONS_MAX = 64;
/** Largest answer that fits a frame to the device. */
const ANSWER_MAX = 1472;

interface Question {
  query: Uint8Array;
  /** Servers that are left to ask. */
  servers: Resolver[];
  answer: (message: Uint8Array) => void;
  end: () => void;
}

/**
 * The forwarder of a home router: passes questions as they are to the servers that this computer asks, one after the other, and
 * the first answer back. When none answers, that is said (SERVFAIL), as RFC 5625 6.2 wants transparency and a device an end.
 */
export class DnsForwarder {
  private readonly questions = new Map<string, Question>();

  constructor(
    private readonly clock: Clock,
    /** Asked for each question, as this computer may have moved to another network. */
    private readonly resolvers: () => readonly Resolver[],
  ) {}

  /** Asks; `who` tells questions apart, so that one that is sent again is not asked twice. */
  ask(who: string, query: Uint8Array, answer: (message: Uint8Array) => void): void {
    if (query.length < HEADER_BYTES || (get16(query, 2) & QR) !== 0) return;
    const key = `${who} ${get16(query, 0)}`;
    if (this.questions.has(key) || this.questions.size >= QUESTIONS_MAX) return;
    const question: Question = {
      query: new Uint8Array(query),
      servers: [...this.resolvers()],
      answer: (message) => {
        this.questions.delete(key);
        answer(message);
      },
      end: () => undefined,
    };
    this.questions.set(key, question);
    this.next(question);
  }

  close(): void {
    for (const { end } of this.questions.values()) end();
    this.questions.clear();
  }

  private next(question: Question): void {
    const server = question.servers.shift();
    if (server === undefined) {
      question.answer(failure(question.query));
      return;
    }
    const socket = createSocket(isIPv6(server.host) ? "udp6" : "udp4");
    const cancel = this.clock.schedule(SERVER_NS, () => over());
    const leave = (): void => {
      cancel();
      closeQuietly(socket);
    };
    const over = (): void => {
      leave();
      this.next(question);
    };
    question.end = leave;
    socket.on("error", over);
    socket.on("message", (message) => {
      if (message.length < HEADER_BYTES || (get16(message, 2) & QR) === 0) return;
      if (get16(message, 0) !== get16(question.query, 0)) return;
      leave();
      question.answer(message.length > ANSWER_MAX ? truncated(message) : message);
    });
    // Connected: nobody else can answer, and a closed port is heard at once.
    socket.on("connect", () => socket.send(question.query));
    socket.connect(server.port, server.host);
  }
}

/** `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`, as Node and people write a name server. */
export function parseResolver(text: string): Resolver {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  const plain = /^(\d+\.\d+\.\d+\.\d+)(?::(\d+))?$/.exec(text);
  const [, host, port] = bracketed ?? plain ?? (isIPv6(text) ? [text, text] : []);
  if (host === undefined) {
    throw new UserError(`'${text}' is not a name server; write ADDRESS or ADDRESS:PORT`);
  }
  return { host, port: port === undefined ? DNS_PORT : parsePort(port) };
}

/** The name servers that this computer asks. */
export function systemResolvers(): Resolver[] {
  return getServers().flatMap((text) => {
    try {
      return [parseResolver(text)];
    } catch {
      return [];
    }
  });
}

/** The question with the code that says that no server has answered. */
function failure(query: Uint8Array): Uint8Array {
  const message = new Uint8Array(query);
  put16(message, 2, QR | (get16(query, 2) & OPCODE_AND_RD) | RA | SERVFAIL);
  return message;
}

/** What is too long for a datagram is asked for again over TCP (RFC 1035 4.2.1). */
function truncated(message: Uint8Array): Uint8Array {
  const part = new Uint8Array(message.subarray(0, HEADER_BYTES));
  put16(part, 2, get16(message, 2) | TC);
  // No questions, no answers.
  part.fill(0, 4, HEADER_BYTES);
  return part;
}
