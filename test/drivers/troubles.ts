/** What can happen to a chip while it runs: each trouble with the models' own switches, and the counters that tell of it. */
import { DEFAULT_RATES, type Enc28j60 } from "../../host-tools/sim/chips/enc28j60/index.js";
import { PHY } from "../../host-tools/sim/chips/enc28j60/phy.js";
import type { W5500 } from "../../host-tools/sim/chips/w5500/index.js";
import { Random } from "../../host-tools/sim/random.js";
import type { Bench } from "../apps/bench.js";
import type { NicCounters } from "../support/nic-harness.js";

export type Counter = keyof NicCounters;

/** One trouble of one kind of chip. */
export interface Trouble<Chip> {
  what: string;
  begin: (chip: Chip, bench: Bench) => void;
  /** Ends it after `lastsMs`. */
  end?: (chip: Chip) => void;
  lastsMs?: number;
  /** Each of these must move, or "any" where chance decides; none where the trouble costs nothing that a driver could see. */
  counters: Counter[] | "any";
}

/** Each byte on the bus has a wrong bit now and then, in either direction. */
function bitErrors(chip: W5500 | Enc28j60, rate: number): () => void {
  const random = new Random(9);
  const wrong = (byte: number): number =>
    random.chance(rate) ? byte ^ (1 << random.below(8)) : byte;
  const exchange = chip.exchange.bind(chip);
  chip.exchange = (mosi) => wrong(exchange(wrong(mosi)));
  return () => (chip.exchange = exchange);
}

let healBus: () => void = () => undefined;

/** Troubles that any chip can have. */
function common<Chip extends W5500 | Enc28j60>(): Trouble<Chip>[] {
  return [
    {
      what: "power loss",
      begin: (chip) => chip.powerCycle(),
      counters: ["reinits", "linkChanges"],
    },
    {
      what: "a glitch on RSTn",
      begin: (chip) => chip.reset(true),
      end: (chip) => chip.reset(false),
      lastsMs: 1,
      counters: ["reinits", "linkChanges"],
    },
    {
      what: "bit errors on SPI",
      begin: (chip) => (healBus = bitErrors(chip, 1 / 3000)),
      end: () => healBus(),
      lastsMs: 100,
      counters: [],
    },
    {
      what: "more bit errors on SPI",
      begin: (chip) => (healBus = bitErrors(chip, 1 / 20)),
      end: () => healBus(),
      lastsMs: 300,
      counters: "any",
    },
    {
      what: "a cable that flaps",
      begin: (chip, { world: { clock } }) => {
        for (let i = 0; i < 6; i++) clock.schedule(i * 150e6, () => chip.setLink(i % 2 === 1));
      },
      counters: ["linkChanges"],
    },
    {
      what: "a broadcast storm",
      begin: (chip, { world: { clock } }) => {
        const frame = new Uint8Array(60).fill(0xff, 0, 6);
        frame[12] = 0x88;
        frame[13] = 0xb5;
        for (let i = 0; i < 4000; i++) clock.schedule(i * 100e3, () => chip.receive(frame));
      },
      counters: [],
    },
  ];
}

export const W5500_TROUBLES: Trouble<W5500>[] = [
  ...common<W5500>(),
  {
    what: "a chip that is not there",
    begin: (chip) => (chip.faults.absent = true),
    end: (chip) => (chip.faults.absent = false),
    lastsMs: 1500,
    counters: ["reinits", "linkChanges"],
  },
  {
    what: "power loss of a chip that shows VERSIONR late",
    begin: (chip) => {
      chip.faults.versionZeroNs = 80e6;
      chip.powerCycle();
    },
    end: (chip) => (chip.faults.versionZeroNs = 0),
    lastsMs: 4000,
    counters: ["reinits"],
  },
  {
    what: "a PHY held in reset by an upset bit",
    begin: (chip) => chip.upset(0x2e, 0x80),
    counters: ["reinits", "linkChanges"],
  },
  { what: "lost interrupts", begin: (chip) => (chip.faults.loseInterrupt = 3), counters: [] },
  { what: "lost SENDOKs", begin: (chip) => (chip.faults.loseSendOk = 3), counters: ["txTimeouts"] },
  {
    what: "SENDs that hang",
    begin: (chip) => (chip.faults.hangSend = 2),
    counters: ["txTimeouts", "txResets"],
  },
  { what: "torn reads of RX_RSR", begin: (chip) => (chip.faults.tornRsr = 5), counters: [] },
  {
    what: "lengths that cannot be",
    begin: (chip) => (chip.faults.corruptLength = 3),
    counters: ["rxBadHeader", "rxResets"],
  },
  {
    what: "a partner that goes down to 10 Mbit/s half duplex",
    begin: (chip) => chip.setPartner({ mbits: 10, fullDuplex: false }),
    end: (chip) => chip.setPartner({ mbits: 100, fullDuplex: true }),
    lastsMs: 2500,
    counters: ["linkChanges"],
  },
];

/** All errata that come by chance at their worst. */
const WORST = {
  writePointer: 1,
  pktif: 1,
  stall: 1,
  linkPulse: 1,
  linkPulseStuck: 1 / 2,
  evenReadPointer: 1,
  latecol: 1,
  pattern: 1,
};

export const ENC28J60_TROUBLES: Trouble<Enc28j60>[] = [
  ...common<Enc28j60>(),
  {
    what: "a chip that is not there",
    begin: (chip) => (chip.faults.misoStuck = 0),
    end: (chip) => (chip.faults.misoStuck = undefined),
    lastsMs: 1500,
    counters: ["reinits", "linkChanges"],
  },
  {
    what: "a broken INT wire",
    begin: (chip) => {
      chip.faults.interruptStuckHigh = true;
      chip.refreshInterrupt();
    },
    end: (chip) => {
      chip.faults.interruptStuckHigh = undefined;
      chip.refreshInterrupt();
    },
    lastsMs: 1000,
    counters: [],
  },
  {
    what: "an INT wire shorted to ground",
    begin: (chip) => {
      chip.faults.interruptStuckHigh = false;
      chip.refreshInterrupt();
    },
    end: (chip) => {
      chip.faults.interruptStuckHigh = undefined;
      chip.refreshInterrupt();
    },
    lastsMs: 1000,
    counters: [],
  },
  {
    what: "all errata at their worst",
    begin: (chip) => {
      Object.assign(chip.rates, WORST);
      // Chance decides whether a link pulse meets a frame (erratum 13); these are there in any case.
      chip.faults.lateCollisions = 2;
    },
    end: (chip) => Object.assign(chip.rates, DEFAULT_RATES),
    lastsMs: 1500,
    counters: ["txRetries", "txResets"],
  },
  {
    what: "excessive collisions",
    begin: (chip) => (chip.faults.collisions = 40),
    counters: ["txErrors", "txResets"],
  },
  {
    what: "late collisions, as with a partner forced to full duplex",
    begin: (chip) => (chip.faults.lateCollisions = 60),
    counters: ["txRetries", "txErrors"],
  },
  {
    what: "transmitters that never end",
    begin: (chip) => (chip.faults.stuckTransmits = 3),
    counters: ["txTimeouts", "txResets"],
  },
  {
    what: "next packet pointers that cannot be",
    begin: (chip) => (chip.faults.badNextPointers = 3),
    counters: ["rxBadHeader", "rxResets"],
  },
  {
    what: "byte counts that cannot be",
    begin: (chip) => (chip.faults.badByteCounts = 2),
    counters: ["rxBadHeader", "rxResets"],
  },
  {
    what: "a PHY that changes its duplex mode by an upset bit",
    begin: (chip) => chip.upsetPhy(PHY.PHCON1, 0x0100),
    counters: ["reinits"],
  },
  {
    what: "a power save bit that is upset",
    begin: (chip) => chip.upset("ECON2", 0x20),
    counters: ["reinits"],
  },
];
