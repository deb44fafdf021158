import { HostedStack, hostedFirmware } from "../../net/hosted-stack.js";
import { EthernetSwitch } from "../../net/switch.js";
import { VirtualClock } from "../../sim/virtual-clock.js";
import { Scripts, type Script } from "../../net/scripts.js";
import { MEASURE_MS, WARM_MS, run, tcpIn } from "../throughput/part.js";
import { table } from "../table.js";
import { measureForward, type ForwardResult } from "./forward.js";
import { measureTap, type TapResult } from "./tap.js";

/** How fast this computer is with our code; these are times, so they differ from run to run. */
export interface HostResult {
  /** Two stacks in one process, one sending to the other: payload and frames a second of real time. */
  stackPair: { megabytesPerSecond: number; framesPerSecond: number };
  /** Simulated time over real time of an emulated Pico at full load. */
  emulatedPico: { simulatedToReal: number };
  forward: ForwardResult;
  /** Only as root on Linux. */
  tap?: TapResult;
}

const BYTES = 32 << 20;
const BLOCK = new Uint8Array(32768);

async function stackPair(): Promise<HostResult["stackPair"]> {
  const clock = new VirtualClock();
  const ethernet = new EthernetSwitch(clock);
  const firmware = await hostedFirmware();
  let frames = 0;
  const made = [1, 2].map((number) => {
    const port = ethernet.attach(`stack ${number}`, (frame) => stack.receive(frame));
    const stack: HostedStack = new HostedStack(firmware, {
      clock,
      mac: 0x0200_0000_0000 + number,
      address: 0x0a000000 + number,
      mask: 0xffffff00,
      seed: number,
      send: (frame) => {
        frames++;
        port.send(frame);
      },
    });
    return stack;
  });
  const [client, server] = made as [HostedStack, HostedStack];
  const clientScripts = new Scripts(client, clock);
  const serverScripts = new Scripts(server, clock);
  const listener = server.socket(1);
  server.bind(listener, 0, 9);
  server.listen(listener, 1);
  let received = 0;
  serverScripts.run(
    (function* (): Script {
      let fd = -1;
      yield () => (fd = server.accept(listener)) >= 0;
      yield* serverScripts.drain(fd, (bytes) => (received += bytes));
    })(),
  );
  clientScripts.run(
    (function* (): Script {
      const fd = yield* clientScripts.connect(0x0a000002, 9);
      yield* clientScripts.pour(fd, BLOCK, () => undefined);
    })(),
  );
  const start = performance.now();
  while (received < BYTES && clock.nextNs !== undefined) clock.runNext();
  const seconds = (performance.now() - start) / 1000;
  for (const stack of made) stack.close();
  if (received < BYTES) throw new Error("the two stacks have come to a stop");
  return {
    megabytesPerSecond: Math.round(received / seconds / 1e5) / 10,
    framesPerSecond: Math.round(frames / seconds),
  };
}

/** Measures. */
export async function measureHost(onStep: (what: string) => void): Promise<HostResult> {
  onStep("two stacks in one process");
  const pair = await stackPair();
  onStep("an emulated Pico under load");
  const { realMs } = await run("w5500-evb-pico", "none", tcpIn);
  const simulatedToReal = Math.round(((WARM_MS + MEASURE_MS) / realMs) * 1000) / 1000;
  onStep("the simulator behind --net forward");
  const forward = await measureForward();
  onStep("the simulator on a TAP interface");
  const tap = await measureTap();
  return { stackPair: pair, emulatedPico: { simulatedToReal }, forward, ...(tap && { tap }) };
}

/** The result for people. */
export function printHost({ stackPair: pair, emulatedPico, forward, tap }: HostResult): string {
  return table(
    ["this computer", ""],
    [
      ["two stacks in one process, MB/s", String(pair.megabytesPerSecond)],
      ["frames a second through both", String(pair.framesPerSecond)],
      ["emulated Pico under load, simulated / real time", String(emulatedPico.simulatedToReal)],
      ["8 MiB echo behind --net forward, virtual W5500, Mbit/s", String(forward.echoMbps)],
      ["frames a second of it", String(forward.framesPerSecond)],
      ["the same with this computer's own TCP, Mbit/s", String(forward.kernelMbps)],
      ["8 MiB echo over TAP, virtual W5500, Mbit/s", tap ? String(tap.echoMbps) : "needs root"],
      ["frames a second of it", tap ? String(tap.framesPerSecond) : "needs root"],
      ["an idle device, % of a core", tap ? (tap.idleCpu * 100).toFixed(1) : "needs root"],
    ],
  );
}
