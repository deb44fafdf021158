import test from "ava";
import { compileFirmware, resolveOptions, appFolder } from "../../host-tools/build/compile.js";
import { loadBoard } from "../../host-tools/build/boards.js";
import { hostedFirmware } from "../../host-tools/net/hosted-stack.js";
import { encodeSettings } from "../../host-tools/settings.js";
import { hasQemu } from "../../host-tools/sim/qemu/emulator.js";
import { hasTool, ARM_GCC } from "../../host-tools/build/device/tools.js";
import { DEFAULT_SUBNET } from "../../host-tools/sim/world-lan.js";
import { VirtualWorld } from "../../host-tools/sim/world-virtual.js";
import { DEVICE_ADDRESS, type Script } from "../apps/bench.js";
import { EthernetPeer } from "../apps/peer.js";

/** `test`, or `test.skip` where QEMU or the cross compiler is missing, so that it shows as skipped. */
export const qemuTest = hasQemu() && hasTool(ARM_GCC) ? test : test.skip;

/** Options with which the application `http` fits the 8 KB of RAM that QEMU's stm32vldiscovery has. */
export const SMALL = {
  SOCKETS: 6,
  TCP_TCBS: 2,
  TCP_LISTENERS: 2,
  TCP_SYN_RECORDS: 2,
  TCP_TIME_WAIT_RECORDS: 2,
  TCP_RX_BYTES: 512,
  TCP_TX_BYTES: 512,
  UDP_SOCKETS: 1,
};

/** A frame that a device has sent. */
export interface SentFrame {
  atNs: number;
  hex: string;
}

/**
 * Runs a demo over the same clients' conversation and gives every frame that the device has sent. `like` is the board whose
 * table sizes and SPI clock are used.
 */
export async function framesOf(
  board: string,
  like: string,
  script: (peer: EthernetPeer) => Script,
): Promise<SentFrame[]> {
  const model = loadBoard(like);
  const options = resolveOptions(model, appFolder("demo"));
  const firmware = await compileFirmware({ board, app: "demo", options });
  const { mask, address: gateway } = DEFAULT_SUBNET;
  const world = await VirtualWorld.create({
    firmware: { ...firmware, board: { ...firmware.board, spiHz: model.spiHz } },
    settings: encodeSettings({
      mac: 0x0200_0000_0042,
      address: { address: DEVICE_ADDRESS, mask, gateway, dns: 0 },
    }),
    seed: 7,
    gateway: await hostedFirmware(),
    dhcp: false,
  });
  const frames: SentFrame[] = [];
  const { wire } = world.device;
  const forward = wire.onTransmit;
  wire.onTransmit = (frame) => {
    frames.push({ atNs: world.clock.nowNs, hex: Buffer.from(frame).toString("hex") });
    forward(frame);
  };
  converse(world, script);
  const { reason, message } = world.run();
  if (reason === "trap") throw new Error(message);
  return frames;
}

/** Lets the clients' script go on whenever their stack has worked, and stops the world behind it. */
function converse(world: VirtualWorld, script: (peer: EthernetPeer) => Script): void {
  const stack = world.lan.gateway;
  if (!stack) throw new Error("the clients need a stack");
  const steps = script(new EthernetPeer(stack, world.clock));
  let wait = (): boolean => world.clock.nowNs >= 2.5e9;
  stack.onProgress = () => {
    while (wait()) {
      const next = steps.next();
      if (next.done) {
        wait = () => false;
        world.stop();
      } else {
        wait = next.value;
      }
    }
  };
  world.clock.schedule(2.5e9, () => stack.wake());
  world.clock.schedule(60e9, () => world.stop());
}
