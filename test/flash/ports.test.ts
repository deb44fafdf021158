import test from "ava";
import { UserError } from "../../host-tools/errors.js";
import { choosePort, listPorts, type PortSources } from "../../host-tools/serial/ports.js";

const sources = (change: Partial<PortSources>): PortSources => ({
  list: async () => [],
  names: () => [],
  real: (path) => path,
  ...change,
});

test("ports are known by their USB identity, in any spelling; others are not offered", async (t) => {
  const ports = await listPorts(
    sources({
      list: async () => [
        { path: "/dev/ttyUSB0", vendorId: "1A86", productId: "7523" },
        { path: "/dev/ttyACM0", vendorId: "0483", productId: "5740" },
        { path: "/dev/ttyACM1", vendorId: "2e8a", productId: "000a" },
        { path: "/dev/ttyACM2", vendorId: "2e8a", productId: "000c" },
        { path: "/dev/ttyS0" },
      ],
    }),
  );
  t.deepEqual(
    ports.map((port) => [port.path, port.kind]),
    [
      ["/dev/ttyACM0", "espruino"],
      ["/dev/ttyACM1", "pico"],
      ["/dev/ttyACM2", "adapter"],
      ["/dev/ttyUSB0", "adapter"],
    ],
  );
});

test("without udevadm the names in /dev are taken, each port once", async (t) => {
  const ports = await listPorts(
    sources({
      list: async () => {
        throw new Error("spawn udevadm ENOENT");
      },
      names: (folder) =>
        folder === "/dev" ? ["tty", "ttyS0", "ttyUSB0", "ttyACM3"] : ["usb-Acme_Board-if00"],
      real: () => "/dev/ttyACM3",
    }),
  );
  t.deepEqual(ports, [
    { path: "/dev/ttyACM3", name: "usb-Acme_Board-if00" },
    { path: "/dev/ttyUSB0", name: "USB serial port" },
  ]);
});

test("the only port that fits is chosen, also beside ports of other kinds", (t) => {
  const ports = [
    { path: "/dev/ttyACM0", kind: "stlink" as const, name: "ST-LINK" },
    { path: "/dev/ttyUSB0", kind: "adapter" as const, name: "CH340 adapter" },
    { path: "/dev/ttyUSB9", name: "USB 1234:5678" },
  ];
  t.is(choosePort(ports, ["adapter"]).path, "/dev/ttyUSB0");
  t.is(choosePort(ports, ["espruino"]).path, "/dev/ttyUSB9", "unknown kind, nothing better");
});

test("several ports are listed, none says what to do", (t) => {
  const two = ["/dev/ttyUSB0", "/dev/ttyUSB1"].map((path) => ({
    path,
    kind: "adapter" as const,
    name: "FTDI adapter",
  }));
  t.throws(() => choosePort(two, ["adapter"]), {
    instanceOf: UserError,
    message:
      "several serial ports fit: /dev/ttyUSB0 (FTDI adapter), /dev/ttyUSB1 (FTDI adapter); " +
      "choose with --port PATH",
  });
  t.throws(() => choosePort([], ["adapter"]), { message: /no serial port fits; plug the board/ });
  t.throws(() => choosePort(two, ["espruino"]), { message: /no serial port fits \(there are:/ });
});
