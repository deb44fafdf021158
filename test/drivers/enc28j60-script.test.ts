import test from "ava";
import { NicHarness, testFrame } from "../support/nic-harness.js";
import { ScriptedSpi } from "../support/scripted-spi.js";

const hex = (bytes: ArrayLike<number>): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** MOSI of a burst that only clocks: the opcode and `bytes` zeros. */
const clocks = (opcode: string, bytes: number): string => `${opcode}${" 00".repeat(bytes)}`;

/** MAC register: written, then read back. */
function verified(chip: ScriptedSpi, address: number, value: number): void {
  chip.expect(hex([0x40 | address, value]));
  chip.expect(hex([address, 0, 0]), `00 00 ${hex([value])}`);
}

function phyWrite(chip: ScriptedSpi, register: number, value: number): void {
  chip.expect("9f 02");
  chip.expect(hex([0x54, register]));
  chip.expect(hex([0x56, value & 0xff]));
  chip.expect(hex([0x57, value >> 8]));
  chip.expect("9f 01");
  chip.expect("0a 00 00", "00 00 00");
  chip.expect("bf 03");
}

/** Power save off, system reset, ESTAT. */
function resetScript(chip: ScriptedSpi, estat: string): void {
  chip.expect("be 20");
  chip.expect("ff");
  chip.expect("1d 00", `00 ${estat}`);
}

function initScript(chip: ScriptedSpi): void {
  resetScript(chip, "01");
  // EREVID, bank 3
  chip.expect("9f 03").expect("12 00", "00 06").expect("bf 03");
  // ERXST 0000 (erratum 5), ERXND and ERXRDPT 1247, low byte first; ERDPT 0000
  for (const bytes of ["48 00", "49 00", "4a 47", "4b 12", "4c 47", "4d 12", "40 00", "41 00"]) {
    chip.expect(bytes);
  }
  // Control bytes of the slots, ETXST
  for (const [low, high] of ["0a 14", "0a 1a", "48 12", "9e 12", "f4 12", "4a 13", "a0 13"].map(
    (at) => at.split(" "),
  )) {
    chip.expect(`42 ${low}`).expect(`43 ${high}`).expect("7a 00");
  }
  for (const bytes of ["44 0a", "45 14", "46 0a", "47 14"]) chip.expect(bytes);
  // ERXFCON: unicast, broadcast, groups (for multicast DNS, MDNS), CRC
  chip.expect("9f 01").expect("58 a3").expect("bf 01");
  chip.expect("9f 02");
  verified(chip, 0x00, 0x01);
  verified(chip, 0x02, 0x32);
  verified(chip, 0x03, 0x40);
  verified(chip, 0x04, 0x1a);
  verified(chip, 0x06, 0x1a);
  verified(chip, 0x07, 0x1a);
  verified(chip, 0x09, 0x3f);
  verified(chip, 0x0a, 0xee);
  verified(chip, 0x0b, 0x05);
  chip.expect("9f 01");
  [4, 5, 2, 3, 0, 1].forEach((octet, register) =>
    verified(chip, register, NicHarness.MAC[octet] as number),
  );
  chip.expect("bf 03");
  // Half duplex, HDLDIS (erratum 9), LEDs; then PHSTAT2 is scanned
  phyWrite(chip, 0x00, 0x0000);
  phyWrite(chip, 0x10, 0x0100);
  phyWrite(chip, 0x14, 0x3476);
  chip.expect("9f 02").expect("54 11").expect("52 02").expect("bf 02");
  chip.expect("bc 2b").expect("5b ca").expect("9f 04");
}

async function scripted(script: (chip: ScriptedSpi) => void): Promise<NicHarness<ScriptedSpi>> {
  const harness = await NicHarness.create({
    board: "virtual-enc28j60",
    chip: () => new ScriptedSpi(),
  });
  script(harness.chip);
  return harness;
}

test("nicInit: reset pin, power save off, SRC, then every register in the order of the script", async (t) => {
  const harness = await scripted(initScript);
  t.is(harness.init(), 0);
  t.is(harness.chip.left, 0);
  t.deepEqual(harness.chip.resets, [true, false]);
  t.is(harness.nic.nicVersion(), 6);
});

test("nicInit: 300 us before SRC (erratum 19) and 1 ms after it (erratum 2)", async (t) => {
  const harness = await scripted((chip) => resetScript(chip, "ff"));
  const times: number[] = [];
  const select = harness.chip.select.bind(harness.chip);
  harness.chip.select = () => {
    times.push(harness.clock.nowNs);
    select();
  };
  harness.init();
  t.true((times[1] ?? 0) - (times[0] ?? 0) >= 300_000);
  t.true((times[2] ?? 0) - (times[1] ?? 0) >= 1_000_000);
});

test("nicInit: -ENODEV when ESTAT reads 00 or FF, or its unimplemented bit is set", async (t) => {
  for (const estat of ["00", "ff", "09"]) {
    const harness = await scripted((chip) => resetScript(chip, estat));
    t.is(harness.init(), -19);
    t.is(harness.chip.left, 0);
  }
});

test("nicInit: -ENODEV when EREVID reads 00 or FF", async (t) => {
  for (const revision of ["00", "ff"]) {
    const harness = await scripted((chip) => {
      resetScript(chip, "01");
      chip.expect("9f 03").expect("12 00", `00 ${revision}`).expect("bf 03");
    });
    t.is(harness.init(), -19);
  }
});

test("nicInit: -ETIMEDOUT when MISTAT.BUSY never clears", async (t) => {
  // Registers hold what is written, bank by bank; MISTAT is always busy.
  const registers = new Map<number, number>([
    [0x1d, 0x01],
    [0x72, 0x06],
    [0x6a, 0x01],
  ]);
  let bank = 0;
  let bytes: number[] = [];
  const harness = await NicHarness.create({
    board: "virtual-enc28j60",
    chip: () => ({
      interrupt: false,
      onInterrupt: () => undefined,
      select: () => void (bytes = []),
      deselect: () => {
        const [opcode = 0, value = 0] = bytes;
        if (opcode === 0x9f) bank |= value & 3;
        else if (opcode === 0xbf) bank &= ~value;
        else if (opcode >> 5 === 2) registers.set(bank * 32 + (opcode & 0x1f), value);
        bytes = [];
      },
      exchange: (mosi) => {
        bytes.push(mosi);
        const address = (bytes[0] ?? 0) & 0x1f;
        return registers.get(address >= 0x1b ? address : bank * 32 + address) ?? 0;
      },
      reset: () => undefined,
    }),
  });
  t.is(harness.init(), -110);
  t.is(harness.nic.rxBegin(), 0);
  t.is(harness.nic.txReady(), 0);
});

test("rxBegin: nothing is clocked while INT is high", async (t) => {
  const harness = await scripted(initScript);
  harness.init();
  t.deepEqual(
    harness.cost(() => t.is(harness.nic.rxBegin(), 0)),
    { bytes: 0, transactions: 0 },
  );
});

test("a frame is received in one burst, PKTDEC, and ERXRDPT when nothing more waits", async (t) => {
  const frame = testFrame(61, 5);
  const harness = await scripted(initScript);
  harness.init();
  const { chip } = harness;
  // Next packet at 0048: 6 + 65 bytes and one to make it even; received OK.
  const header = "48 00 41 00 c0 00";
  chip.expect(clocks("3a", 6 + 65 + 1), `00 ${header} ${hex(frame)} 11 22 33 44 55`);
  chip.expect("9e 40");
  chip.interrupt = true;
  t.deepEqual(harness.receive(20), frame);
  t.is(chip.left, 0);
  chip.interrupt = false;
  // One below the next packet, low byte first, odd (erratum 14).
  chip.expect("4c 47").expect("4d 00");
  t.is(harness.nic.rxBegin(), 0);
  t.is(chip.left, 0);
});

test("a frame is sent with EWRPT, one burst, the changed byte of ETXND and TXRTS", async (t) => {
  const frame = testFrame(60, 9);
  const harness = await scripted(initScript);
  harness.init();
  const { chip } = harness;
  chip.expect("42 0b").expect("43 14");
  chip.expect(`7a ${hex(frame)}`);
  chip.expect("46 46");
  chip.expect("9f 08");
  t.true(harness.send(frame, 7));
  t.is(chip.left, 0);
  // A second short frame goes to a short slot and waits; there still is a long one.
  chip.expect("42 49").expect("43 12");
  chip.expect(`7a ${hex(frame)}`);
  t.true(harness.send(frame));
  t.is(harness.nic.txReady(), 1);
  // A long one goes there, in pieces, because somebody waits for the wire.
  const long = testFrame(200, 8);
  chip.expect("42 0b").expect("43 1a");
  chip.expect(`7a ${hex(long)}`);
  t.true(harness.send(long));
  t.is(harness.nic.txReady(), 0);
  t.is(chip.left, 0);
  // INT: EIR says TXIF; it is cleared and the next slot starts, with ETXST and ETXND.
  chip.expect("1c 00", "00 08").expect("bc 08");
  for (const bytes of ["44 48", "45 12", "46 84", "47 12", "9f 08"]) chip.expect(bytes);
  chip.interrupt = true;
  t.is(harness.nic.txReady(), 1);
  t.is(chip.left, 0);
});

test("erratum 12 and 13: after TXERIF the status is read, TXRST pulsed, flags cleared last, the frame sent again", async (t) => {
  const frame = testFrame(60, 1);
  const harness = await scripted(initScript);
  harness.init();
  const { chip } = harness;
  chip
    .expect("42 0b")
    .expect("43 14")
    .expect(`7a ${hex(frame)}`)
    .expect("46 46")
    .expect("9f 08");
  harness.send(frame);
  chip.expect("1c 00", "00 02");
  chip.expect("bf 08");
  // ERDPT is noted; byte 3 of the status vector, at ETXND + 4; then ERDPT goes back to where it was.
  chip.expect("00 00", "00 34").expect("01 00", "00 02");
  chip.expect("40 4a").expect("41 14").expect("3a 00", "00 20").expect("40 34").expect("41 02");
  chip.expect("9f 80").expect("bf 80").expect("bd 12").expect("bc 0a");
  chip.expect("9f 08");
  // The look at the chip that is due.
  chip.expect("1f 00", "00 0c").expect("1b 00", "00 ca").expect("1c 00");
  chip.expect("9f 02").expect("19 00 00", "00 00 04").expect("bf 02");
  chip.interrupt = true;
  harness.poll();
  t.is(chip.left, 0);
  t.is(harness.counters.txRetries, 1);
  t.is(harness.nic.nicLink(), 1);
});
