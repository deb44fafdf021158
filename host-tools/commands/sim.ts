import type { Command } from "commander";
import { appTitle } from "../build/apps.js";
import { loadBoard } from "../build/boards.js";
import { compileFirmware, requireProgram, type Firmware } from "../build/compile.js";
import { UserError } from "../errors.js";
import { formatAddress } from "../net/addresses.js";
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
  thread: DeviceThread;
  /** What the network has to say about the end, if it was the network that ended the run. */
  failure: () => string | undefined;
  close: () => void;
}

/** Runs a simulation to its end; the exit code is 0 unless the device failed or an expected text did not come. */
export async function runSimulation(options: SimOptions): Promise<void> {
  const output = new SimOutput(options);
  const board = loadBoard(options.board);
  if (!isSimulated(board.target) || board.chip === "none") {
    throw new UserError(
      `the board ${options.board} cannot be simulated; use --board virtual-w5500 or virtual-enc28j60`,
    );
  }
  const { net, subnet } = options;
  // Rights first: they are missing more often than firmware is wrong, and compiling takes longer.
  const tap = net.kind === "tap" ? await TapAdapter.open(net.name, subnet) : undefined;
  requireProgram(options.app);
  output.begin(board, appTitle(options.app));
  const firmware = await compileFirmware({
    board: options.board,
    app: options.app,
    options: options.options,
  });
  const spec: DeviceSpec = {
    firmware,
    settings: encodeSettings(options.settings),
    seed: options.seed,
    pcap: options.pcap,
    vcd: options.vcd,
    timeoutNs: options.timeoutNs,
    expect: options.expect,
  };
  const running = await start(options, spec, output, tap);
  const stop = (): void => running.thread.stop();
  if (hasButton(firmware)) output.note("Key b presses the button.");
  const restore = onStop(stop, (key) => {
    if (key === "b") running.thread.press();
  });
  output.onClosed = stop;
  try {
    const result = await running.thread.ended;
    output.ended(result);
    judge(options, result, running.failure());
  } finally {
    restore();
    running.close();
  }
}

/** True for a firmware that reads a pin. */
function hasButton(firmware: Firmware): boolean {
  return Buffer.from(firmware.wasm).includes("gpioRead");
}

function start(
  options: SimOptions,
  spec: DeviceSpec,
  output: SimOutput,
  tap: TapAdapter | undefined,
): Promise<Running> {
  switch (options.net.kind) {
    case "none":
      return startAlone(options, spec, output);
    case "forward":
      return startForward(options, spec, output);
    case "tap":
    case "stream":
      return startJoined(options, spec, output, tap);
  }
}

/** The device and its network in virtual time. */
async function startAlone(
  options: SimOptions,
  spec: DeviceSpec,
  output: SimOutput,
): Promise<Running> {
  const { subnet, impairments } = options;
  const gateway = await hostedFirmware();
  const thread = startVirtual(spec, { gateway, subnet, impairments }, output.events());
  return { thread, failure: () => undefined, close: () => undefined };
}

/** The device behind the gateway, with ports of this computer that lead to it. */
async function startForward(
  options: SimOptions,
  spec: DeviceSpec,
  output: SimOutput,
): Promise<Running> {
  const forwards = options.net.kind === "forward" ? options.net.forwards : [];
  let address: number | undefined;
  const world = new PacedWorld({
    seed: options.seed,
    subnet: options.subnet,
    impairments: options.impairments,
    gateway: await hostedFirmware(),
    onAddress: (used) => {
      address = used;
      gateway.progress();
      // The device is about to log its address; what follows from it reads better behind that line.
      setTimeout(() => output.ready(used, forwards), READY_MS).unref();
    },
  });
  const stack = world.lan.gateway;
  if (!stack) throw new Error("the world has no gateway");
  const gateway = new Gateway({
    stack,
    clock: world.clock,
    mac: GATEWAY_MAC,
    subnet: options.subnet,
    send: world.lan.sendFromGateway,
    forwards,
    resolvers: options.resolvers,
    device: () => address,
  });
  world.lan.toGateway = (frame) => gateway.receive(frame);
  try {
    await gateway.open();
  } catch (error) {
    gateway.close();
    world.close();
    throw error;
  }
  const thread = world.start(spec, output.events());
  const close = (): void => {
    gateway.close();
    world.close();
  };
  return { thread, failure: () => undefined, close };
}

/** The device joined to an interface of Linux or to another program. */
async function startJoined(
  options: SimOptions,
  spec: DeviceSpec,
  output: SimOutput,
  tap: TapAdapter | undefined,
): Promise<Running> {
  const { net, subnet, seed, impairments } = options;
  // An interface that was made for this run is a network of our own, where the device may be given its address.
  const world = new PacedWorld({ seed, subnet, impairments, dhcp: tap?.created ?? false });
  let failure: string | undefined;
  let stream: StreamAdapter | undefined;
  tap?.attach(world.lan.ethernet);
  if (net.kind === "stream") {
    stream = await StreamAdapter.open(net.endpoint, world.lan.ethernet);
    stream.onEnd = (message) => {
      failure = message;
      thread.stop();
    };
  }
  const thread = world.start(spec, output.events());
  if (tap) output.note(describeTap(tap, options));
  return {
    thread,
    failure: () => failure,
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

/** Turns the end of a run into the end of the command. */
function judge(options: SimOptions, result: RunResult, failure: string | undefined): void {
  if (result.reason === "trap") throw new UserError(`the device has stopped: ${result.message}`);
  if (failure !== undefined) throw new UserError(failure);
  if (options.expect !== undefined && result.reason === "timeout") {
    const seconds = (options.timeoutNs ?? 0) / 1e9;
    throw new UserError(`'${options.expect}' did not come within ${seconds} simulated seconds`);
  }
}
