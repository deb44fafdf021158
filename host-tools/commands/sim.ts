import type { Command } from "commander";
import { appTitle } from "../build/apps.js";
import { loadBoard, type Board } from "../build/boards.js";
import {
  compileFirmware,
  requireProgram,
  type CompileRequest,
  type Firmware,
} from "../build/compile.js";
import { UserError } from "../errors.js";
import { formatAddress, type Mac } from "../net/addresses.js";
import { Gateway } from "../net/gateway.js";
import { hostedFirmware } from "../net/hosted-stack.js";
import { StreamAdapter } from "../net/stream.js";
import { TapAdapter } from "../net/tap.js";
import { encodeSettings } from "../settings.js";
import { isSimulated } from "../sim/machine-load.js";
import type { DeviceSpec, RunResult } from "../sim/world-device.js";
import { GATEWAY_MAC } from "../sim/world-lan.js";
import { onStop } from "../terminal.js";
import { PacedWorld, startVirtual, type DeviceThread } from "../sim/world-threads.js";
import { addressOf, fileOf, type SimDevice } from "./sim-devices.js";
import { endOf, judge } from "./sim-judge.js";
import { announce } from "./sim-listen.js";
import { Rebuilder, type Ready } from "./sim-watch.js";
import { WatchCompiler } from "./watch-compiler.js";
import { SimOutput } from "./sim-output.js";
import {
  addSimOptions,
  parseSimOptions,
  type RawSimOptions,
  type SimOptions,
} from "./sim-options.js";

/** Time for the device to say that it has its address, before others say what to do with it. */
const READY_MS = 50;

/** `as-tcpip sim`: any application on any board that can be simulated. */
export function register(program: Command): void {
  addSimOptions(
    program.command("sim").description("run an application on a simulated board"),
  ).action((raw: RawSimOptions) => runSimulation(parseSimOptions(raw)));
}

/** A world that runs, and how to leave it. */
interface Running {
  threads: DeviceThread[];
  /** What the network has to say about the end, if it was the network that ended the run. */
  failure: () => string | undefined;
  /** Frames that have gone over the network; undefined where a device is alone. */
  frames: () => number | undefined;
  close: () => void;
}

/** Runs a simulation to its end; the exit code is 0 unless a device failed or an expected text did not come. */
export async function runSimulation(options: SimOptions): Promise<void> {
  const output = new SimOutput(options);
  const { net, subnet, devices } = options;
  const boards = devices.map(({ board }) => simulatedBoard(board));
  // Rights first: they are missing more often than firmware is wrong, and compiling takes longer.
  const tap = net.kind === "tap" ? await TapAdapter.open(net.name, subnet) : undefined;
  for (const { app } of devices) requireProgram(app);
  devices.forEach(({ app, name }, i) => output.begin(boards[i] as Board, appTitle(app), name));
  if (!options.watch) {
    await runOnce(options, await buildAll(options, compileEach), output, tap);
    return;
  }
  const compiler = new WatchCompiler();
  const build = (): Promise<Ready[]> =>
    buildAll(options, (requests) =>
      compiler.compile(requests.map((request) => ({ ...request, draft: true }))),
    );
  let rebuilder: Rebuilder | undefined;
  try {
    let ready = await build();
    rebuilder = new Rebuilder(ready, build, output);
    for (;;) {
      const next = await runOnce(options, ready, output, tap, rebuilder.next());
      if (next === undefined) return;
      ready = next;
    }
  } finally {
    rebuilder?.close();
    await compiler.close();
  }
}

type Compile = (requests: CompileRequest[]) => Promise<Firmware[]>;

const compileEach: Compile = async (requests) => {
  const firmware: Firmware[] = [];
  for (const request of requests) firmware.push(await compileFirmware(request));
  return firmware;
};

async function buildAll(options: SimOptions, compile: Compile): Promise<Ready[]> {
  const { devices } = options;
  const firmware = await compile(
    devices.map(({ board, app, options: own }) => ({
      ...{ board, app },
      options: { ...own, ...options.options },
    })),
  );
  return devices.map((device, i) => ({
    device,
    spec: specOf(options, device, i, firmware[i] as Firmware),
  }));
}

/** Runs until the end, or until there is another firmware, which is then the result. */
async function runOnce(
  options: SimOptions,
  ready: Ready[],
  output: SimOutput,
  tap: TapAdapter | undefined,
  rebuilt: Promise<Ready[]> = new Promise(() => undefined),
): Promise<Ready[] | undefined> {
  const running = await start(options, ready, output, tap);
  const halt = (): void => running.threads.forEach((thread) => thread.stop());
  let interrupt: (nothing: undefined) => void = () => undefined;
  const interrupted = new Promise<undefined>((resolve) => (interrupt = resolve));
  const stop = (): void => {
    interrupt(undefined);
    halt();
  };
  const restore = onStop(
    stop,
    buttonKeys(ready, running.threads, output, options.net.kind === "none"),
  );
  output.onClosed = stop;
  let limited = false;
  const limit = setTimeout(
    () => {
      limited = true;
      stop();
    },
    (options.limit ?? 0) * 1000,
  );
  if (options.limit === undefined) clearTimeout(limit);
  const ends = firstEnd(running.threads, options.devices);
  try {
    const first = await Promise.race([ends, rebuilt]);
    if (Array.isArray(first)) {
      halt();
      await ends;
      return first;
    }
    const { result: end, name } = first;
    const result: RunResult =
      limited && end.reason === "stopped" ? { ...end, reason: "limit" } : end;
    output.ended(result, running.frames(), name);
    if (options.watch && (result.reason === "trap" || result.reason === "hung")) {
      output.note(`${endOf(result, name)}; it starts again with the next change.`);
      return await Promise.race([rebuilt, interrupted]);
    }
    judge(options, result, running.failure(), name);
    return undefined;
  } finally {
    clearTimeout(limit);
    restore();
    running.close();
  }
}

/** True for a firmware that reads a pin. */
function hasButton(firmware: Firmware): boolean {
  return Buffer.from(firmware.wasm).includes("gpioRead");
}

/** Keys press buttons: b that of the first device that has one, of several 1 to 9 that of the device of this number. */
function buttonKeys(
  ready: Ready[],
  threads: DeviceThread[],
  output: SimOutput,
  virtual: boolean,
): (key: string) => void {
  const first = ready.findIndex(({ spec }) => hasButton(spec.firmware));
  // In virtual time nobody could be quick enough.
  if (first < 0 || virtual) return () => undefined;
  const name = ready[first]?.device.name;
  output.note(
    name === undefined
      ? "Key b presses the button."
      : `Key b presses the button of ${name}; 1 to ${Math.min(9, ready.length)} that of each device.`,
  );
  return (key) => threads[key === "b" ? first : Number(key) - 1]?.press();
}

function simulatedBoard(name: string): Board {
  const board = loadBoard(name);
  if (isSimulated(board.target) && board.chip !== "none") return board;
  throw new UserError(
    `the board ${name} cannot be simulated; use --board virtual-w5500 or virtual-enc28j60`,
  );
}

function specOf(
  options: SimOptions,
  device: SimDevice,
  index: number,
  firmware: Firmware,
): DeviceSpec {
  const { settings } = device;
  return {
    firmware,
    settings: encodeSettings(settings),
    seed: (options.seed + index) >>> 0,
    pcap: fileOf(options.pcap, device),
    vcd: fileOf(options.vcd, device),
    timeoutNs: options.timeoutNs,
    expect: options.expect,
    failText: options.failText,
  };
}

/** The first device that ends, ends the run; the others are stopped. */
async function firstEnd(
  threads: DeviceThread[],
  devices: SimDevice[],
): Promise<{ result: RunResult; name: string | undefined }> {
  const ends = threads.map(async (thread, i) => ({
    result: await thread.ended,
    name: devices[i]?.name,
  }));
  try {
    return await Promise.race(ends);
  } finally {
    for (const thread of threads) thread.stop();
    await Promise.allSettled(ends);
  }
}

function start(
  options: SimOptions,
  ready: Ready[],
  output: SimOutput,
  tap: TapAdapter | undefined,
): Promise<Running> {
  switch (options.net.kind) {
    case "none":
      return startAlone(options, ready, output);
    case "forward":
      return startForward(options, ready, output);
    case "tap":
    case "stream":
      return startJoined(options, ready, output, tap);
  }
}

/** The device and its network in virtual time. */
async function startAlone(
  options: SimOptions,
  ready: Ready[],
  output: SimOutput,
): Promise<Running> {
  const { subnet, impairments, script } = options;
  const gateway = await hostedFirmware();
  const threads = ready.map(({ spec }) =>
    startVirtual(spec, { gateway, subnet, impairments, script }, output.events()),
  );
  return {
    threads,
    failure: () => undefined,
    frames: () => undefined,
    close: () => undefined,
  };
}

/** The devices behind the gateway, with ports of this computer that lead to them. */
async function startForward(
  options: SimOptions,
  ready: Ready[],
  output: SimOutput,
): Promise<Running> {
  const forwards = options.net.kind === "forward" ? options.net.forwards : [];
  const { seed, subnet, impairments, resolvers, movable } = options;
  const addresses = new Map<string | undefined, number>();
  const reserved = new Map<Mac, number>();
  for (const [i, { device }] of ready.entries()) {
    const { name, settings } = device;
    if (name !== undefined && settings.mac !== undefined) {
      reserved.set(settings.mac, addressOf(device, i));
    }
  }
  const gatewayFirmware = await hostedFirmware();
  const world = new PacedWorld({ seed, subnet, impairments, gateway: gatewayFirmware, reserved });
  const stack = world.lan.gateway;
  if (!stack) throw new Error("the world has no gateway");
  const gateway = new Gateway({
    ...{ stack, clock: world.clock, mac: GATEWAY_MAC, subnet, forwards, resolvers, movable },
    send: world.lan.sendFromGateway,
    device: (name) => addresses.get(name),
  });
  world.lan.toGateway = (frame) => gateway.receive(frame);
  const close = (): void => {
    gateway.close();
    world.close();
  };
  try {
    await gateway.open();
  } catch (error) {
    close();
    throw error;
  }
  gateway.forwards.forEach(({ hostPort }, i) => {
    const asked = forwards[i]?.hostPort as number;
    if (hostPort !== asked)
      output.note(`Port ${asked} of 127.0.0.1 is in use; ${hostPort} is taken for it.`);
  });
  const threads = ready.map(({ device: { name, settings, link = {} }, spec }) =>
    world.start(spec, {
      ...output.events(name),
      impairments: { ...impairments, ...link },
      ...(name !== undefined && { name }),
      onAddress: (address) => {
        addresses.set(name, address);
        gateway.progress();
        const mine = gateway.forwards.filter(({ device }) => device === name);
        const station = { name, address, mac: settings.mac ?? 0 };
        const current = (): boolean => addresses.get(name) === address;
        const tell = (): void =>
          void announce({ gateway, clock: world.clock, output }, station, mine, current);
        // The device is about to log its address; what follows from it reads better behind that line.
        setTimeout(tell, READY_MS).unref();
      },
    }),
  );
  return { threads, failure: () => undefined, frames: () => world.lan.ethernet.frames, close };
}

/** The devices joined to an interface of Linux or to another program. */
async function startJoined(
  options: SimOptions,
  ready: Ready[],
  output: SimOutput,
  tap: TapAdapter | undefined,
): Promise<Running> {
  const { net, subnet, seed, impairments } = options;
  // An interface that was made for this run is a network of our own, where the device may be given its address.
  const world = new PacedWorld({ seed, subnet, impairments, dhcp: tap?.created ?? false });
  let failure: string | undefined;
  let stream: StreamAdapter | undefined;
  const threads: DeviceThread[] = [];
  tap?.attach(world.lan.ethernet);
  if (net.kind === "stream") {
    stream = await StreamAdapter.open(net.endpoint, world.lan.ethernet);
    stream.onEnd = (message) => {
      failure = message;
      for (const thread of threads) thread.stop();
    };
  }
  for (const { device, spec } of ready) {
    const { name, link = {} } = device;
    const events = { ...output.events(name), ...(name !== undefined && { name }) };
    threads.push(world.start(spec, { ...events, impairments: { ...impairments, ...link } }));
  }
  if (tap) output.note(describeTap(tap, options));
  return {
    threads,
    failure: () => failure,
    frames: () => world.lan.ethernet.frames,
    close: () => {
      tap?.close();
      stream?.close();
      world.close();
    },
  };
}

function describeTap(tap: TapAdapter, { subnet }: SimOptions): string {
  return tap.created
    ? `this computer is ${formatAddress(subnet.address)} on ${tap.name}`
    : `joined to ${tap.name} as it is; 'ip addr add' gives it an address if it has none`;
}
