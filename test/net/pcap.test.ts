import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { UserError } from "../../host-tools/errors.js";
import { PcapWriter, readPcap } from "../../host-tools/net/pcap.js";

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-pcap-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

test("pcap: the header says nanoseconds and Ethernet, little-endian", (t) => {
  const path = join(folder, "empty.pcap");
  new PcapWriter(path).close();
  const data = readFileSync(path);
  t.is(data.toString("hex"), "4d3cb2a1020004000000000000000000ffff000001000000");
});

test("pcap: frames come back with their bytes and times, over many buffers", (t) => {
  const path = join(folder, "frames.pcap");
  const writer = new PcapWriter(path);
  const frames = Array.from({ length: 300 }, (_, i) => new Uint8Array(60 + i * 4).fill(i));
  frames.forEach((frame, i) => writer.write(i * 1.5e9 + 7, frame));
  writer.close();
  const records = readPcap(readFileSync(path));
  t.is(records.length, 300);
  records.forEach((record, i) => {
    t.is(record.timeNs, i * 1.5e9 + 7);
    t.deepEqual(new Uint8Array(record.frame), frames[i]);
  });
});

test("pcap: what was written before is on the disk after a flush, and close may come twice", (t) => {
  const path = join(folder, "flush.pcap");
  const writer = new PcapWriter(path);
  writer.write(0, new Uint8Array(60));
  writer.flush();
  t.is(readPcap(readFileSync(path)).length, 1);
  writer.close();
  writer.close();
  writer.write(0, new Uint8Array(60));
  t.is(readPcap(readFileSync(path)).length, 1);
});

test("pcap: a frame larger than the buffer is written whole up to the snap length", (t) => {
  const path = join(folder, "large.pcap");
  const writer = new PcapWriter(path);
  writer.write(1, new Uint8Array(65535).fill(9));
  writer.write(2, new Uint8Array(60));
  writer.close();
  t.deepEqual(
    readPcap(readFileSync(path)).map((r) => r.frame.length),
    [65535, 60],
  );
});

test("a path that cannot be written is one line for the person", (t) => {
  const error = t.throws(() => new PcapWriter(join(folder, "no/such/folder.pcap")), {
    instanceOf: UserError,
  });
  t.regex(error?.message ?? "", /cannot write .*ENOENT/);
});
