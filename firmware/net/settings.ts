import { settingsBase } from "board";
import { INTERFACES } from "../../stack/config";

/**
 * The settings block: what differs from device to device with the same image. 128 bytes in flash, little-endian, written by
 * the host tools (host-tools/settings.ts); used only when magic, version and CRC hold.
 *
 *      0  u32 magic "ASTN"      14  u16 zero             32  host name, 32 bytes, zero padded
 *      4  u16 version = 1       16  u32 address          64  u16 HTTP port, 66 echo port
 *      6  u16 flags             20  u32 mask             68  hosts: u32 address, u8 length, name; length 0 ends
 *      8  MAC, 6 bytes          24  u32 gateway, 28 dns  124 u32 CRC-32 of bytes 0 to 123
 *
 * With an address of the second interface the hosts end before byte 108, where it stands as the first one's does at 16. To an image with
 * one interface it is a host without a name, or with one that reaches beyond the block.
 */
export const SETTINGS_BYTES: u32 = 128;
const MAGIC: u32 = 0x4e545341;
const HOST_NAME_BYTES: u32 = 32;

/** What the block says (host-tools/settings.ts). */
export const enum SettingsFlag {
  MAC = 1,
  STATIC_ADDRESS = 2,
  HOST_NAME = 4,
  PORTS = 8,
  HOSTS = 16,
  SECOND_ADDRESS = 32,
}

/** True when the block is whole and the flag is set. */
export function settingsHas(flag: SettingsFlag): bool {
  const at = settingsBase();
  if (load<u32>(at) != MAGIC || load<u16>(at, 4) != 1) return false;
  if (crc32(at, SETTINGS_BYTES - 4) != load<u32>(at, 124)) return false;
  return ((<u32>load<u16>(at, 6)) & flag) != 0;
}

/** MAC, 6 bytes in wire order. */
export function settingsMac(): usize {
  return settingsBase() + 8;
}

/** Where the second interface's static address stands: four words as at byte 16. */
const SECOND_AT: usize = 108;

/** Static address of the second interface: address, mask, gateway and DNS server, a word each, host order. */
export function settingsSecond(): usize {
  return settingsBase() + SECOND_AT;
}

export function settingsAddress(): u32 {
  return load<u32>(settingsBase(), 16);
}

export function settingsMask(): u32 {
  return load<u32>(settingsBase(), 20);
}

export function settingsGateway(): u32 {
  return load<u32>(settingsBase(), 24);
}

export function settingsDns(): u32 {
  return load<u32>(settingsBase(), 28);
}

export function settingsHostName(): usize {
  return settingsBase() + 32;
}

/** Length of the host name. */
export function settingsHostNameBytes(): u32 {
  let bytes: u32 = 0;
  while (bytes < HOST_NAME_BYTES && load<u8>(settingsHostName() + bytes) != 0) bytes += 1;
  return bytes;
}

/** The HTTP port, or `otherwise`. */
export function settingsHttpPort(otherwise: u32): u32 {
  return settingsHas(SettingsFlag.PORTS) ? <u32>load<u16>(settingsBase(), 64) : otherwise;
}

/** The echo port, or `otherwise`. */
export function settingsEchoPort(otherwise: u32): u32 {
  return settingsHas(SettingsFlag.PORTS) ? <u32>load<u16>(settingsBase(), 66) : otherwise;
}

/** First byte of the hosts, and the one behind them. */
const HOSTS_AT: u32 = 68;
const HOSTS_END: u32 = SETTINGS_BYTES - 4;

/** Address of a host of the settings, by its name of `bytes` characters in any case; 0 = there is no such host. */
export function settingsHost(name: usize, bytes: u32): u32 {
  if (bytes == 0 || !settingsHas(SettingsFlag.HOSTS)) return 0;
  const end =
    INTERFACES > 1 && settingsHas(SettingsFlag.SECOND_ADDRESS) ? <u32>SECOND_AT : HOSTS_END;
  let at = HOSTS_AT;
  while (at + 5 < end) {
    const entry = settingsBase() + at;
    const length = <u32>load<u8>(entry, 4);
    if (length == 0) return 0;
    at += 5 + length;
    if (at <= end && length == bytes && sameName(entry + 5, name, bytes)) return load<u32>(entry);
  }
  return 0;
}

function sameName(one: usize, two: usize, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    if (lowerCase(load<u8>(one + i)) != lowerCase(load<u8>(two + i))) return false;
  }
  return true;
}

function lowerCase(character: u8): u32 {
  const code = <u32>character;
  return code - 0x41 < 26 ? code | 0x20 : code;
}

/** CRC-32 as in zip (reflected, 0xEDB88320), bit by bit: it runs over 124 bytes, a handful of times. */
function crc32(at: usize, bytes: u32): u32 {
  let crc: u32 = 0xffffffff;
  for (let i: u32 = 0; i < bytes; i++) {
    crc ^= <u32>load<u8>(at + i);
    for (let bit: u32 = 0; bit < 8; bit++) {
      crc = (crc & 1) != 0 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
  }
  return ~crc;
}
