/**
 * One end of a transfer on this computer's own TCP, as a process, so that it can live in a network namespace of its own:
 *
 *     end.js take ADDRESS PORT          listens; takes one connection to its end
 *     end.js send ADDRESS PORT BYTES    connects and sends
 *
 * Each prints one line with what came, or went, as JSON; who takes says `ready` before.
 */
import { createHash } from "node:crypto";
import { connect, createServer } from "node:net";
import { Random } from "../../sim/random.js";

/** What an end has to say of a transfer. */
export interface Told {
  bytes: number;
  /** SHA-256 of them. */
  hash: string;
  /** From the first byte to the end. */
  seconds: number;
}

/** What is sent: always the same bytes. */
export function payload(bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  new Random(8).fill(data);
  return data;
}

export function hashOf(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function take(address: string, port: number): void {
  const server = createServer((socket) => {
    const hash = createHash("sha256");
    let bytes = 0;
    let begun = 0;
    server.close();
    socket.on("data", (data) => {
      if (bytes === 0) begun = performance.now();
      bytes += data.length;
      hash.update(data);
    });
    socket.on("close", () => {
      const seconds = (performance.now() - begun) / 1000;
      console.log(JSON.stringify({ bytes, hash: hash.digest("hex"), seconds } satisfies Told));
    });
    socket.on("error", () => undefined);
  });
  server.listen(port, address, () => console.log("ready"));
}

function send(address: string, port: number, bytes: number): void {
  const data = payload(bytes);
  const begun = performance.now();
  const socket = connect(port, address, () => socket.end(data));
  socket.on("error", () => undefined);
  socket.on("close", () => {
    const seconds = (performance.now() - begun) / 1000;
    console.log(JSON.stringify({ bytes, hash: hashOf(data), seconds } satisfies Told));
  });
}

const [, program, what, address, port, bytes] = process.argv;
if (program?.endsWith("end.js") && address !== undefined) {
  if (what === "take") take(address, Number(port));
  else send(address, Number(port), Number(bytes));
}
