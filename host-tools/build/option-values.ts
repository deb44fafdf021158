import { RANGES, type OptionName, type Options } from "../../stack/options.js";

/** What is wrong with a value, as the end of a sentence; undefined when it may be so. */
export function optionFault(name: OptionName, value: number): string | undefined {
  const range = RANGES[name];
  if (range === undefined) return undefined;
  const { min = 0, max, step = 1, ring = false, why } = range;
  const inside = value >= min && value <= max && value % step === 0;
  if (inside && !(ring && (value & (value - 1)) !== 0)) return undefined;
  const kind = ring ? "a power of two " : step > 1 ? `a multiple of ${step} ` : "";
  return `must be ${kind}from ${min} to ${max} (${why})`;
}

/** What is wrong with values that go together; undefined when nothing is. */
export function optionsFault(options: Options): string | undefined {
  const { TCP_TCBS, TCP_SYN_RECORDS, TCP_TIME_WAIT_RECORDS } = options;
  if (TCP_TCBS + TCP_SYN_RECORDS + TCP_TIME_WAIT_RECORDS <= 65000) return undefined;
  return "build options TCP_TCBS, TCP_SYN_RECORDS and TCP_TIME_WAIT_RECORDS together may be 65000 at most (numbered with two bytes)";
}

/**
 * What a record's number is stored as: a byte tells 255 apart, and besides those of connections the stack has five timers of
 * its own and two for each interface (stack/time/timers.ts).
 */
export function recordNumberType(options: Options): "u8" | "u16" {
  const connections = options.TCP_TCBS + options.TCP_SYN_RECORDS + options.TCP_TIME_WAIT_RECORDS;
  const most = Math.max(
    connections + 5 + 2 * options.INTERFACES,
    options.SOCKETS + 1,
    options.UDP_SOCKETS,
    options.TCP_LISTENERS + 1,
    options.LOCAL_SOCKETS,
    options.RING_ENTRIES,
  );
  return most > 255 ? "u16" : "u8";
}

/** The module "options" of device code: values as constants, which cost nothing where they switch something off. */
export function optionsModule(options: Options): string {
  const constants = Object.entries(options).map(
    ([name, value]) => `export const ${name}: u32 = ${value};`,
  );
  return `export namespace OPTIONS { ${constants.join(" ")} }
export type RecordNumber = ${recordNumberType(options)};
`;
}
