import { Enc28j60, type Enc28j60Options } from "../../host-tools/sim/chips/enc28j60/index.js";
import { NicHarness, type NicHarnessOptions } from "../support/nic-harness.js";

/** The driver on a strict ENC28J60: any illegal access throws out of the driver's call. */
export interface DriverBench {
  nic: NicHarness<Enc28j60>;
  chip: Enc28j60;
  /** Frames that the chip has put on the wire. */
  sent: Uint8Array[];
}

/** A driver and a chip that is not started yet. */
export async function driverBench(
  options: Partial<Enc28j60Options> = {},
  harness: Partial<NicHarnessOptions<Enc28j60>> = {},
): Promise<DriverBench> {
  const sent: Uint8Array[] = [];
  const nic = await NicHarness.create<Enc28j60>({
    board: "virtual-enc28j60",
    chip: (clock) =>
      new Enc28j60({
        clock,
        spiHz: 20_000_000,
        seed: 7,
        onViolation: (message) => {
          throw new Error(message);
        },
        ...options,
      }),
    ...harness,
  });
  nic.chip.onTransmit = (frame) => void sent.push(frame);
  return { nic, chip: nic.chip, sent };
}

/** A driver that is up and has a link. */
export async function startedBench(
  options: Partial<Enc28j60Options> = {},
  harness: Partial<NicHarnessOptions<Enc28j60>> = {},
): Promise<DriverBench> {
  const bench = await driverBench(options, harness);
  bench.chip.setLink(true);
  const result = bench.nic.init();
  if (result !== 0) throw new Error(`nicInit gives ${result}`);
  bench.nic.run(200);
  if ((bench.nic.nic.nicLink() & 1) === 0) throw new Error("no link");
  return bench;
}

/** Hands a frame to the driver, waiting for room as long as that takes; gives up after a simulated second. */
export function sendWaiting({ nic }: DriverBench, frame: Uint8Array): void {
  const endNs = nic.clock.nowNs + 1e9;
  while (!nic.send(frame)) {
    if (nic.clock.nowNs > endNs) throw new Error("no room to send for a second");
    nic.poll();
    nic.clock.advance(5_000);
  }
}

/** Errata without those that depend on chance and cost bus traffic: for exact counts. */
export const QUIET = { errata: [2, 5, 6, 9, 10, 12, 14, 15, 17, 18, 19] } as const;
