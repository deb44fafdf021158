/**
 * The sets of options that tests of the hosted stack share. Each set is a program of its own, compiled twice (WebAssembly
 * and the guarded native build), so a test takes one of these unless it is about the very number.
 */
import { BUILDS } from "../../host-tools/simulate/scenario.js";

/** Small tables, rings smaller than a segment; no fragments, timestamps or urgent data. */
export const TIGHT = BUILDS.tight;

/** Many connections, each with room for many segments; NewReno, ECN. */
export const BIG = BUILDS.big;
