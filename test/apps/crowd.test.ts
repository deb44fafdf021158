/** More sockets than a byte tells apart, in every style of waiting (test/device/crowd). */
import test from "ava";
import { Lan } from "../../host-tools/testing/index.js";

const TRIED = [0, 31, 254, 255, 256, 299];

test("300 sockets: epoll, select and the completion queue tell of the one that has something, and of no other", async (t) => {
  const lan = new Lan();
  const device = await lan.device({
    app: "test/device/crowd",
    options: { SOCKETS: 310, UDP_SOCKETS: 304, UDP_RX_BYTES: 64, RING_ENTRIES: 300, EPOLLS: 1 },
  });
  await device.logged("the end");
  lan.close();
  const lines = device.log.map(({ text }) => text);
  t.deepEqual(
    lines.slice(lines.findIndex((text) => text.startsWith("epoll at first"))),
    [
      "epoll at first 0, 0",
      ...TRIED.map((number) => `epoll says ${number}, it has ${number & 255}`),
      ...TRIED.map((number) => `select says ${number}, of 1`),
      "the ring has told of 300, right 300",
      "the chain has 300 links, right 300",
      "the old one gives -9, a new one 1",
      "the new one has 43, of 43",
      "the end 0 0",
    ],
    lines.join("\n"),
  );
});
