/** The Close frame of a WebSocket (RFC 6455 5.5.1). */
import { MSG_DONTWAIT, send } from "../../net/sockets";
import { Be } from "../../net/inet";

/** Status codes (RFC 6455 7.4.1); 1000 is a normal end. */
export const WS_GOING_AWAY: u32 = 1001;
export const WS_PROTOCOL_ERROR: u32 = 1002;
/** The peer's Close had no status; the connection ended without a Close. They never stand in a frame. */
export const WS_NO_STATUS: u32 = 1005;
export const WS_ABNORMAL: u32 = 1006;
export const WS_BAD_DATA: u32 = 1007;
export const WS_TOO_BIG: u32 = 1009;

/** Sends a Close frame, where there is room; with a status unless it is WS_NO_STATUS. */
export function sendClose(fd: i32, code: u32): void {
  const FRAME: usize = memory.data(4, 4);
  const bytes: u32 = code == WS_NO_STATUS ? 0 : 2;
  store<u8>(FRAME, 0x88);
  store<u8>(FRAME + 1, <u8>bytes);
  Be.store16(FRAME + 2, code);
  send(fd, FRAME, 2 + bytes, MSG_DONTWAIT);
}
