/** inet_pton(3), inet_ntop(3), getnameinfo(3) (test/device/inet). */
import test from "ava";
import { Lan } from "../../host-tools/testing/index.js";

const EAFNOSUPPORT = -97;

test("addresses as text and back; what is no address is refused", async (t) => {
  const lan = new Lan();
  const device = await lan.device({
    app: "test/device/inet",
    hosts: [
      { name: "printer", address: 0xc0a84d09 },
      { name: "lamp.attic", address: 0xc0a84d0a },
    ],
  });
  await device.logged("99 gives");
  const none = [4, 5, 6, 7, 8, 9, 10, 11].map((step) => `${step} reads 0 as 0.0.0.0`);
  t.deepEqual(
    device.log.map(({ text }) => text).filter((line) => /^\d+ (reads|writes|gives)/.test(line)),
    [
      "1 reads 1 as 192.168.7.1",
      "2 reads 1 as 255.255.255.255",
      "3 reads 1 as 0.0.0.0",
      ...none,
      `12 gives ${EAFNOSUPPORT}`,
      ...[20, 21, 22, 23].map((step) => `${step} writes 1`),
      `24 gives ${EAFNOSUPPORT}`,
      ...[30, 31, 32].map((step) => `${step} gives 0`),
      ...[33, 34, 35, 36].map((step) => `${step} gives 1`),
      // The hosts of the settings, and one that nobody knows.
      "40 reads 1 as 192.168.77.9",
      "41 reads 1 as 192.168.77.10",
      "42 reads 1 as 10.1.2.3",
      "43 reads -3 as 0.0.0.0",
      "99 gives 0",
    ],
  );
  lan.close();
});
