import test from "ava";
import { UserError } from "../../host-tools/errors.js";
import {
  formatAddress,
  formatMac,
  isGroupMac,
  macAt,
  maskOf,
  parseAddress,
  parseHostCidr,
  parseMac,
  parsePort,
  putMac,
} from "../../host-tools/net/addresses.js";
import { parseNet } from "../../host-tools/net/net-options.js";

test("MAC addresses go through text, number and wire unchanged", (t) => {
  const mac = parseMac("02:80:FF-00:aB:01".replace("-", ":"));
  t.is(formatMac(mac), "02:80:ff:00:ab:01");
  const frame = new Uint8Array(8);
  putMac(frame, 1, mac);
  t.is(Buffer.from(frame).toString("hex"), "000280ff00ab0100");
  t.is(macAt(frame, 1), mac);
  t.true(isGroupMac(macAt(new Uint8Array(6).fill(255), 0)));
  t.false(isGroupMac(mac));
});

for (const bad of [
  "02:00:00:00:00",
  "0g:00:00:00:00:01",
  "01:00:5e:00:00:01",
  "00:00:00:00:00:00",
]) {
  test(`MAC address '${bad}' is refused`, (t) => {
    t.throws(() => parseMac(bad), { instanceOf: UserError });
  });
}

test("IPv4 addresses are host-order numbers", (t) => {
  t.is(parseAddress("192.168.77.1"), 0xc0a84d01);
  t.is(formatAddress(0xc0a84d01), "192.168.77.1");
  t.is(maskOf(24), 0xffffff00);
});

for (const bad of ["1.2.3", "1.2.3.256", "1.2.3.4.5", "a.b.c.d", "1.2.3.", "1.2.3.-4"]) {
  test(`IPv4 address '${bad}' is refused`, (t) => {
    t.throws(() => parseAddress(bad), { instanceOf: UserError });
  });
}

test("ADDRESS/PREFIX gives the address and the mask", (t) => {
  t.deepEqual(parseHostCidr("10.1.2.3/20"), { address: 0x0a010203, mask: 0xfffff000 });
});

const BAD_CIDR = ["10.0.0.1", "10.0.0.1/31", "10.0.0.0/24", "10.0.0.255/24", "127.0.0.1/8"];
for (const bad of [...BAD_CIDR, "224.0.0.5/24", "10.0.0.1/24/3", "10.0.0.1/x"]) {
  test(`device address '${bad}' is refused`, (t) => {
    t.throws(() => parseHostCidr(bad), { instanceOf: UserError });
  });
}

for (const bad of ["0", "65536", "-1", "8o", "", "1e3"]) {
  test(`port '${bad}' is refused`, (t) => {
    t.throws(() => parsePort(bad), { instanceOf: UserError });
  });
}

test("--net forward: reads TCP and UDP forwards", (t) => {
  t.deepEqual(parseNet("forward:8080=80,udp:7007=7,tcp:7007=7"), {
    kind: "forward",
    forwards: [
      { protocol: "tcp", hostPort: 8080, devicePort: 80 },
      { protocol: "udp", hostPort: 7007, devicePort: 7 },
      { protocol: "tcp", hostPort: 7007, devicePort: 7 },
    ],
  });
});

test("--net reads tap, stream and none", (t) => {
  t.deepEqual(parseNet("tap:tap0"), { kind: "tap", name: "tap0" });
  t.deepEqual(parseNet("none"), { kind: "none" });
  t.deepEqual(parseNet("stream:/tmp/a:b.sock"), {
    kind: "stream",
    endpoint: { listen: false, path: "/tmp/a:b.sock" },
  });
  t.deepEqual(parseNet("stream:\\\\.\\pipe\\net:5"), {
    kind: "stream",
    endpoint: { listen: false, path: "\\\\.\\pipe\\net:5" },
  });
  t.deepEqual(parseNet("stream:listen:127.0.0.1:5000"), {
    kind: "stream",
    endpoint: { listen: true, host: "127.0.0.1", port: 5000 },
  });
});

const BAD_NET = ["", "forward", "forward:", "forward:80", "forward:80=", "forward:8080=80,8080=81"];
for (const bad of [
  ...BAD_NET,
  "forward:0=80",
  "tap",
  "tap:a/b",
  "tap:0123456789abcdef",
  "stream:",
]) {
  test(`--net '${bad}' is refused with one line`, (t) => {
    const error = t.throws(() => parseNet(bad), { instanceOf: UserError });
    t.notRegex(error?.message ?? "\n", /\n/);
  });
}

for (const bad of ["none:1", "bridge:eth0", "stream:listen:", "stream:host:99999"]) {
  test(`--net '${bad}' is refused`, (t) => {
    t.throws(() => parseNet(bad), { instanceOf: UserError });
  });
}
