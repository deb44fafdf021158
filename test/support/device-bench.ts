/** A device at 192.168.77.2 in virtual time, and a scripted peer at .3: the same bench for virtual and emulated boards. */
import { compileFirmware } from "../../host-tools/build/compile.js";
import { hostedFirmware, SHUT_WR } from "../../host-tools/net/hosted-stack.js";
import { PERFECT, type Impairments } from "../../host-tools/net/link.js";
import { encodeSettings } from "../../host-tools/settings.js";
import { VirtualWorld } from "../../host-tools/sim/world-virtual.js";
import type { Options } from "../../stack/options.js";
import { Peer, type Script } from "./peer.js";

export const DEVICE = 0xc0a84d02;
export const PEER = 0xc0a84d03;
const GATEWAY = 0xc0a84d01;

export interface DeviceBenchOptions {
  board: string;
  app?: string;
  impairments?: Partial<Impairments>;
  seed?: number;
  pcap?: string;
  /** Overrides of build options. */
  options?: Partial<Options>;
  /** Run a virtual board's firmware as the guarded native build. */
  native?: boolean;
  /** Simulated time after which the run is given up. */
  timeoutNs?: number;
}

export interface DeviceBench {
  world: VirtualWorld;
  peer: Peer;
}

/** Makes the device and the peer; nothing runs yet. */
export async function deviceBench(options: DeviceBenchOptions): Promise<DeviceBench> {
  const { board, app = "demo", seed = 7, pcap, timeoutNs = 100e9 } = options;
  const build = options.options ? { options: options.options } : {};
  const firmware = await compileFirmware({ board, app, ...build });
  if (options.native) firmware.board = { ...firmware.board, target: "native" as never };
  const world = await VirtualWorld.create({
    firmware,
    settings: encodeSettings({
      mac: 0x0200_0000_0002,
      address: { address: DEVICE, mask: 0xffffff00, gateway: GATEWAY, dns: 0 },
    }),
    seed,
    impairments: { ...PERFECT, ...options.impairments },
    pcap,
    timeoutNs,
  });
  const peer = new Peer({
    firmware: await hostedFirmware(),
    clock: world.clock,
    ethernet: world.lan.ethernet,
    mac: 0x0200_0000_0003,
    address: PEER,
    seed,
  });
  return { world, peer };
}

/** Sends `data` to a port, finishes, and takes all that comes back; `lingerMs` later the world stops. */
export function* talk(
  { world, peer }: DeviceBench,
  port: number,
  data: Uint8Array,
  result: { answer?: Buffer },
  lingerMs = 100,
): Script {
  // The link of a W5500 comes up after 1.6 seconds.
  yield* peer.sleep(2000);
  const fd = yield* peer.connect(DEVICE, port);
  peer.run(
    (function* (): Script {
      yield* peer.send(fd, data);
      peer.stack.shutdown(fd, SHUT_WR);
    })(),
  );
  result.answer = yield* peer.receive(fd);
  peer.stack.closeSocket(fd);
  yield* peer.sleep(lingerMs);
  world.stop();
}
