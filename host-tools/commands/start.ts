import type { Command } from "commander";
import { addSimOptions, parseSimOptions, type RawSimOptions } from "./sim-options.js";
import { runSimulation } from "./sim.js";

/** `as-tcpip start`: the demo, ready for a browser. */
export function register(program: Command): void {
  addSimOptions(
    program
      .command("start")
      .description("run the demo on a simulated board and open it to this computer"),
  ).action((raw: RawSimOptions) => runSimulation(parseSimOptions(raw)));
}
