import test from "ava";
import { putMac } from "../../host-tools/net/addresses.js";
import { EthernetSwitch } from "../../host-tools/net/switch.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";

const BROADCAST = 0xffff_ffff_ffff;

function frame(from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(60);
  putMac(bytes, 0, to);
  putMac(bytes, 6, from);
  return bytes;
}

/** A switch with three stations, whose addresses are 0x02…01 to 0x02…03 and who note what they get. */
function bench(): { clock: VirtualClock; ports: EthernetSwitch; got: string[]; send: Send } {
  const clock = new VirtualClock();
  const ports = new EthernetSwitch(clock);
  const got: string[] = [];
  const stations = ["a", "b", "c"].map((name) => ports.attach(name, () => void got.push(name)));
  const send: Send = (station, from, to) => {
    got.length = 0;
    stations["abc".indexOf(station)]?.send(frame(from, to));
    return got.join("");
  };
  return { clock, ports, got, send };
}
type Send = (station: string, from: number, to: number) => string;

const A = 0x0200_0000_0001;
const B = 0x0200_0000_0002;

test("IEEE 802.1Q 8.6: a frame to an unknown address goes to all other ports", (t) => {
  const { send } = bench();
  t.is(send("a", A, B), "bc");
});

test("IEEE 802.1Q 8.7: a frame to a learned address goes to its port only", (t) => {
  const { send } = bench();
  send("b", B, BROADCAST);
  t.is(send("a", A, B), "b");
  t.is(send("c", 0x0200_0000_0003, A), "a");
});

test("a station that moves is found at its new port", (t) => {
  const { send } = bench();
  send("b", B, BROADCAST);
  send("c", B, BROADCAST);
  t.is(send("a", A, B), "c");
});

test("broadcast and multicast go to all other ports, and a group source is never learned", (t) => {
  const { send, ports } = bench();
  t.is(send("b", B, BROADCAST), "ac");
  t.is(send("b", B, 0x0100_5e00_0001), "ac");
  t.is(send("b", 0x0100_5e00_0001, BROADCAST), "");
  t.is(ports.malformed, 1);
});

test("a frame for a station on the sender's own port is not forwarded", (t) => {
  const { send } = bench();
  send("a", B, BROADCAST);
  t.is(send("a", A, B), "");
});

test("IEEE 802.1Q 8.8.3: an address is forgotten after 300 seconds of silence", (t) => {
  const { send, clock } = bench();
  send("b", B, BROADCAST);
  clock.advance(299e9);
  t.is(send("a", A, B), "b");
  clock.advance(2e9);
  t.is(send("a", A, B), "bc");
});

test("IEEE 802.3 4A.4.2: a frame that is too short or too long is dropped and counted", (t) => {
  const { ports, got } = bench();
  const port = ports.attach("d", () => undefined);
  for (const bytes of [0, 13, 1519, 65535]) port.send(new Uint8Array(bytes));
  t.is(got.length, 0);
  t.is(ports.malformed, 4);
  for (const bytes of [14, 1518]) port.send(new Uint8Array(bytes).fill(0xff, 0, 6));
  t.is(got.length, 6);
});

test("a detached port gets nothing and its addresses are forgotten", (t) => {
  const { ports, got, send } = bench();
  const port = ports.attach("d", () => void got.push("d"));
  port.send(frame(0x0200_0000_0004, BROADCAST));
  t.is(send("a", A, 0x0200_0000_0004), "d");
  port.detach();
  t.is(send("a", A, 0x0200_0000_0004), "bc");
});

test("a flood of new addresses cannot make the table grow without bound or break what is known", (t) => {
  const { send } = bench();
  send("b", B, BROADCAST);
  for (let i = 0; i < 10_000; i++) send("c", 0x0600_0000_0000 + i, BROADCAST);
  t.is(send("a", A, B), "b");
  t.is(send("a", A, 0x0600_0000_0000 + 9999), "bc");
});
