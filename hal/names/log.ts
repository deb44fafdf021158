/**
 * Log lines of an application. The format must be a literal: it stays on the host, the device sends its number. It begins with
 * a level (`error: `, `warn: `, `info: `, `debug: `). Verbs: %u %d %x, %c, %i (IPv4 address as host-order u32), %m (MAC, two
 * arguments: high 16 bits, low 32 bits).
 */
export { log0, log1, log2, log3, log4 } from "board";
