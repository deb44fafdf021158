import test from "../conformance/proves.js";
import { UserError } from "../../host-tools/errors.js";
import {
  crc32,
  decodeSettings,
  emptySettings,
  encodeSettings,
  parseHostEntry,
  parseHostName,
  type Settings,
} from "../../host-tools/settings.js";

const FULL: Settings = {
  mac: 0x0200_0012_3456,
  address: { address: 0xc0a84d02, mask: 0xffffff00, gateway: 0xc0a84d01, dns: 0x08080808 },
  hostName: "my-device",
  ports: { http: 8080, echo: 7 },
};

test("settings block: every field lies where the layout says", (t) => {
  const block = Buffer.from(encodeSettings(FULL));
  t.is(block.length, 128);
  t.is(block.toString("latin1", 0, 4), "ASTN");
  t.is(block.readUInt16LE(4), 1);
  t.is(block.readUInt16LE(6), 15);
  t.is(block.toString("hex", 8, 16), "0200001234560000");
  t.deepEqual(
    [16, 20, 24, 28].map((at) => block.readUInt32LE(at)),
    [0xc0a84d02, 0xffffff00, 0xc0a84d01, 0x08080808],
  );
  t.is(block.toString("latin1", 32, 64), "my-device".padEnd(32, "\0"));
  t.deepEqual([block.readUInt16LE(64), block.readUInt16LE(66)], [8080, 7]);
  t.true(block.subarray(68, 124).every((byte) => byte === 0));
  t.is(block.readUInt32LE(124), crc32(block.subarray(0, 124)));
});

test("settings block: what was written is read", (t) => {
  t.deepEqual(decodeSettings(encodeSettings(FULL)), FULL);
  t.deepEqual(decodeSettings(encodeSettings({ mac: 0x0200_0000_0001 })), { mac: 0x0200_0000_0001 });
  t.deepEqual(decodeSettings(encodeSettings({ hostName: "x".repeat(31) })), {
    hostName: "x".repeat(31),
  });
});

test("settings block: nothing to say is erased flash, which is no valid block", (t) => {
  t.deepEqual(encodeSettings({}), emptySettings());
  t.is(decodeSettings(emptySettings()), null);
});

test("settings block: one changed bit anywhere makes it invalid", (t) => {
  const block = encodeSettings(FULL);
  for (let bit = 0; bit < 128 * 8; bit++) {
    const changed = block.slice();
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    t.is(decodeSettings(changed), null);
  }
});

test("CRC-32: the check value of the catalogue", (t) => {
  t.is(crc32(Buffer.from("123456789")), 0xcbf43926);
});

test("RFC 1123 2.1: host names are letters, digits and inner hyphens", (t) => {
  t.is(parseHostName("my-Device-2"), "my-Device-2");
  for (const bad of ["", "-a", "a-", "a.b", "a b", "ü", "x".repeat(32)]) {
    t.throws(() => parseHostName(bad), { instanceOf: UserError }, bad);
  }
});

test("settings block: the second interface's address takes the end of the hosts, and is read back", (t) => {
  const second = { address: 0x0a050002, mask: 0xffffff00, gateway: 0x0a050001, dns: 0x0a050035 };
  const block = Buffer.from(encodeSettings({ ...FULL, second }));
  t.is(block.readUInt16LE(6), 15 | 32);
  t.deepEqual(
    [108, 112, 116, 120].map((at) => block.readUInt32LE(at)),
    [0x0a050002, 0xffffff00, 0x0a050001, 0x0a050035],
  );
  t.deepEqual(decodeSettings(block), { ...FULL, second });
  const hosts = [{ name: "x".repeat(35), address: 1 }];
  t.deepEqual(decodeSettings(encodeSettings({ hosts, second })), { hosts, second });
  t.throws(() => encodeSettings({ hosts: [{ name: "x".repeat(36), address: 1 }], second }), {
    message: /room for 40/,
  });
  t.notThrows(() => encodeSettings({ hosts: [{ name: "x".repeat(51), address: 1 }] }));
});

test("settings block: hosts: where they lie, read back, too many, what is none", (t) => {
  const hosts = [
    { name: "printer", address: 0xc0a84d09 },
    { name: "lamp.attic", address: 0xc0a84d0a },
  ];
  const block = Buffer.from(encodeSettings({ hosts }));
  t.is(block.readUInt16LE(6), 16);
  t.is(block.readUInt32LE(68), 0xc0a84d09);
  t.is(block.toString("latin1", 72, 80), "\x07printer");
  t.deepEqual(decodeSettings(block), { hosts });
  t.deepEqual(parseHostEntry("printer=192.168.77.9"), hosts[0]);
  const full = { hosts: [{ name: "x".repeat(51), address: 1 }] };
  t.deepEqual(decodeSettings(encodeSettings(full)), full);
  t.throws(() => encodeSettings({ hosts: [{ name: "x".repeat(52), address: 1 }] }), {
    instanceOf: UserError,
  });
  for (const wrong of ["printer", "=1.2.3.4", "a b=1.2.3.4", "printer=1.2.3"]) {
    t.throws(() => parseHostEntry(wrong), { instanceOf: UserError }, wrong);
  }
});
