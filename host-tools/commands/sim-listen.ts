/** Tells which forwarded ports lead somewhere: an address is printed when the device listens there, not before. */
import type { Gateway } from "../net/gateway.js";
import type { Station } from "../net/listen-probe.js";
import type { Forward } from "../net/net-options.js";
import type { Clock } from "../sim/types.js";
import type { SimOutput } from "./sim-output.js";

/** Ports that are closed are looked at again after this time, which doubles. */
const AGAIN_MS = 250;
const AGAIN_MS_MAX = 30_000;

/** Tells the forwards of a device that has its address now; `current` becomes false when it gets another one. */
export async function announce(
  world: { gateway: Gateway; clock: Clock; output: SimOutput },
  device: Station & { name: string | undefined },
  forwards: readonly Forward[],
  current: () => boolean,
): Promise<void> {
  const { gateway, clock, output } = world;
  if (output.json) {
    output.ready(device.address, forwards, device.name);
    return;
  }
  let closed = [...forwards];
  const takeOpen = async (): Promise<Forward[]> => {
    const looks = closed.map(async (forward) => {
      // Nothing tells about UDP.
      return forward.protocol === "udp" || (await gateway.listens(device, forward.devicePort));
    });
    const open = await Promise.all(looks);
    const found = closed.filter((_, i) => open[i]);
    closed = closed.filter((_, i) => !open[i]);
    return found;
  };
  output.ready(device.address, await takeOpen(), device.name);
  for (let ms = AGAIN_MS; closed.length > 0 && current(); ms = Math.min(2 * ms, AGAIN_MS_MAX)) {
    await new Promise<void>((resolve) => clock.schedule(ms * 1e6, resolve));
    for (const forward of await takeOpen()) output.forward(device.address, forward, device.name);
  }
}
