import type { Firmware } from "../../host-tools/build/compile.js";
import type { Mac } from "../../host-tools/net/addresses.js";
import { HostedStack } from "../../host-tools/net/hosted-stack.js";
import { Scripts } from "../../host-tools/net/scripts.js";
import type { EthernetSwitch } from "../../host-tools/net/switch.js";
import type { Clock } from "../../host-tools/sim/types.js";

export type { Script } from "../../host-tools/net/scripts.js";

export interface PeerOptions {
  firmware: Firmware;
  clock: Clock;
  ethernet: EthernetSwitch;
  mac: Mac;
  address: number;
  /** Default router; 0 = none. */
  gateway?: number;
  seed: number;
}

/** A hosted stack as a station of a simulated network, with scripts that use its sockets as a program would. */
export class Peer extends Scripts {
  constructor({ firmware, clock, ethernet, mac, address, gateway = 0, seed }: PeerOptions) {
    const port = ethernet.attach(`peer ${mac.toString(16)}`, (frame) => stack.receive(frame));
    const stack = new HostedStack(firmware, {
      clock,
      mac,
      address,
      gateway,
      seed,
      send: port.send,
    });
    super(stack, clock);
  }
}
