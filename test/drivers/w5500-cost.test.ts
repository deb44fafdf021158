import test from "ava";
import type { W5500 } from "../../host-tools/sim/chips/w5500/index.js";
import { testFrame, type NicHarness } from "../support/nic-harness.js";
import { w5500Harness } from "../support/w5500.js";

/** A full frame. */
const L = 1514;

/**
 * What a frame costs on the bus, to the byte. The floor of the datasheet's protocol, from the three-byte headers: receive
 * RSR twice 10, length and frame 3+2+L, RX_RD 5, RECV 4, clearing the interrupt 4 = L+28 in 6 transactions; send frame
 * 3+L, TX_WR 5, SEND 4, Sn_IR read 4, Sn_IR cleared 4 = L+20 in 5.
 */
const RECEIVE_FLOOR = { bytes: L + 28, transactions: 6 };
const SEND_FLOOR = { bytes: L + 20, transactions: 5 };

async function ready(): Promise<{ bench: NicHarness; chip: W5500; sent: Uint8Array[] }> {
  const made = await w5500Harness();
  // The look that is due after opening the socket is over.
  made.bench.drain();
  return made;
}

test("SPI cost of receiving one frame of 1514 bytes: 1537 bytes in 5 transactions, idle to idle", async (t) => {
  const { bench, chip } = await ready();
  chip.receive(testFrame(L));
  const cost = bench.cost(() => t.is(bench.drain().length, 1));
  t.deepEqual(cost, { bytes: L + 23, transactions: 5 });
  t.true(cost.bytes < RECEIVE_FLOOR.bytes && cost.transactions < RECEIVE_FLOOR.transactions);
});

test("SPI cost of receiving frames that come one by one without a pause: 1534 bytes, 4 transactions each", async (t) => {
  const { bench, chip } = await ready();
  const read = (): void => {
    t.is(bench.nic.rxBegin(), L);
    bench.nic.rxRead(bench.nic.buffer(), L);
  };
  chip.receive(testFrame(L, 0));
  read();
  for (let i = 1; i <= 20; i++) {
    // Each arrives while the one before is read.
    chip.receive(testFrame(L, i));
    const cost = bench.cost(() => {
      bench.nic.rxEnd();
      read();
    });
    t.deepEqual(cost, { bytes: L + 20, transactions: 4 });
  }
});

test("SPI cost of a batch of 4 frames of 1514 bytes: 6085 bytes in 5 transactions", async (t) => {
  const { bench, chip } = await ready();
  for (let i = 0; i < 4; i++) chip.receive(testFrame(L, i));
  const cost = bench.cost(() => t.is(bench.drain().length, 4));
  t.deepEqual(cost, { bytes: 4 * (L + 2) + 21, transactions: 5 });
});

test("SPI cost of reading only the headers of a frame: the rest is not clocked", async (t) => {
  const { bench, chip } = await ready();
  chip.receive(testFrame(L));
  const cost = bench.cost(() => {
    bench.nic.rxBegin();
    bench.nic.rxRead(bench.nic.buffer(), 54);
    bench.nic.rxEnd();
  });
  t.deepEqual(cost, { bytes: 4 + 5 + 3 + 2 + 54 + 5 + 4, transactions: 5 });
});

test("SPI cost of sending one frame of 1514 bytes: 1527 bytes in 3 transactions", async (t) => {
  const { bench, sent } = await ready();
  const cost = bench.cost(() => t.true(bench.send(testFrame(L))));
  t.deepEqual(cost, { bytes: L + 13, transactions: 3 });
  bench.clock.advance(200_000);
  t.deepEqual(sent, [testFrame(L)]);
});

test("SPI cost of sending 4 frames of 1514 bytes one behind the other: 1531 bytes, 4 transactions each", async (t) => {
  const { bench, sent } = await ready();
  bench.send(testFrame(L, 9));
  for (let i = 0; i < 4; i++) {
    const cost = bench.cost(() => t.true(bench.send(testFrame(L, i))));
    t.deepEqual(cost, { bytes: L + 17, transactions: 4 });
    t.true(cost.bytes < SEND_FLOOR.bytes && cost.transactions < SEND_FLOOR.transactions);
  }
  bench.clock.advance(200_000);
  t.is(sent.length, 5);
});

test("A stream of sent frames keeps the bus busy: the wire never makes it wait", async (t) => {
  const { bench, sent } = await ready();
  const startNs = bench.clock.nowNs;
  const frames = 100;
  const { bytes, transactions } = bench.cost(() => {
    for (let i = 0; i < frames; i++) t.true(bench.send(testFrame(L, i)));
  });
  const busNs = (bytes * 8e9) / 33_300_000 + transactions * 60;
  t.true(bench.clock.nowNs - startNs < busNs * 1.001, "only the bus takes time");
  bench.clock.advance(200_000);
  t.is(sent.length, frames);
});

test("An idle device leaves the bus quiet: 21 bytes in 4 transactions every 250 ms", async (t) => {
  const { bench } = await ready();
  bench.poll();
  bench.drain();
  const cost = bench.cost(() => {
    for (let i = 0; i < 1000; i++) {
      bench.clock.advance(1e6);
      bench.poll();
      bench.drain();
    }
  });
  t.deepEqual(cost, { bytes: 4 * (4 + 4 + 4 + 9), transactions: 4 * 4 });
});
