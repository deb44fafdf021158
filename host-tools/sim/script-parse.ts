/**
 * The script of `sim --net none --script FILE`: what happens to the device, line by line (docs/simulator.md). Read here, with file and
 * line of each mistake, and run by script-run.ts.
 */
import { nearest } from "../build/apps.js";
import { UserError } from "../errors.js";

/** What a line does. */
export type ScriptAction =
  | { verb: "press"; ms: number }
  | { verb: "pin"; pin: number; high: boolean | undefined }
  | { verb: "cable"; plugged: boolean }
  | { verb: "frame"; data: Uint8Array }
  | { verb: "udp"; port: number; data: Uint8Array }
  | { verb: "connect"; port: number }
  | { verb: "send"; data: Uint8Array }
  | { verb: "close" }
  | { verb: "expect"; what: "log" | "udp" | "tcp"; data: Uint8Array; withinMs: number }
  | { verb: "expect"; what: "led"; lit: boolean; withinMs: number }
  | { verb: "end" };

/** A line of the script. */
export interface ScriptStep {
  /** Where it stands, as `check.script:4`. */
  at: string;
  /** Not before this time since power-on, or since the line before. */
  time: { ms: number; relative: boolean };
  /** Of several devices: the one that it is about. */
  device?: string | undefined;
  action: ScriptAction;
}

/** Longest wait of a line that says nothing of its own, simulated ms. */
const WITHIN_MS = 10_000;
const PRESS_MS = 100;
const FRAME_BYTES = [14, 1518] as const;

/** Verbs, and how each is written. */
const FORMS: Record<string, string> = {
  press: "press [SECONDS]",
  pin: "pin NUMBER high|low|free",
  cable: "cable in|out",
  frame: "frame HEX",
  udp: "udp PORT DATA",
  connect: "connect PORT",
  send: "send DATA",
  close: "close",
  expect: "expect log|udp|tcp DATA [within SECONDS], or expect led on|off [within SECONDS]",
  end: "end",
};

/** Verbs that are about one device. */
const OF_A_DEVICE = ["press", "pin", "cable", "udp", "connect"];

/**
 * Reads a script; `name` is that of the file, for messages, `devices` are the names of several devices.
 *
 * @throws UserError, one line with file and line.
 */
export function parseScript(
  text: string,
  name: string,
  devices: readonly string[] = [],
): ScriptStep[] {
  const steps: ScriptStep[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const at = `${name}:${index + 1}`;
    const words = wordsOf(line, at);
    if (words.length === 0) continue;
    const time = timeOf(words);
    const device = deviceOf(words, devices, at);
    const action = actionOf(words, at);
    const { verb } = action;
    const ofOne = OF_A_DEVICE.includes(verb) || (verb === "expect" && action.what === "led");
    if (device === undefined && devices.length > 0 && ofOne) {
      const example = `${devices[0]}: ${words.join(" ")}`;
      throw new UserError(`${at}: which device? Write it first, as in ${example}`);
    }
    if (device !== undefined && !ofOne && (verb !== "expect" || action.what !== "log")) {
      throw new UserError(
        `${at}: '${words.join(" ")}' is not about one device; leave ${device}: out`,
      );
    }
    steps.push({ at, time, device, action });
  }
  if (steps.length === 0) throw new UserError(`${name} has no line that does anything`);
  return steps;
}

/** Words of a line, texts in quotation marks as they stand there; what follows a # is a comment. */
function wordsOf(line: string, at: string): string[] {
  const words: string[] = [];
  const word = /\s*(?:(#.*)|("(?:[^"\\]|\\.)*")(?=\s|$)|([^\s"#]+)(?=\s|$))/y;
  while (/\S/.test(line.slice(word.lastIndex))) {
    const start = word.lastIndex;
    const match = word.exec(line);
    if (!match) throw new UserError(`${at}: cannot read '${line.slice(start).trim()}'`);
    if (match[1] !== undefined) break;
    words.push((match[2] ?? match[3]) as string);
  }
  return words;
}

/** Takes the time off the beginning of a line. */
function timeOf(words: string[]): ScriptStep["time"] {
  const match = /^(\+?)(\d+(?:\.\d+)?)$/.exec(words[0] as string);
  if (!match) return { ms: 0, relative: true };
  words.shift();
  return { ms: Number(match[2]) * 1000, relative: match[1] === "+" };
}

/** Takes the name of a device off the beginning of a line: `web: press`. */
function deviceOf(words: string[], devices: readonly string[], at: string): string | undefined {
  const name = /^(.+):$/.exec(words[0] ?? "")?.[1];
  if (name === undefined || devices.length === 0) return undefined;
  words.shift();
  if (devices.includes(name)) return name;
  const hint = nearest(name, devices) || `; there are: ${devices.join(", ")}`;
  throw new UserError(`${at}: no device is named '${name}'${hint}`);
}

function actionOf(words: string[], at: string): ScriptAction {
  const [verb = "", ...rest] = words;
  if (!Object.hasOwn(FORMS, verb)) {
    const known = Object.keys(FORMS);
    const hint = nearest(verb, known) || `; there are: ${known.join(", ")}`;
    throw new UserError(`${at}: unknown word '${verb}'${hint}`);
  }
  const action = read(verb, rest);
  if (action) return action;
  throw new UserError(`${at}: cannot read '${words.join(" ")}'; write ${FORMS[verb]}`);
}

function read(verb: string, rest: string[]): ScriptAction | undefined {
  if (verb === "expect") return readExpect(rest);
  const [first = "", second = ""] = rest;
  const wanted = { press: Math.min(rest.length, 1), pin: 2, udp: 2, close: 0, end: 0 }[verb] ?? 1;
  if (rest.length !== wanted) return undefined;
  switch (verb) {
    case "press": {
      const ms = rest.length === 0 ? PRESS_MS : secondsOf(first);
      return ms === undefined ? undefined : { verb, ms };
    }
    case "pin": {
      const levels = { high: true, low: false, free: undefined };
      if (!/^\d{1,2}$/.test(first) || Number(first) > 31 || !Object.hasOwn(levels, second))
        return undefined;
      return { verb, pin: Number(first), high: levels[second as keyof typeof levels] };
    }
    case "cable":
      return first === "in" || first === "out" ? { verb, plugged: first === "in" } : undefined;
    case "frame": {
      const data = /^(?:[0-9a-f]{2})+$/i.test(first) ? Buffer.from(first, "hex") : undefined;
      const fits = data && data.length >= FRAME_BYTES[0] && data.length <= FRAME_BYTES[1];
      return fits ? { verb, data } : undefined;
    }
    case "udp": {
      const [port, data] = [portOf(first), dataOf(second)];
      return port && data ? { verb, port, data } : undefined;
    }
    case "connect": {
      const port = portOf(first);
      return port ? { verb, port } : undefined;
    }
    case "send": {
      const data = dataOf(first);
      return data ? { verb, data } : undefined;
    }
    default:
      return { verb: verb as "close" | "end" };
  }
}

function readExpect(words: string[]): ScriptAction | undefined {
  const [what, text = "", within, seconds = "", ...more] = words;
  const withinMs = within === undefined ? WITHIN_MS : secondsOf(seconds);
  if ((within !== undefined && within !== "within") || withinMs === undefined || more.length > 0) {
    return undefined;
  }
  if (what === "led") {
    const known = text === "on" || text === "off";
    return known ? { verb: "expect", what, lit: text === "on", withinMs } : undefined;
  }
  const data = dataOf(text);
  if (!data || (what !== "log" && what !== "udp" && what !== "tcp")) return undefined;
  return { verb: "expect", what, data, withinMs };
}

function secondsOf(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) && Number(text) > 0 ? Number(text) * 1000 : undefined;
}

function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= 65535 ? port : undefined;
}

/** A text in quotation marks, with the escapes of JSON, or `hex:` and digits. */
function dataOf(text: string): Uint8Array | undefined {
  const hex = /^hex:((?:[0-9a-f]{2})+)$/i.exec(text)?.[1];
  if (hex !== undefined) return Buffer.from(hex, "hex");
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" && value !== "" ? Buffer.from(value) : undefined;
  } catch {
    return undefined;
  }
}
