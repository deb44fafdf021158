/** The servers of the bench on a board: what `npm run bench -- throughput` talks to. */
import { netPoll, netStart } from "../../net/runtime";
import { choose, open, serveNews } from "../main";

const BODY: usize = memory.data(1460, 4);

export function main(): void {
  if (netStart() < 0) return;
  open(BODY);
  choose(1, 0);
  for (;;) {
    netPoll(1000);
    serveNews();
  }
}
