import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import { runTool } from "./tools.js";
import { writeFile } from "../../project/write-file.js";

/**
 * Functions that are called from one place in a hot one, and seldom. gcc would put them into it, where they cost registers: a Cortex-M0+
 * has eight that count. Outside, and not counted as likely, they leave these to what is done for each packet.
 */
export const OUTLINED = [
  "hal/cpu/cortex-m0plus/checksumAny",
  "stack/ip/ipv4-output/routeAnew",
  "stack/link/device/linkMayWait",
  "stack/link/device/writeElsewhere",
  "stack/socket/socket/acceptFirst",
  "stack/socket/socket/sockAccept",
  "stack/tcp/acknowledge/acknowledge",
  "stack/tcp/output/outputAny",
  "stack/tcp/promote/promoteWaiting",
  "stack/tcp/send/sendFull",
  "stack/tcp/send-queue/sendQueueSum",
  "stack/tcp/send-queue/sendQueueWrite",
  "stack/udp/transfer/route",
];

/**
 * Functions that gcc would put into each of their many callers: an image for a size (-Os) has them once. Its estimate of what a call
 * costs does not count the literals that the copies need.
 */
export const SHARED = [
  "drivers/counters/count",
  "drivers/enc28j60/transmit/slotAddress",
  "drivers/w5500/recovery/needRecovery",
  "firmware/net/assets/sameBytes",
  "firmware/net/sockets/send",
  "firmware/services/client/enterPhase",
  "firmware/services/clients/pollAt",
  "firmware/services/http/message/isValueByte",
  "firmware/services/http/routes/routeMethods",
  "firmware/services/scratch/drop",
  "firmware/services/status/fields/goTo",
  "firmware/services/writer/writeTo",
  "firmware/services/writer/written",
  "hal/stm32f1/gpio/pinMode",
  "stack/arp/acd/acdStop",
  "stack/arp/cache/setState",
  "stack/arp/input/arpInput",
  "stack/demux/frameLater",
  "stack/dhcp/lease/leaseWithin",
  "stack/dns/entries/entryAt",
  "stack/dns/message/holdsFor",
  "stack/dns/message/load16",
  "stack/link/device/linkReadSummed",
  "stack/stack/framesInput",
  "stack/stack/takeNews",
  "stack/statistics/count",
  "stack/tcp/acknowledge/noteWindow",
  "stack/tcp/congestion/initialWindow",
  "stack/tcp/connection/bucket",
  "stack/tcp/cut/cutOf",
  "stack/tcp/emit/fill",
  "stack/tcp/emit/sendAnswer",
  "stack/tcp/emit/sendOfRecord",
  "stack/tcp/input/segmentInput",
  "stack/tcp/lifecycle/noteFree",
  "stack/tcp/lifecycle/tcbInit",
  "stack/tcp/patience/patienceOf",
  "stack/tcp/ranges/listOf",
  "stack/tcp/receive-window/crowded",
  "stack/tcp/receive-window/receivedSize",
  "stack/tcp/sack/listOf",
  "stack/tcp/segment/segmentLength",
  "stack/tcp/send-queue/piece",
  "stack/tcp/send-times/timesOf",
  "stack/tcp/timestamps/timestampNow",
  "stack/time/timers/set",
  "stack/udp/slots/bucket",
  "stack/wire/checksum/sumFold",
];

/**
 * Functions that give the place of a record by its number, which hangs on nothing else: once within a function is enough. gcc does not see it,
 * since they assert something. An image for a size has them once.
 */
export const PLACES = [
  "stack/socket/table/socketAt",
  "stack/tcp/connection/connectionAt",
  "stack/tcp/connection/synRecordAt",
  "stack/tcp/connection/tcbAt",
  "stack/tcp/connection/timeWaitAt",
  "stack/tcp/listener/listenerAt",
  "stack/udp/slots/udpSlot",
];

/**
 * Functions that are called often, but better called than copied into the callers, which then have their registers to themselves, however
 * the image is optimised.
 */
export const CALLED = [
  "firmware/bench/main/serveFrom",
  "stack/tcp/input-ends/closingInput",
  "stack/tcp/input-ends/handshakeInput",
  "stack/tcp/pending/pendingAdd",
];

/**
 * Short functions, or such with one caller in a hot path, that gcc would call though they cost less in their callers: 3 % of the echo of 64
 * bytes. An image for a size (-Os) is left to gcc.
 */
export const INLINED = [
  "stack/ip/ipv4-output/ipHeader",
  "stack/ip/ipv4-output/ipHeadersWrite",
  "stack/ip/ipv4-output/ipRoute",
  "stack/link/device/linkWrite",
  "stack/readiness/ready",
  "stack/readiness/readyTake",
  "stack/socket/table/socketIndex",
  "stack/tcp/acknowledge/acknowledgePlain",
  "stack/tcp/acknowledge/takeSample",
  "stack/tcp/congestion/congestionInit",
  "stack/tcp/congestion/congestionOpen",
  "stack/tcp/emit/recordSend",
  "stack/tcp/emit/synAckOutput",
  "stack/tcp/emit/writeOptions",
  "stack/tcp/lifecycle/tcbsFree",
  "stack/tcp/listener/acceptQueueAdd",
  "stack/tcp/output-plain/sentNew",
  "stack/tcp/pending/pendingRemove",
  "stack/tcp/promote/promoteCommit",
  "stack/tcp/receive-window/receiveWindow",
  "stack/tcp/syn-records/synRecordFill",
  "stack/tcp/synchronized/textCount",
  "stack/tcp/tail-loss/retransmissionStart",
  "stack/tcp/timers/entryUpTo",
  "stack/tcp/timers/synRecordTimer",
  "stack/tcp/user/tcpReceive",
  "stack/udp/input/udpPlace",
];

/**
 * Variables that each packet asks for. They come first in the record of the program's variables: a Thumb load reaches the first 31 by
 * itself, and takes two instructions for any other. In an image for a size (-Os) those come first that most places ask for, as binaryen
 * orders them: 64 bytes of the stack.
 */
export const FIRST = [
  "stack/now/current",
  "stack/link/device/rxLeft",
  "stack/link/device/putBack",
  "stack/link/device/txDevice",
  "stack/link/ethernet/ethernetToMany",
  "stack/link/headers/madeFor",
  "stack/ip/ipv4-output/frameAt",
  "stack/ip/ipv4-output/addressesSum",
  "stack/arp/cache/resolved",
  "stack/interface/told",
  "stack/readiness/changes",
  "stack/readiness/news",
  "stack/readiness/first",
  "stack/readiness/taken",
  "stack/stack/asked",
  "stack/stack/told",
  "stack/stack/framesLeft",
  "stack/time/timers/armed",
  "stack/time/timers/firstDue",
  "stack/random/multiplier",
  "stack/tcp/segment/taken",
  "stack/tcp/input-fast/found",
  "stack/tcp/pending/head",
  "stack/tcp/pending/tail",
  "stack/tcp/promote/news",
  "stack/tcp/lifecycle/freed",
  "stack/tcp/syn-records/waiting",
  "stack/tcp/patience/asked",
];

/** The declaration of a function in the C that wasm2c has made. */
const DECLARATION = /^static ((?:u32|void) w2c_\w+\(.*\);)$/gm;

/** Where in the generated C the override header goes: behind wasm2c's definitions, before the first function. */
const ANCHOR = /^FUNC_TYPE_T\(/m;

/**
 * A call of the polyfill of bswap. gcc knows it for one instruction (REV) only when it has long decided what to inline, and called it
 * instead wherever two bytes would have done.
 */
const BSWAP = /w2c_\w+_0x7Elib0x2Fpolyfills0x2Fbswap0x3Cu320x3E\(instance, /g;

/** A variable that begins as 0. Start-up has cleared all of them, and each store is six bytes. */
const CLEARED = /^ {2}instance->w2c_\w+ = 0u;\n/gm;

/**
 * Translates `<name>.wasm` in a folder to `<name>.c` and `<name>.h` there, with the override header included. The
 * output's form is no stable interface of wabt: its version is pinned, and a missing anchor is an error.
 *
 * A device runs one instance: its variables become one static record, so that the compiler can drop the parameter that
 * every function has for it (900 bytes of the stack on a Cortex-M0+, 2 % of its instructions).
 */
export async function wasmToC(folder: string, name: string): Promise<void> {
  const wabt = dirname(createRequire(import.meta.url).resolve("wabt/package.json"));
  const args = [join(wabt, "bin", "wasm2c"), `${name}.wasm`, "-n", name, "-o", `${name}.c`];
  await runTool(process.execPath, args, folder);
  const file = join(folder, `${name}.c`);
  const source = readFileSync(file, "utf8");
  if (!ANCHOR.test(source)) {
    throw new Error("wasm2c writes other C than expected: no line begins with FUNC_TYPE_T(");
  }
  const only = `w2c_${name}_only`;
  const at = source.search(ANCHOR);
  const functions = source
    .slice(at)
    .replace(CLEARED, "")
    .replace(BSWAP, "__builtin_bswap32(")
    .replaceAll("instance->", `W2C_VARIABLES(${only}).`);
  const declarations = source.slice(0, at).replace(DECLARATION, (whole, declared: string) => {
    const symbol = /w2c_\w+/.exec(declared)?.[0] ?? "";
    const owner = sourceName(symbol, name) ?? "";
    if (OUTLINED.includes(owner)) return `static __attribute__((noinline, cold)) ${declared}`;
    if (CALLED.includes(owner)) return `static __attribute__((noinline)) ${declared}`;
    if (PLACES.includes(owner)) return `static W2C_SHARED __attribute__((const)) ${declared}`;
    if (INLINED.includes(owner)) return `static W2C_INLINED ${declared}`;
    return SHARED.includes(owner) ? `static W2C_SHARED ${declared}` : whole;
  });
  const header = join(folder, `${name}.h`);
  writeFile(header, ordered(readFileSync(header, "utf8"), name));
  const head = `#include "w2c-override.h"\nW2C_RECORD(w2c_${name}, ${only});\n`;
  writeFile(file, declarations + head + nearAddresses(functions));
}

/** The header with the record of variables in another order, unless it is compiled for a size. */
function ordered(header: string, name: string): string {
  const record = new RegExp(`(?<=typedef struct w2c_${name} {\n.*\n)(?:  u32 \\w+;\n)+`);
  const rank = (line: string): number => {
    const at = FIRST.indexOf(sourceName(`w2c_${name}_${line.slice(10, -1)}`, name) ?? "");
    return at < 0 ? FIRST.length : at;
  };
  return header.replace(record, (lines) => {
    const all = lines.trimEnd().split("\n");
    const sorted = all.sort((a, b) => rank(a) - rank(b)).join("\n");
    return `#ifdef __OPTIMIZE_SIZE__\n${lines}#else\n${sorted}\n#endif\n`;
  });
}

/** `var_i0 = 536871452u;` */
const CONSTANT = /^(\s*(var_i\d+) = )(\d+)u;$/;
/** Statements between a constant and the access at that address, at most. */
const APART = 40;

/**
 * Where an address is a constant, it becomes a place near a base (W2C_NEAR in w2c-override.h): addresses that are near each other then
 * share the load and the four bytes of one literal.
 */
export function nearAddresses(functions: string): string {
  const lines = functions.split("\n");
  return lines
    .map((line, at) => {
      const [, before, variable, value] = CONSTANT.exec(line) ?? [];
      if (variable === undefined) return line;
      const used = new RegExp(`\\b${variable}\\b`);
      const user = lines.slice(at + 1, at + APART).find((other) => used.test(other));
      return user?.includes(`(u64)(${variable})`) ? `${before}W2C_NEAR(${value}u);` : line;
    })
    .join("\n");
}

/**
 * The source name behind a name that wasm2c made: `w2c_app_stack0x2Ftcp0x2Finput0x2FtcpInput` is
 * `stack/tcp/input/tcpInput`. Names that are not the program's give undefined.
 */
export function sourceName(symbol: string, name = "app"): string | undefined {
  const prefix = `w2c_${name}_`;
  if (!symbol.startsWith(prefix)) return undefined;
  return symbol
    .slice(prefix.length)
    .replace(/\.(constprop|isra|part|cold|lto_priv)(\.\d+)?/g, "")
    .replace(/0x([0-9A-F]{2})/g, (_all, code: string) => String.fromCharCode(parseInt(code, 16)));
}
