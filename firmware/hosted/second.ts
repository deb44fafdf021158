import {
  ramFrameBuffer as ramFrameBuffer2,
  ramFrameIn as ramFrameIn2,
  ramFrameRoom as ramFrameRoom2,
} from "nic2";
import { INTERFACES } from "../../stack/config";
import { dhcpStart } from "../../stack/dhcp/client";
import {
  LeasedInterface,
  interfaceAt,
  interfaceInit,
  interfaceTentative,
} from "../../stack/interface";
import { stackLinkChanged } from "../../stack/stack";

/** The second interface of the hosted stack (INTERFACES 2): a wire of its own, on the same clock. */

function second(): LeasedInterface {
  return interfaceAt(INTERFACES - 1);
}

/** Starts it, after the first one: as `start` does. */
export function startSecond(
  macHigh: u32,
  macLow: u32,
  address: u32,
  mask: u32,
  gateway: u32,
): void {
  interfaceInit(second(), macHigh, macLow, 0, 0);
  stackLinkChanged(second(), true);
  if (address != 0) interfaceTentative(second(), address, mask, gateway, 0);
  else dhcpStart(second());
}

/** Its cable was plugged in (1) or pulled (0). */
export function linkChangedSecond(up: u32): void {
  stackLinkChanged(second(), up != 0);
}

/** Where to put a frame that it receives. */
export function frameInBufferSecond(): usize {
  return ramFrameBuffer2();
}

/** The frame is there; 1 = taken. */
export function frameInSecond(bytes: u32): u32 {
  return ramFrameRoom2() && ramFrameIn2(bytes) ? 1 : 0;
}

/** The address of an interface, probed or in use; 0 = none. */
export function interfaceAddress(number: u32): u32 {
  return interfaceAt(number).address;
}

/** Servers for names that the network of an interface has; 0 = none. */
export function nameServersOf(number: u32, first: u32, second: u32): void {
  interfaceAt(number).dns = first;
  interfaceAt(number).dns2 = second;
}
