/**
 * `as-tcpip/testing`: firmware and drivers under test on this computer, in virtual time (docs/testing.md).
 */
export { Lan, type DeviceOptions, type LanOptions } from "./lan.js";
export { Device } from "./device.js";
export { Host, TcpListener, TcpStream, UdpSocket, type Datagram, type Target } from "./host.js";
export { Station } from "./station.js";
export { ScriptedSpi, type SpiTransaction } from "./scripted-spi.js";
export { NicHarness, compareFrames, testFrame, type NicExports } from "./nic-harness.js";
export * as wire from "./wire.js";
export { describe, parseFrame, type Parsed } from "./wire-parse.js";
export { Peer as FrameBuilder } from "./wire-peer.js";
export type { Impairments } from "../net/link.js";
export type { ChipModel, SpiSlave } from "../sim/types.js";
export type { LogLine } from "../log/decode.js";
