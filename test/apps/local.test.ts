/** AF_UNIX sockets by blocking calls, poll, select, epoll, the completion queue and the event loop (test/device/local). */
import test from "ava";
import { Lan } from "../../host-tools/testing/index.js";
import { stepsOf } from "../support/steps.js";

const WANTED: [step: number, value: number][] = [
  // bind, listen, connect; the accepted one's peer has no name, the client's has seven characters and begins with "s".
  [1, 0],
  [2, 0],
  [3, 0],
  [4, 100],
  [5, 0],
  [6, 7],
  [7, 115],
  // A receive that waits 50 ms in vain, FIONREAD, text, the end.
  [8, 200],
  [9, -11],
  [10, 1],
  [11, 200],
  [12, 200],
  [13, 0],
  // Datagrams there, from "a", and back.
  [20, 30],
  [21, 30],
  [22, 97],
  [23, 10],
  [24, 10],
  // poll, select, epoll.
  [30, 0],
  [31, 0],
  [32, 1],
  [33, 1],
  [34, 1],
  [35, 1],
  [36, 0],
  [37, 1],
  [38, 256],
  [39, 1],
  [40, 7],
  [41, 1],
  [42, 8],
  // The completion queue: accept waits for connect; send, then the receive that waited.
  [50, 2],
  [50, 1],
  [51, 4],
  [51, 3],
  // Three datagrams by way of the loop.
  [60, 3],
  [99, 0],
];

test("parts of one firmware talk by AF_UNIX, whatever way they wait", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "test/device/local" });
  await device.logged("step 99");
  t.deepEqual(stepsOf(device.log), WANTED);
  lan.close();
});
