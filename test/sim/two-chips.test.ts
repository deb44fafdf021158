/** A board with two Ethernet chips on one bus (virtual-two): two networks, and a device that serves both. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { compileFirmware, type Firmware } from "../../host-tools/build/compile.js";
import { ETHERTYPE_IPV4, get16, get32 } from "../../host-tools/net/packets.js";
import { packageRoot } from "../../host-tools/root.js";
import { SECOND_SUBNET, DEFAULT_SUBNET } from "../../host-tools/sim/world-lan.js";
import type { ChipModel } from "../../host-tools/sim/types.js";
import { Bench, DEVICE_ADDRESS, type Script } from "../apps/bench.js";
import { takeUntil } from "../apps/examples.js";
import { get, parseResponse, type Status } from "../apps/http.js";
import type { EthernetPeer } from "../apps/peer.js";
import { T, message, question } from "../support/mdns-link.js";

const IPV4_SOURCE = 26;
const page = readFileSync(join(packageRoot, "firmware/demo/assets/index.html"));
const sha = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** An application, the demo if no other, on a board with a W5500 and this second chip. */
async function two(chip2: "w5500" | "enc28j60", app = "demo"): Promise<Firmware> {
  const firmware = await compileFirmware({
    board: "virtual-two",
    app,
    bind: { nic2: `second/drivers/${chip2}/nic` },
  });
  return { ...firmware, board: { ...firmware.board, chip2 } };
}

/** The second chip, whose cable a test pulls. */
function secondChip(bench: Bench): ChipModel {
  const { second } = bench.world.device.machine;
  if (!second) throw new Error("one chip");
  return second.chip;
}

/** Waits for an address on both networks. */
function* leased({ world }: Bench): Script<[number, number]> {
  yield () => world.address !== 0 && world.secondAddress !== 0;
  return [world.address, world.secondAddress];
}

/** Counts the packets that leave by each chip's cable with the address of the other one (RFC 1122 3.3.4.2: none may). */
function astray({ world }: Bench): number[] {
  const counts = [0, 0];
  const { wire, second } = world.device;
  [wire, second].forEach((cable, leg) => {
    if (!cable) throw new Error("one chip");
    const sent = cable.onTransmit;
    cable.onTransmit = (frame) => {
      const foreign = leg === 0 ? world.secondAddress : world.address;
      const ipv4 = foreign !== 0 && get16(frame, 12) === ETHERTYPE_IPV4;
      if (ipv4 && get32(frame, IPV4_SOURCE) === foreign) counts[leg] = (counts[leg] ?? 0) + 1;
      sent(frame);
    };
  });
  return counts;
}

function* fetchPage(peer: EthernetPeer, address: number): Script<string> {
  const web = yield* peer.connect(address, 80);
  yield* web.send(get("/", "Connection: close\r\n"));
  const answer = yield* web.ended();
  web.close();
  return sha(parseResponse(answer, false, true)?.body ?? Buffer.alloc(0));
}

function* echo(peer: EthernetPeer, address: number): Script<string> {
  const line = yield* peer.connect(address, 7);
  yield* line.send(page);
  const back = yield* line.receive((data) => data.length >= page.length);
  line.close();
  return sha(back);
}

for (const chip2 of ["w5500", "enc28j60"] as const) {
  test(`W5500 and ${chip2}: a lease on each network, and pages and echoes on both at once`, async (t) => {
    const bench = await Bench.of(await two(chip2), { dhcp: true });
    const strays = astray(bench);
    const got = bench.run(
      (function* () {
        const [first, second] = yield* leased(bench);
        t.is(
          (first & DEFAULT_SUBNET.mask) >>> 0,
          (DEFAULT_SUBNET.address & DEFAULT_SUBNET.mask) >>> 0,
        );
        t.is(
          (second & SECOND_SUBNET.mask) >>> 0,
          (SECOND_SUBNET.address & SECOND_SUBNET.mask) >>> 0,
        );
        return yield* bench.all([
          fetchPage(bench.peer, first),
          fetchPage(bench.second, second),
          echo(bench.peer, first),
          echo(bench.second, second),
        ]);
      })(),
    );
    t.deepEqual(got, Array(4).fill(sha(page)));
    t.deepEqual(strays, [0, 0]);
  });

  test(`W5500 and ${chip2}: a cable that is pulled takes its own network away and no other`, async (t) => {
    const bench = await Bench.of(await two(chip2), { dhcp: true });
    const cables = [bench.world.device.machine.chip, secondChip(bench)] as const;
    bench.run(
      (function* () {
        const addresses = yield* leased(bench);
        const peers = [bench.peer, bench.second] as const;
        for (const [pulled, other] of [
          [1, 0],
          [0, 1],
        ] as const) {
          const held = yield* peers[pulled].connect(addresses[pulled], 7);
          cables[pulled].setLink(false);
          yield* held.send(Buffer.from("across"));
          t.is(yield* fetchPage(peers[other], addresses[other]), sha(page));
          t.is(yield* echo(peers[other], addresses[other]), sha(page));
          yield* bench.sleep(2000);
          t.is(held.received.length, 0);
          cables[pulled].setLink(true);
          const back = yield* held.receive((data) => data.length >= 6);
          t.is(back.toString(), "across");
          held.close();
        }
      })(),
    );
  });
}

test("the console shows both interfaces, and what each chip has received and sent", async (t) => {
  const bench = await Bench.of(await two("enc28j60", "console"), { dhcp: true });
  const { wire, second } = bench.world.device;
  const sent = [0, 0];
  [wire, second].forEach((cable, leg) => {
    if (!cable) throw new Error("one chip");
    const send = cable.onTransmit;
    cable.onTransmit = (frame) => {
      sent[leg] = (sent[leg] ?? 0) + 1;
      send(frame);
    };
  });
  const said: string[] = [];
  bench.run(
    (function* () {
      const [, own] = yield* leased(bench);
      const client = yield* bench.second.connect(own, 23);
      yield* takeUntil(client, "\r\n> ");
      const before = [...sent];
      yield* client.send("ifconfig\r\n");
      const card = yield* takeUntil(client, "\r\n> ");
      const [eth0 = "", eth1 = ""] = card.split("eth1\r\n");
      t.regex(
        eth0,
        /^eth0\r\nlink +100 Mbit\/s\r\n[^]*address +192\.168\.77\.50\r\n[^]*router +192\.168\.77\.1\r\n/,
      );
      t.regex(
        eth1,
        /^link +10 Mbit\/s\r\n[^]*address +192\.168\.78\.50\r\n[^]*router +192\.168\.78\.1\r\n/,
      );
      const out = [eth0, eth1].map((text) => Number(/(\d+) out/.exec(text)?.[1]));
      // Nothing goes on the first network meanwhile; on the second one what answers the question may.
      t.is(out[0], before[0] as number);
      t.true(
        (out[1] as number) >= (before[1] as number) && (out[1] as number) <= (sent[1] as number),
      );
      t.not(out[0], out[1]);
      yield* client.send("route\r\n");
      said.push(yield* takeUntil(client, "\r\n> "));
      yield* client.send("arp\r\n");
      said.push(yield* takeUntil(client, "\r\n> "));
      client.close();
    })(),
  );
  t.regex(said[1] ?? "", /^192\.168\.78\.1 [^\r]* eth1\r\n/m);
  t.notRegex(said[1] ?? "", /192\.168\.78\.1 [^\r]* eth0/);
  t.regex(said[0] ?? "", /192\.168\.77\.0\/24 +\* +eth0\r\n[^]*192\.168\.78\.0\/24 +\* +eth1\r\n/);
});

test("the status lists both interfaces; what it says of the first alone is said as ever", async (t) => {
  const bench = await Bench.of(await two("enc28j60"), { dhcp: true });
  bench.run(
    (function* () {
      const [first, second] = yield* leased(bench);
      // The first network's clients ask at the address of a bench without DHCP, which is the first that is leased.
      t.is(first, DEVICE_ADDRESS);
      for (const peer of [bench.peer, bench.second]) {
        const web = yield* peer.connect(peer === bench.peer ? first : second, 80);
        yield* web.send(get("/api/status", "Connection: close\r\n"));
        const body = parseResponse(yield* web.ended(), false, true)?.body ?? Buffer.alloc(0);
        web.close();
        const s = JSON.parse(body.toString()) as Status;
        const [eth0, eth1, ...more] = s.interfaces ?? [];
        t.is(more.length, 0);
        t.deepEqual([eth0?.name, eth1?.name], ["eth0", "eth1"]);
        if (!eth0) throw new Error("no interfaces");
        const { nic, ...named } = eth0;
        for (const [key, value] of Object.entries(named)) {
          if (key !== "name") t.deepEqual(s[key as keyof Status], value, key);
        }
        t.deepEqual(Object.keys(nic), Object.keys(s.nic));
        t.deepEqual(Object.keys(eth1?.nic ?? {}), Object.keys(s.nic));
        t.deepEqual(
          [eth1?.address, eth1?.mask, eth1?.gateway, eth1?.link.mbit],
          ["192.168.78.50", "255.255.255.0", "192.168.78.1", 10],
        );
        t.deepEqual(eth1?.dhcp, { server: "192.168.78.1", lease: 3600 });
        t.not(eth1?.mac, s.mac);
        t.true((eth1?.nic["txFrames"] ?? 0) > 0);
        t.not(eth1?.nic["txFrames"], nic["txFrames"]);
      }
    })(),
  );
});

test("the settings block gives the second interface a static address and leaves the first to DHCP; hosts stay known", async (t) => {
  const { mask, address: gateway } = SECOND_SUBNET;
  const bench = await Bench.of(await two("enc28j60", "console"), {
    dhcp: true,
    second: { address: gateway + 19, mask, gateway, dns: gateway },
    hosts: [{ name: "printer", address: 0x0a000009 }],
  });
  bench.run(
    (function* () {
      const [first, second] = yield* leased(bench);
      t.deepEqual([first, second], [DEVICE_ADDRESS, gateway + 19]);
      yield* bench.sleep(3000);
      const client = yield* bench.second.connect(second, 23);
      yield* takeUntil(client, "\r\n> ");
      yield* client.send("ifconfig\r\n");
      const [, eth1 = ""] = (yield* takeUntil(client, "\r\n> ")).split("eth1\r\n");
      t.regex(eth1, /address +192\.168\.78\.20\r\n[^]*router +192\.168\.78\.1\r\n/);
      yield* client.send("nslookup printer\r\n");
      t.regex(yield* takeUntil(client, "\r\n> "), /10\.0\.0\.9/);
      client.close();
    })(),
  );
  t.true(
    bench.world.log.some(
      ({ text }) =>
        text === "info: address 192.168.78.20 of the second interface" ||
        text === "address 192.168.78.20 of the second interface",
    ),
  );
});

test("a second chip that does not answer keeps nobody from the first network, and is there when it comes", async (t) => {
  for (const chip2 of ["w5500", "enc28j60"] as const) {
    const bench = await Bench.of(await two(chip2), {
      dhcp: true,
      tolerate: /second Ethernet chip/,
    });
    const { faults } = secondChip(bench);
    const silent = (on: boolean): void => {
      if (chip2 === "w5500") faults.absent = on;
      else Object.assign(faults, { misoStuck: on ? 0xff : undefined });
    };
    silent(true);
    bench.run(
      (function* () {
        yield () => bench.world.address !== 0;
        t.is(yield* fetchPage(bench.peer, bench.world.address), sha(page));
        t.true(bench.world.log.some(({ text }) => text.includes("the second Ethernet chip")));
        t.is(bench.world.secondAddress, 0);
        silent(false);
        const [, second] = yield* leased(bench);
        t.is(yield* fetchPage(bench.second, second), sha(page));
        t.is(yield* echo(bench.peer, bench.world.address), sha(page));
      })(),
    );
  }
});

test("RFC 6762 14: each network finds the device by its name, at the address that it has there", async (t) => {
  const group = 0xe00000fb;
  for (const chip2 of ["w5500", "enc28j60"] as const) {
    const bench = await Bench.of(await two(chip2), { dhcp: true });
    bench.run(
      (function* () {
        const addresses = yield* leased(bench);
        // Probes and announcements are over.
        yield* bench.sleep(5000);
        const asked = Buffer.from(message({ id: 7, questions: [question("as-tcpip.local", T.A)] }));
        for (const [i, peer] of [bench.peer, bench.second].entries()) {
          const answer = yield* peer.ask(group, 5353, asked, 2000, 40_000);
          t.is(answer?.readUInt16BE(6), 1);
          t.is(answer?.readUInt32BE(answer.length - 4), addresses[i]);
        }
      })(),
    );
  }
});

test("an application of two networks: a listener of one alone, both routers asked, leases, names and sockets told by interface", async (t) => {
  const bench = await Bench.of(await two("enc28j60", "test/device/networks"), { dhcp: true });
  const { log } = bench.world;
  bench.run(
    (function* () {
      const [first, second] = yield* leased(bench);
      yield () => log.some(({ text }) => text.includes("own name"));
      for (const [peer, address, port, open] of [
        [bench.peer, first, 7, true],
        [bench.second, second, 7, true],
        [bench.second, second, 23, true],
        [bench.peer, first, 23, false],
      ] as const) {
        const line = yield* peer.connect(address, port);
        yield* line.send("x");
        const back = yield* line.ended();
        t.is(back.toString(), open ? "x" : "", `port ${port} of ${address}`);
        line.close();
      }
    })(),
  );
  const said = log.map(({ text }) => text);
  for (const line of [
    "second interface, lease 192.168.78.50 from 192.168.78.1 for 3600 s",
    "eth0 by 192.168.77.1, names of 192.168.77.1",
    "eth1 by 192.168.78.1, names of 192.168.78.1",
    "port 7 of -1",
    "port 23 of 1",
    "eth0 to 192.168.77.1: 111",
    "eth1 to 192.168.78.1: 111",
    "own name 1",
  ]) {
    t.true(
      said.some((text) => text.endsWith(line)),
      `${line} in ${said.join("\n")}`,
    );
  }
  t.false(said.some((text) => text.includes("of one network")));
});

test("two networks of the same addresses are told of, as their hosts cannot be told apart", async (t) => {
  const { mask, address: gateway } = DEFAULT_SUBNET;
  const bench = await Bench.of(await two("enc28j60", "console"), {
    dhcp: true,
    second: { address: gateway + 99, mask, gateway: 0, dns: 0 },
  });
  bench.run(bench.sleep(10_000));
  const told = bench.world.log.filter(({ text }) => text.includes("are of one network"));
  t.deepEqual(
    told.map(({ text }) => text.replace(/^\w+: /, "")),
    [
      "192.168.77.50 and 192.168.77.100 are of one network: what is bound to none goes by the first",
    ],
  );
});
