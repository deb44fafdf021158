/** `--watch`: builds again when a source or an asset changes, and gives the new firmware to the run. */
import { join } from "node:path";
import { appFolder } from "../build/apps.js";
import { UserError } from "../errors.js";
import { isClone, packageRoot, projectRoot } from "../root.js";
import type { DeviceSpec } from "../sim/world-device.js";
import type { SimDevice } from "./sim-devices.js";
import type { SimOutput } from "./sim-output.js";
import { SourceWatch } from "./source-watch.js";

/** A device that is ready to be powered. */
export interface Ready {
  device: SimDevice;
  spec: DeviceSpec;
}

/** Watches the sources of a simulation. */
export class Rebuilder {
  private readonly watch: SourceWatch;
  private done: (ready: Ready[]) => void = () => undefined;
  private promise = this.renew();
  private building = false;
  private again = false;
  /** A mistake was told, and nothing since. */
  private mistaken = false;

  constructor(
    private running: Ready[],
    private readonly build: () => Promise<Ready[]>,
    private readonly output: SimOutput,
  ) {
    const folders = running.map(({ device }) => appFolder(device.app));
    const own = ["firmware", "stack", "drivers", "hal"].map((name) => join(packageRoot, name));
    const roots = new Set([...folders, ...(isClone ? own : [projectRoot()])]);
    this.watch = new SourceWatch([...roots], () => void this.changed());
  }

  /** The next firmware that is good and another one. */
  next(): Promise<Ready[]> {
    return this.promise;
  }

  close(): void {
    this.watch.close();
  }

  private renew(): Promise<Ready[]> {
    return new Promise((resolve) => (this.done = resolve));
  }

  private async changed(): Promise<void> {
    this.again = true;
    if (this.building) return;
    this.building = true;
    while (this.again) {
      this.again = false;
      await this.rebuild();
    }
    this.building = false;
  }

  private async rebuild(): Promise<void> {
    const start = performance.now();
    try {
      const ready = await this.build();
      if (this.again) return;
      const { mistaken } = this;
      this.mistaken = false;
      if (ready.every(({ spec }, i) => isSame(spec, this.running[i]?.spec))) {
        if (mistaken) this.output.note("That is mended; the firmware is the one that runs.");
        return;
      }
      this.running = ready;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      this.output.note(`Rebuilt in ${seconds} s; the device starts again.`);
      const { done } = this;
      this.promise = this.renew();
      done(ready);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.mistaken = true;
      this.output.note(error.message);
    }
  }
}

function isSame({ firmware }: DeviceSpec, other: DeviceSpec | undefined): boolean {
  if (other === undefined) return false;
  return (
    Buffer.compare(firmware.wasm, other.firmware.wasm) === 0 &&
    Buffer.compare(firmware.blob, other.firmware.blob) === 0
  );
}
