/** What test/device/asker asks for: a name server that answers with the gateway's address, and a server for the time there. */

/** The answer to a DNS query: one address, 192.168.77.1. */
export function gatewayIs(query: Buffer): Buffer {
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 168, 77, 1]);
  const message = Buffer.concat([query, answer]);
  message.writeUInt16BE(0x8180, 2);
  message.writeUInt16BE(1, 6);
  return message;
}

/** What the server for the time answers, and what the device says of it. */
export const TIME = Buffer.from("efbeadde00000000", "hex");
export const TIME_SAID = "time deadbeef in 8 bytes";

/** The device learns the server's port as the address of a host named `port`. */
export function portAsAddress(port: number): string {
  return `0.0.${port >> 8}.${port & 255}`;
}
