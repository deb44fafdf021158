import test from "ava";
import { parseMac } from "../../host-tools/net/addresses.js";
import { hostedFirmware, HostedStack, SOCK_STREAM } from "../../host-tools/net/hosted-stack.js";
import { ListenProbe } from "../../host-tools/net/listen-probe.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import { Peer } from "../support/wire-peer.js";
import { parseFrame } from "../support/wire-parse.js";
import { ip, TCP } from "../support/wire.js";

const GATEWAY = ip("192.168.77.1");
const DEVICE = ip("192.168.77.50");
const GATEWAY_MAC = "02:41:53:54:4d:01";
const DEVICE_MAC = "02:00:00:00:00:50";

test("a device is asked whether it listens, and no application sees it", async (t) => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const gateway = new Peer(GATEWAY_MAC, GATEWAY, DEVICE_MAC, DEVICE);
  const stack = new HostedStack(await hostedFirmware(), {
    ...{ clock, mac: parseMac(DEVICE_MAC), address: DEVICE, seed: 1 },
    send: (frame) => {
      const { arp, tcp, problems } = parseFrame(new Uint8Array(frame));
      t.deepEqual(problems, []);
      if (arp?.targetAddress === GATEWAY) stack.receive(gateway.arpReply());
      if (tcp) seen.push(`> ${tcp.flags}`);
      probe.take(frame);
    },
  });
  const probe = new ListenProbe({
    ...{ clock, mac: parseMac(GATEWAY_MAC), address: GATEWAY },
    send: (frame) => {
      const { tcp, problems } = parseFrame(new Uint8Array(frame));
      t.deepEqual(problems, []);
      seen.push(`< ${tcp?.flags}`);
      stack.receive(frame);
    },
  });
  clock.advance(3e9);
  const listener = stack.socket(SOCK_STREAM);
  stack.bind(listener, 0, 80);
  stack.listen(listener, 4);
  const device = { mac: parseMac(DEVICE_MAC), address: DEVICE };
  const answers = [80, 81, 80].map((port) => probe.ask(device, port));
  clock.advance(3e9);
  t.deepEqual(await Promise.all(answers), [true, false, true]);
  t.is(seen.filter((text) => text === `< ${TCP.RST}`).length, 2);
  t.is(stack.accept(listener), -11);
  t.deepEqual(stack.inUse, { tcbs: 0, synQueue: 0, timeWait: 0, sockets: 1 });
  const silent = probe.ask({ ...device, mac: 0x0200_0000_0099 }, 80);
  clock.advance(3e9);
  t.false(await silent, "nobody there");
});
