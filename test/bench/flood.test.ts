import test from "ava";
import { floodCell } from "../../host-tools/bench/flood/part.js";

for (const [board, direction, least] of [
  ["virtual-w5500", "in", 0.85],
  ["virtual-w5500", "out", 0.8],
  ["virtual-enc28j60", "in", 0.35],
  ["virtual-enc28j60", "out", 0.42],
] as const) {
  // On 10 Mbit/s half duplex the SYNs alone take 28 % of the wire; with no answer at all 0.52 and 0.57 are kept; answered as they came 0.23 and 0.42.
  test(`L7: under 4,200 SYNs a second a transfer keeps ${least} of its rate, and requests are as fast as before at once (${board}, ${direction})`, async (t) => {
    const { transfer, requests, clients } = await floodCell(board, direction, {
      syns: 12_600,
      perSecond: 4200,
    });
    t.true(transfer.share >= least, JSON.stringify(transfer));
    t.true(requests.share > 0.8, JSON.stringify(requests));
    t.is(clients.served, clients.begun, JSON.stringify(clients));
  });
}

for (const direction of ["in", "out"] as const) {
  // 6.7 % of the wire are SYNs, 7 % their answers, 1 % new clients: 85 % are left. 79 % were kept before answers could wait beside the frames.
  test(`9.4: under 1,000 SYNs a second an ENC28J60 keeps 81 % of a transfer (${direction}), and new clients get in at once`, async (t) => {
    const { transfer, clients, answered, syns } = await floodCell("virtual-enc28j60", direction, {
      syns: 1500,
      perSecond: 1000,
    });
    t.true(transfer.share >= 0.81, JSON.stringify(transfer));
    t.true(answered >= 0.97 * syns, `${answered}`);
    t.is(clients.served, clients.begun, JSON.stringify(clients));
    t.true(clients.slowestMs < 1500, JSON.stringify(clients));
  });
}
