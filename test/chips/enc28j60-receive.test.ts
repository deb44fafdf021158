import test from "ava";
import {
  BROADCAST,
  Bench,
  ECON1,
  ECON2,
  EIR,
  ERXRDPT,
  ERXST,
  ERXWRPT,
  ESTAT,
  MAC,
  fcs,
  frame,
} from "./enc28j60-bench.js";

const MULTICAST = Uint8Array.of(0x01, 0x00, 0x5e, 0, 0, 1);
const OTHER = Uint8Array.of(0x02, 9, 9, 9, 9, 9);

/** Packets that a configuration lets in, out of the frames given. */
function accepted(bench: Bench, ...frames: Uint8Array[]): number {
  for (const each of frames) bench.arrive(each);
  return bench.packets();
}

test("DS39662E figure 7-3: pointer, status, frame and FCS lie in the buffer as they should", (t) => {
  const bench = new Bench().start();
  const sent = frame(61);
  bench.arrive(sent);
  const { next, status, bytes } = bench.take(0);
  // 6 + 65 bytes, made even.
  t.is(next, 72);
  t.is(status & 0xffff, 65);
  t.deepEqual(bytes.slice(0, 61), sent);
  t.deepEqual(bytes.slice(61), fcs(sent));
  t.deepEqual(bench.violations, []);
});

test("DS39662E table 7-3: status bits of unicast, broadcast and multicast frames", (t) => {
  const bench = new Bench().start({ filter: 0x20 });
  const flags: number[] = [];
  let at = 0;
  for (const destination of [MAC, BROADCAST, MULTICAST]) {
    bench.arrive(frame(60, destination));
    const { next, status } = bench.take(at);
    flags.push(status >>> 16);
    at = next;
  }
  // Received OK (bit 23) and type above 1500 (bit 22); broadcast is bit 25, multicast bit 24.
  t.deepEqual(flags, [0x00c0, 0x02c0, 0x01c0]);
});

test("DS39662E table 7-3: VLAN, length and CRC bits", (t) => {
  const bench = new Bench().start({ filter: 0x00 });
  bench.arrive(frame(60, MAC, 0, 0x8100));
  bench.arrive(frame(100, MAC, 0, 86));
  bench.arrive(frame(100, MAC, 0, 80));
  bench.arrive(frame(60, MAC), false);
  let at = 0;
  const flags: number[] = [];
  for (let i = 0; i < 4; i++) {
    const { next, status } = bench.take(at);
    flags.push(status >>> 16);
    at = next;
  }
  t.deepEqual(flags, [0x40c0, 0x0080, 0x00a0, 0x0050]);
});

test("DS39662E 7.2: EPKTCNT counts, PKTIF follows it, PKTDEC frees", (t) => {
  const bench = new Bench().start();
  t.is(accepted(bench, frame(60), frame(60)), 2);
  t.is(bench.read(EIR) & 0x40, 0x40);
  bench.clear(EIR, 0x40);
  t.is(bench.read(EIR) & 0x40, 0x40);
  bench.set(ECON2, 0x40);
  bench.set(ECON2, 0x40);
  t.is(bench.read(EIR) & 0x40, 0);
});

test("DS39662E 6.1: ERXWRPT moves only when a packet is accepted", (t) => {
  const bench = new Bench().start();
  t.is(bench.read16(ERXWRPT), 0);
  bench.chip.receive(frame(1514));
  bench.advanceUs(600);
  t.is(bench.read16(ERXWRPT), 0);
  bench.advanceUs(700);
  t.is(bench.read16(ERXWRPT), 1524);
});

test("DS39662E 7.2: packets begin at even addresses and wrap from ERXND to ERXST", (t) => {
  const bench = new Bench().start({ rxEnd: 0x03ff });
  let at = 0;
  for (let i = 0; i < 12; i++) {
    const sent = frame(201, MAC, i);
    bench.arrive(sent);
    const { next, bytes } = bench.take(at);
    t.is(next, (at + 6 + 205 + 1) % 0x400);
    // The chip's own read pointer has wrapped on the way.
    t.deepEqual(bytes.slice(0, 201), sent);
    at = next;
  }
  t.deepEqual(bench.violations, []);
});

test("DS39662E 7.2.4: a frame that would reach ERXRDPT is dropped, RXERIF is set, the rest stays", (t) => {
  const bench = new Bench().start({ rxEnd: 0x0bff });
  bench.arrive(frame(1514, MAC, 1));
  // 3072 - 1524 = 1548 bytes are free, and one of them stays free.
  bench.arrive(frame(1514, MAC, 2));
  bench.arrive(frame(60, MAC, 3));
  t.is(bench.packets(), 2);
  t.is(bench.read(EIR) & 0x01, 0x01);
  t.is(bench.read(ESTAT) & 0x40, 0x40);
  const first = bench.take(0);
  const second = bench.take(first.next);
  t.deepEqual(second.bytes.slice(0, 1514), frame(1514, MAC, 2));
  // There is room again, at the place where the dropped frame would have been.
  bench.arrive(frame(60, MAC, 4));
  const third = bench.take(second.next);
  t.deepEqual(third.bytes.slice(0, 60), frame(60, MAC, 4));
  // It says that one was dropped before it.
  t.is((third.status >>> 16) & 1, 1);
});

test("DS39662E 7.2.4: space that the host frees while a frame arrives still counts", (t) => {
  // 538 bytes are free: they are used up after about 430 us.
  for (const freedAfterUs of [350, 460]) {
    const bench = new Bench().start({ rxEnd: 0x0bff });
    bench.arrive(frame(1514, MAC, 1));
    bench.arrive(frame(1000, MAC, 2));
    bench.chip.receive(frame(1000, MAC, 3));
    bench.advanceUs(freedAfterUs);
    bench.write16(ERXRDPT, 1523);
    bench.set(ECON2, 0x40);
    bench.advanceUs(600);
    t.is(bench.packets(), freedAfterUs === 350 ? 2 : 1);
    t.is(bench.read(EIR) & 0x01, freedAfterUs === 350 ? 0 : 1);
  }
});

test("DS39662E 7.2.4: free space is ERXRDPT - ERXWRPT - 1, or all but one byte when they are equal", (t) => {
  // 1024 bytes; one frame of 1000 bytes takes 1010.
  const bench = new Bench().start({ rxEnd: 0x03ff });
  t.is(accepted(bench, frame(1000)), 1);
  // 14 are left and 13 of them may be used: not even the smallest frame fits.
  t.is(accepted(bench, frame(14)), 1);
  bench.take(0);
  t.is(accepted(bench, frame(60)), 1);
});

test("DS39662E 7.2: EPKTCNT stays at 255 and every further frame is dropped", (t) => {
  const bench = new Bench().start({ rxEnd: 0x1fff });
  for (let i = 0; i < 255; i++) bench.arrive(frame(14, MAC, i));
  t.is(bench.packets(), 255);
  t.is(bench.read(EIR) & 0x01, 0);
  bench.arrive(frame(14));
  t.is(bench.packets(), 255);
  t.is(bench.read(EIR) & 0x01, 1);
});

test("DS39662E 7.2: frames below 18 bytes are rejected, above MAMXFL too unless HFRMEN is set", (t) => {
  const bench = new Bench().start();
  t.is(accepted(bench, frame(13), frame(1515)), 0);
  t.is(accepted(bench, frame(14), frame(1514)), 2);
  const huge = new Bench().start({ macon3: 0x36 });
  t.is(accepted(huge, frame(1600)), 1);
});

test("DS39662E 7.2: nothing is received without RXEN, without MARXEN or without link", (t) => {
  const off = new Bench().start();
  off.clear(ECON1, 0x04);
  t.is(accepted(off, frame(60)), 0);
  t.is(accepted(new Bench().start({ macon1: 0 }), frame(60)), 0);
  const unplugged = new Bench().start();
  unplugged.chip.setLink(false);
  t.is(accepted(unplugged, frame(60)), 0);
});

test("DS39662E 7.2.1: clearing RXEN lets the frame under way finish, RXRST does not", (t) => {
  const ends = new Bench().start();
  ends.chip.receive(frame(500));
  ends.advanceUs(100);
  t.is(ends.read(ESTAT) & 0x04, 0x04);
  ends.clear(ECON1, 0x04);
  ends.advanceUs(500);
  t.is(ends.read(ESTAT) & 0x04, 0);
  t.is(ends.packets(), 1);

  const aborted = new Bench().start();
  aborted.chip.receive(frame(500));
  aborted.advanceUs(100);
  aborted.set(ECON1, 0x40);
  t.is(aborted.read(ECON1) & 0x04, 0);
  aborted.clear(ECON1, 0x40);
  aborted.set(ECON1, 0x04);
  aborted.advanceUs(500);
  t.is(aborted.packets(), 0);
});

test("DS39662E 7.2.1: a frame takes (8 + n + 4) * 0.8 us on the wire and the next 9.6 us more", (t) => {
  const bench = new Bench().start();
  const begin = bench.clock.nowNs;
  bench.chip.receive(frame(1514));
  bench.chip.receive(frame(1514));
  const times: number[] = [];
  while (times.length < 2) {
    bench.clock.advance(100);
    if (bench.chip.peek("EPKTCNT") > times.length) times.push(bench.clock.nowNs - begin);
  }
  t.true(Math.abs((times[0] ?? 0) - 1_220_800) <= 200);
  t.true(Math.abs((times[1] ?? 0) - 2 * 1_220_800 - 9_600) <= 200);
});

test("DS39662E 6.1: writing ERXST or ERXND while reception is on is a violation", (t) => {
  const bench = new Bench().start();
  bench.write(ERXST, 2);
  t.regex(bench.violations.join(), /ERXSTL is written while reception is on/);
});

test("DS39662E 6.1: reception starts over at ERXST when ERXST or ERXND is written", (t) => {
  const bench = new Bench().start();
  bench.arrive(frame(60));
  bench.clear(ECON1, 0x04);
  bench.set(ECON2, 0x40);
  bench.write16(ERXST, 0);
  bench.write16(ERXRDPT, 0x13ff);
  bench.set(ECON1, 0x04);
  t.is(bench.read16(ERXWRPT), 70);
  bench.arrive(frame(60, MAC, 9));
  t.deepEqual(bench.take(0).bytes.slice(0, 60), frame(60, MAC, 9));
});

test("DS39662E register 8-1: unicast, multicast and broadcast filters", (t) => {
  const frames = [MAC, OTHER, MULTICAST, BROADCAST].map((to) => frame(60, to));
  t.is(accepted(new Bench().start({ filter: 0xa0 }), ...frames), 1);
  t.is(accepted(new Bench().start({ filter: 0x22 }), ...frames), 2);
  t.is(accepted(new Bench().start({ filter: 0x21 }), ...frames), 1);
  t.is(accepted(new Bench().start({ filter: 0xa1 }), ...frames), 2);
  t.is(accepted(new Bench().start({ filter: 0xa3 }), ...frames), 3);
});

test("DS39662E register 8-1: without filters everything comes in; CRCEN alone drops bad FCS", (t) => {
  const all = new Bench().start({ filter: 0 });
  all.arrive(frame(60, OTHER), false);
  t.is(accepted(all, frame(60, OTHER)), 2);
  const checked = new Bench().start({ filter: 0x20 });
  checked.arrive(frame(60, OTHER), false);
  t.is(accepted(checked, frame(60, OTHER)), 1);
  // Filtered frames leave no trace.
  t.is(checked.read(EIR) & 0x01, 0);
});

test("DS39662E figure 8-2: with ANDOR every enabled filter must match", (t) => {
  // Multicast and broadcast: a broadcast address is also a group address.
  const bench = new Bench().start({ filter: 0x63 });
  t.is(accepted(bench, frame(60, MULTICAST), frame(60, BROADCAST), frame(60, MAC)), 1);
});

test("DS39662E 8.4: the hash filter looks up bits 28:23 of the CRC", (t) => {
  // 01-00-5E-00-00-01 in the hash of Microchip's stack, computed by hand below.
  let crc = 0xffffffff;
  for (const byte of MULTICAST) {
    for (let bit = 0; bit < 8; bit++) {
      const top = ((crc >>> 31) ^ (byte >> bit)) & 1;
      crc = ((crc << 1) ^ (top ? 0x04c11db7 : 0)) >>> 0;
    }
  }
  const index = (crc >>> 23) & 0x3f;
  const bench = new Bench().start({ filter: 0x24 });
  t.is(accepted(bench, frame(60, MULTICAST)), 0);
  bench.inBank(1, () => bench.write(index >> 3, 1 << (index & 7)));
  t.is(accepted(bench, frame(60, MULTICAST), frame(60, OTHER)), 1);
});

test("DS39662E figure 8-3: the pattern filter sums the selected bytes of its window", (t) => {
  const bench = new Bench().start({ filter: 0x30 });
  bench.inBank(1, () => {
    // Window at 6, mask 0x1F0A, checksum 563F: the data sheet's own example.
    [0x0a, 0x1f, 0, 0, 0, 0, 0, 0].forEach((mask, k) => bench.write(0x08 + k, mask));
    bench.write(0x10, 0x3f);
    bench.write(0x11, 0x56);
    bench.write(0x14, 6);
    bench.write(0x15, 0);
  });
  const match = new Uint8Array(100);
  match.set([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0x00, 0x5a]);
  match.set([0x09, 0x0a, 0x0b, 0x0c, 0x0d], 14);
  const other = match.slice();
  other[16] = 0x0c;
  t.is(accepted(bench, other), 0);
  t.is(accepted(bench, match), 1);
  // The window reaches behind the FCS: 6 + 64 > 60 + 4.
  t.is(accepted(bench, match.slice(0, 60)), 1);
});

test("DS39662E 8.3: a Magic Packet holds FF six times and the address sixteen times", (t) => {
  const bench = new Bench().start({ filter: 0x28 });
  const magic = frame(200);
  magic.fill(0xff, 40, 46);
  for (let i = 0; i < 16; i++) magic.set(MAC, 46 + 6 * i);
  const short = magic.slice();
  short[46 + 90] = 0;
  t.is(accepted(bench, short), 0);
  t.is(accepted(bench, magic), 1);
});

test("DS39662E 10: a PAUSE frame is kept out of the buffer unless PASSALL is set", (t) => {
  const pause = frame(60, Uint8Array.of(1, 0x80, 0xc2, 0, 0, 1), 0, 0x8808);
  pause.set([0, 1, 0, 0], 14);
  const normal = new Bench().start({ fullDuplex: true, macon1: 0x0d, filter: 0x20 });
  t.is(accepted(normal, pause), 0);
  const all = new Bench().start({ fullDuplex: true, macon1: 0x0f, filter: 0x20 });
  t.is(accepted(all, pause), 1);
  // Control frame, pause.
  t.is((all.take(0).status >>> 27) & 7, 0b011);
});

test("the link partner holds back a limited number of frames", (t) => {
  const bench = new Bench({ lineFrames: 4 }).start();
  for (let i = 0; i < 10; i++) bench.chip.receive(frame(60, MAC, i));
  bench.advanceUs(2000);
  t.is(bench.packets() + bench.chip.lineLost, 10);
  t.true(bench.chip.lineLost > 0);
});
