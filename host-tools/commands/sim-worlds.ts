/** The worlds that a simulation can run in, by what `--net` says. */
import { formatAddress, type Mac } from "../net/addresses.js";
import { Gateway } from "../net/gateway.js";
import { hostedFirmware } from "../net/hosted-stack.js";
import { StreamAdapter } from "../net/stream.js";
import type { TapAdapter } from "../net/tap.js";
import { GATEWAY_MAC } from "../sim/world-lan.js";
import type { NamedSpec } from "../sim/world-several.js";
import { PacedWorld, startSeveral, startVirtual, type DeviceThread } from "../sim/world-threads.js";
import { addressOf } from "./sim-devices.js";
import { announce } from "./sim-listen.js";
import type { SimOptions } from "./sim-options.js";
import type { SimOutput } from "./sim-output.js";
import type { Ready } from "./sim-watch.js";

/** Time for the device to say that it has its address, before others say what to do with it. */
const READY_MS = 50;

/** A world that runs, and how to leave it. */
export interface Running {
  threads: DeviceThread[];
  /** What the network has to say about the end, if it was the network that ended the run. */
  failure: () => string | undefined;
  /** Frames that have gone over the network; undefined where no network of this computer is joined. */
  frames: () => number | undefined;
  close: () => void;
}

/** Starts the devices. */
export function startWorld(
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

/** The devices and their network in virtual time. */
async function startAlone(
  options: SimOptions,
  ready: Ready[],
  output: SimOutput,
): Promise<Running> {
  const { subnet, impairments, script } = options;
  const gateway = await hostedFirmware();
  const named: NamedSpec[] = ready.flatMap(({ device: { name, link }, spec }) =>
    name === undefined ? [] : { name, spec, impairments: { ...impairments, ...link } },
  );
  const threads =
    named.length > 0
      ? [
          startSeveral(
            named,
            { gateway, subnet, script, reserved: reservedAddresses(ready) },
            output.eventsOfAll(),
          ),
        ]
      : ready.map(({ spec }) =>
          startVirtual(spec, { gateway, subnet, impairments, script }, output.events()),
        );
  return {
    threads,
    failure: () => undefined,
    frames: () => undefined,
    close: () => undefined,
  };
}

/** Addresses that DHCP keeps for devices that have names. */
function reservedAddresses(ready: Ready[]): Map<Mac, number> {
  const reserved = new Map<Mac, number>();
  for (const [i, { device }] of ready.entries()) {
    const { name, settings } = device;
    if (name !== undefined && settings.mac !== undefined) {
      reserved.set(settings.mac, addressOf(device, i));
    }
  }
  return reserved;
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
  const reserved = reservedAddresses(ready);
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
