/** Says one word and returns, which main() must not do. */
import { log0 } from "as-tcpip/log";

export function main(): void {
  log0("info: done");
}
