import test from "ava";
import { NicHarness, testFrame } from "../support/nic-harness.js";
import { ScriptedSpi } from "../support/scripted-spi.js";

const hex = (bytes: Iterable<number>): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
const ff = (count: number): string => hex(new Array<number>(count).fill(0xff));
const zeros = (count: number): string => hex(new Array<number>(count).fill(0));

/** What `nicInit` does on a chip that is well, with the link up at 100 Mbit/s full duplex. */
function scriptInit(spi: ScriptedSpi): void {
  spi.expect("00 39 00 00", "01 02 03 04"); // VERSIONR, until it is 4
  spi.expect("00 39 00 00", "01 02 03 04");
  spi.expect("00 00 04 80"); // MR.RST
  spi.expect("00 00 00 00"); // until it is 0
  spi.expect("00 00 04 10"); // MR.PB
  spi.expect(`00 09 04 ${hex(NicHarness.MAC)} 00 00 00 00`); // SHAR, SIPR = 0
  for (const control of ["2c", "4c", "6c", "8c", "ac", "cc", "ec"]) {
    spi.expect(`00 1e ${control} 00 00`); // no memory for sockets 1 to 7
  }
  spi.expect("00 1e 0c 10 10"); // 16 KB each way for socket 0
  spi.expect("00 00 0c 94"); // S0_MR: MACRAW, MFEN, MIP6B
  spi.expect("00 2c 0c 04"); // S0_IMR: RECV
  spi.expect("00 01 0c 01"); // OPEN
  spi.expect("00 01 08 00", "01 02 03 00"); // taken
  spi.expect("00 03 08 00", "01 02 03 42"); // S0_SR
  spi.expect("00 18 04 01"); // SIMR: socket 0
  spi.expect("00 2e 00 00", "01 02 03 bf"); // PHYCFGR
}

async function scripted(): Promise<{ bench: NicHarness<ScriptedSpi>; spi: ScriptedSpi }> {
  const spi = new ScriptedSpi();
  scriptInit(spi);
  const bench = await NicHarness.create({ board: "virtual-w5500", chip: () => spi });
  if (bench.init() !== 0) throw new Error("nicInit failed");
  return { bench, spi };
}

test("W5500 datasheet 4, 5.5.1: initialisation, transaction by transaction", async (t) => {
  const { bench, spi } = await scripted();
  t.is(spi.left, 0);
  t.deepEqual(spi.resets, [true, false]);
  t.is(bench.nic.nicLink(), 7);
  t.is(bench.nic.nicVersion(), 4);
});

test("W5500 datasheet 4.2 MACRAW: one received frame, transaction by transaction", async (t) => {
  const { bench, spi } = await scripted();
  const frame = testFrame(60, 5);
  spi.interrupt = true;
  spi.expect("00 02 0c 04"); // S0_IR: RECV cleared before the pointers are read
  spi.expect(`00 26 08 ${zeros(6)}`, "01 02 03 00 3e 00 00 00 3e"); // RX_RSR, RX_RD, RX_WR
  spi.expect(`00 00 18 ${zeros(62)}`, `01 02 03 00 3e ${hex(frame)}`); // length and frame at once
  spi.expect("00 28 0c 00 3e"); // RX_RD
  spi.expect("00 01 0c 40"); // RECV
  t.is(bench.nic.rxBegin(), 60);
  spi.interrupt = false;
  bench.nic.rxRead(bench.nic.buffer(), 14);
  bench.nic.rxRead(bench.nic.buffer() + 14, 46);
  bench.nic.rxEnd();
  t.deepEqual([...bench.bytes(bench.nic.buffer(), 60)], [...frame]);
  // INTn is high: nothing more, and the bus stays quiet.
  t.is(bench.nic.rxBegin(), 0);
  t.is(spi.left, 0);
});

test("W5500 datasheet 4.2: while more comes, the flag is cleared together with RECV", async (t) => {
  const { bench, spi } = await scripted();
  spi.interrupt = true;
  spi.expect("00 02 0c 04");
  spi.expect(`00 26 08 ${zeros(6)}`, "01 02 03 00 3e 00 00 00 3e");
  spi.expect(`00 00 18 ${zeros(62)}`, "01 02 03 00 3e");
  spi.expect("00 28 0c 00 3e");
  spi.expect("00 01 0c 40 04"); // RECV, and S0_IR behind it
  spi.expect(`00 2a 08 ${zeros(2)}`, "01 02 03 00 7c"); // RX_WR
  spi.expect(`00 3e 18 ${zeros(62)}`, "01 02 03 00 3e");
  spi.expect("00 28 0c 00 7c");
  spi.expect("00 01 0c 40");
  bench.receive();
  spi.interrupt = false;
  bench.receive();
  t.is(spi.left, 0);
});

test("W5500 datasheet 4.2 Sn_RX_RSR: torn pointers are read again until they agree", async (t) => {
  const { bench, spi } = await scripted();
  spi.interrupt = true;
  spi.expect("00 02 0c 04");
  spi.expect(`00 26 08 ${zeros(6)}`, "01 02 03 00 94 00 00 01 94"); // RX_RSR torn
  spi.expect(`00 26 08 ${zeros(6)}`, "01 02 03 01 94 00 00 01 94");
  spi.expect(`00 00 18 ${zeros(2)}`, "01 02 03 00 ca");
  t.is(bench.nic.rxBegin(), 200);
  bench.nic.rxSkip(200);
  bench.nic.nicDeadline(0);
  t.is(spi.left, 0);
});

test("W5500 datasheet 4.2 Sn_RX_WR: one reading is enough; torn by a frame that arrives between its bytes, it is found out", async (t) => {
  const { bench, spi } = await scripted();
  const found = (write: string): void => {
    spi.expect("00 02 0c 04");
    spi.expect(`00 2a 08 ${zeros(2)}`, `01 02 03 ${write}`);
  };
  const pointers = (answer: string): void => {
    spi.expect(`00 26 08 ${zeros(6)}`, `01 02 03 ${answer}`);
  };
  const header = (at: string, length: string): void => {
    spi.expect(`${at} 18 ${zeros(2)}`, `01 02 03 ${length}`);
  };
  const free = (pointer: string): void => {
    spi.expect(`00 28 0c ${pointer}`);
    spi.expect("00 01 0c 40");
  };
  const receive = (bytes: number): void => {
    spi.interrupt = true;
    t.is(bench.nic.rxBegin(), bytes);
    spi.interrupt = false;
    bench.nic.rxEnd();
  };
  // After opening the socket everything is read.
  spi.expect("00 02 0c 04");
  pointers("00 c8 00 00 00 c8");
  header("00 00", "00 c8");
  free("00 c8");
  receive(198);
  // Two frames: 00c8 to 0190 and on to 01f4.
  found("01 f4");
  header("00 c8", "00 c8");
  receive(198);
  header("01 90", "00 64");
  free("01 f4");
  receive(98);
  // 01f4 and then 0258, read as 0158: before what has been freed.
  found("01 58");
  pointers("00 64 01 f4 02 58");
  header("01 f4", "00 64");
  free("02 58");
  receive(98);
  // 02bc, then 038a, read as 028a: 50 bytes, less than the frame that is there.
  found("02 8a");
  header("02 58", "00 64");
  pointers("01 32 02 58 03 8a");
  header("02 bc", "00 ce");
  receive(98);
  free("03 8a");
  receive(204);
  // 038a, then 048a, read as 038a: nothing, and the frame has moved INTn.
  found("03 8a");
  spi.interrupt = true;
  t.is(bench.nic.rxBegin(), 0);
  found("04 8a");
  header("03 8a", "01 00");
  free("04 8a");
  receive(254);
  t.is(spi.left, 0);
});

test("W5500 datasheet 4.2 MACRAW: sent frames, transaction by transaction", async (t) => {
  const { bench, spi } = await scripted();
  const short = testFrame(42, 1);
  spi.expect(`00 00 14 ${hex(short)} ${zeros(18)}`); // padded to 60 in the same burst
  spi.expect("00 24 0c 00 3c"); // TX_WR
  spi.expect("00 01 0c 20 10"); // SEND, and S0_IR.SENDOK behind it
  t.true(bench.send(short, 20));
  const long = testFrame(1514, 2);
  spi.expect(`00 3c 14 ${hex(long)}`); // behind the frame on the wire
  spi.expect("00 02 08 00", "01 02 03 10"); // SENDOK
  spi.expect("00 24 0c 06 26"); // only now TX_WR moves
  spi.expect("00 01 0c 20 10");
  t.true(bench.send(long));
  t.is(spi.left, 0);
});

test("W5500: a frame is not asked after before it can be sent, and waits meanwhile", async (t) => {
  const { bench, spi } = await scripted();
  const frames = [testFrame(1514, 1), testFrame(60, 2)] as const;
  spi.expect(`00 00 14 ${hex(frames[0])}`);
  spi.expect("00 24 0c 05 ea");
  spi.expect("00 01 0c 20 10");
  spi.expect(`05 ea 14 ${hex(frames[1])}`);
  t.true(bench.send(frames[0]));
  t.true(bench.send(frames[1]));
  t.is(spi.left, 0);
  // About to sleep with a frame waiting: SENDOK shall wake the device.
  spi.expect("00 2c 0c 14");
  t.true(bench.nic.nicDeadline(0) > 0);
  bench.clock.advance(130_000);
  spi.expect("00 02 08 00", "01 02 03 10");
  spi.expect("00 24 0c 06 26");
  spi.expect("00 01 0c 20 10");
  bench.poll();
  bench.clock.advance(10_000);
  spi.expect("00 02 08 00", "01 02 03 10");
  spi.expect("00 2c 0c 04");
  bench.poll();
  t.is(spi.left, 0);
});

test("W5500: receiving and sending interleave, and each goes on where it was", async (t) => {
  const { bench, spi } = await scripted();
  const { nic } = bench;
  const at = nic.buffer();
  spi.interrupt = true;
  spi.expect("00 02 0c 04");
  spi.expect(`00 26 08 ${zeros(6)}`, "01 02 03 00 66 00 00 00 66");
  spi.expect(`00 00 18 ${zeros(2 + 50)}`, `01 02 03 00 66 ${ff(50)}`);
  spi.expect(`00 00 14 ${ff(50)}`);
  spi.expect(`00 34 18 ${zeros(50)}`, `01 02 03 ${ff(50)}`);
  spi.expect(`00 32 14 ${ff(50)}`);
  spi.expect("00 28 0c 00 66");
  spi.expect("00 01 0c 40");
  spi.expect("00 24 0c 00 64");
  spi.expect("00 01 0c 20 10");
  t.is(nic.rxBegin(), 100);
  spi.interrupt = false;
  t.is(nic.txBegin(100), 1);
  for (let i = 0; i < 2; i++) {
    nic.rxRead(at, 50);
    nic.txWrite(at, 50);
  }
  nic.rxEnd();
  nic.txEnd();
  t.is(spi.left, 0);
});

test("nicInit: no chip, wrong version, a chip that does not open its socket", async (t) => {
  for (const [miso, result] of [
    ["ff ff ff ff", -19],
    ["00 00 00 00", -19],
    ["01 02 03 51", -19],
    ["01 02 03 04", -110],
  ] as const) {
    const answer = miso.split(" ").map((byte) => parseInt(byte, 16));
    let at = 0;
    // The same answer to everything: VERSIONR is 4, but so are MR and S0_SR.
    const spi = {
      interrupt: false,
      onInterrupt: () => undefined,
      select: () => void (at = 0),
      deselect: () => undefined,
      exchange: () => answer[at++] ?? 0,
      reset: () => undefined,
    };
    const bench = await NicHarness.create({ board: "virtual-w5500", chip: () => spi });
    t.is(bench.init(), result);
    t.true(bench.nowMs < 150, `${bench.nowMs} ms`);
  }
});
