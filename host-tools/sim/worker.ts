/**
 * The thread of a simulated device. It is occupied by the device until the run ends: firmware never returns, so nothing
 * here relies on an event loop. Messages to the main thread go out at once, frames come and go through shared memory.
 */
import { parentPort, workerData } from "node:worker_threads";
import { UserError } from "../errors.js";
import { LED_PIN, type Pins } from "./pins.js";
import { ScriptRun } from "./script-run.js";
import { PacedTime } from "./machine-time.js";
import { Device } from "./world-device.js";
import { SeveralWorld } from "./world-several.js";
import { SECOND_SUBNET } from "./world-lan.js";
import { VirtualWorld } from "./world-virtual.js";
import type { RunResult } from "./world-device.js";
import { CONTROL, type WorkerMessage, type WorkerTask } from "./worker-protocol.js";
import { FrameRing } from "./worker-ring.js";

/**
 * A device that goes with real time waits for this computer, not for its bus: at 33.3 MHz that would hold an echo at 16
 * Mbit/s. Everything else, and virtual time altogether, keeps the board's times; so does a dump of the bus.
 */
const PACED_BUS_SPEED = 8;
/** Nor does anybody want to wait for two chips to negotiate the speed of their cable, which takes them 1.5 s. */
const PACED_NEGOTIATION_MS = 100;

type Task<Kind> = Extract<WorkerTask, { kind: Kind }>;

const tell = (message: WorkerMessage): void => parentPort?.postMessage(message);

/** Asked whenever the device gives way to the world. */
function stopWanted(control: Int32Array): boolean {
  Atomics.add(control, CONTROL.alive, 1);
  return Atomics.load(control, CONTROL.stop) !== 0;
}

async function runVirtual(task: Task<"virtual">): Promise<void> {
  const control = new Int32Array(task.control);
  // The log begins while the world is being made.
  const beside: { script?: ScriptRun } = {};
  const world = await VirtualWorld.create({
    ...task.spec,
    gateway: task.gateway,
    subnet: task.subnet,
    impairments: task.impairments,
    dhcp: task.dhcp,
    onLog: (line) => {
      tell({ kind: "log", line });
      beside.script?.log(line.text);
    },
    stopWanted: () => stopWanted(control),
  });
  const script = task.script && new ScriptRun(task.script, world);
  if (script) beside.script = script;
  const { pins } = world.device.machine;
  if (pins) {
    onLed(pins, (lit) => {
      tell({ kind: "led", lit });
      script?.led(lit);
    });
  }
  stopWanted(control);
  tell({ kind: "ended", result: judgedBy(script, world.run()) });
}

/** A script that was not fulfilled is a failure, unless something worse has ended the run. */
function judgedBy(script: ScriptRun | undefined, result: RunResult): RunResult {
  const message = script?.failure ?? script?.unfinished;
  const judged = ["stopped", "timeout"].includes(result.reason) && message !== undefined;
  return judged ? { ...result, reason: "script", message } : result;
}

async function runSeveral(task: Task<"several">): Promise<void> {
  const control = new Int32Array(task.control);
  const beside: { script?: ScriptRun } = {};
  const { devices, gateway, subnet, reserved } = task;
  const world = await SeveralWorld.create({
    ...{ devices, gateway, subnet, reserved },
    onLog: (line, device) => {
      tell({ kind: "log", line, device });
      beside.script?.log(line.text, device);
    },
    onLed: (lit, device) => {
      tell({ kind: "led", lit, device });
      beside.script?.led(lit, device);
    },
    stopWanted: () => stopWanted(control),
    onTurn: (device) => Atomics.store(control, CONTROL.running, device),
  });
  const script = task.script && new ScriptRun(task.script, world);
  if (script) beside.script = script;
  stopWanted(control);
  tell({ kind: "ended", result: judgedBy(script, world.run()) });
}

function onLed(pins: Pins, told: (lit: boolean) => void): void {
  pins.onChange = (pin, high) => {
    if (pin === LED_PIN) told(high);
  };
}

async function runPaced(task: Task<"paced">): Promise<void> {
  const control = new Int32Array(task.control);
  const incoming = new FrameRing(task.toDevice);
  const outgoing = new FrameRing(task.fromDevice);
  let pressed = false;
  let originMs = performance.now();
  const asReal = task.spec.vcd !== undefined;
  const time = new PacedTime(
    {
      collect: () => {
        for (let frame = incoming.take(); frame; frame = incoming.take()) {
          device.wire.toDevice(frame, incoming.fcsGood);
        }
        const held = Atomics.load(control, CONTROL.button) !== 0;
        if (held !== pressed) device.machine.pins?.press((pressed = held));
      },
      pending: () => !incoming.empty || (Atomics.load(control, CONTROL.button) !== 0) !== pressed,
      stopWanted: () => stopWanted(control),
      bell: control.subarray(CONTROL.bell, CONTROL.bell + 1),
      quiet: () => device.flush(),
    },
    () => (performance.now() - originMs) * 1e6,
    asReal ? 1 : PACED_BUS_SPEED,
    asReal ? undefined : PACED_NEGOTIATION_MS,
  );
  const device = await Device.create(task.spec, time, (line) => tell({ kind: "log", line }));
  device.wire.onTransmit = (frame) => {
    // A full ring means that the main thread is stuck: the frame is lost, as on a jammed wire.
    if (!outgoing.put(frame)) return;
    if (Atomics.exchange(control, CONTROL.called, 1) === 0) tell({ kind: "frames" });
  };
  device.secondLan({ seed: task.spec.seed, subnet: task.spec.secondSubnet ?? SECOND_SUBNET });
  const { pins } = device.machine;
  if (pins) onLed(pins, (lit) => tell({ kind: "led", lit }));
  originMs = performance.now();
  stopWanted(control);
  tell({ kind: "ended", result: device.run() });
}

const task = workerData as WorkerTask;
try {
  switch (task.kind) {
    case "paced":
      await runPaced(task);
      break;
    case "virtual":
      await runVirtual(task);
      break;
    case "several":
      await runSeveral(task);
  }
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  tell({ kind: "refused", message: error.message, exitCode: error.exitCode });
}
