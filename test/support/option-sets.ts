/**
 * The sets of options that tests of the hosted stack share. Each set is a program of its own, compiled twice (WebAssembly
 * and the guarded native build), so a test takes one of these unless it is about the very number.
 */
import { BUILDS } from "../../host-tools/simulate/scenario.js";
import { OPTIONS, type Options } from "../../stack/options.js";

/** Small tables, rings smaller than a segment; no fragments, timestamps or urgent data. */
export const TIGHT = BUILDS.tight;

/** Many connections, each with room for many segments; NewReno, ECN. */
export const BIG = BUILDS.big;

/** Two LANs: a second interface, routes, groups. */
export const TWO_LANS = { INTERFACES: 2, ROUTES: 3, MULTICAST_GROUPS: 2 } as const;

/** What an application has that says nothing about the stack, without a lease: `deviceStack()` (tcp-peer.ts) starts from it. */
export const PACKAGE = { ...OPTIONS, DHCP: 0 };

/** The sets that most tests take, that of the hosted stack first: those that `npm test` also builds guarded. */
export const SHARED: readonly Partial<Options>[] = [
  {},
  TWO_LANS,
  ...[{}, TIGHT, BIG].map((set) => ({ ...PACKAGE, ...set })),
];
