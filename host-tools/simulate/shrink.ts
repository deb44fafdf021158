import { simpler, type Scenario } from "./scenario.js";

/** Runs that looking for the shortest form may take. */
const RUNS_MAX = 300;

/** The shortest form of a scenario that still fails: troubles are dropped one by one, then what is left is made smaller. */
export function shrink(scenario: Scenario, fails: (form: Scenario) => boolean): Scenario {
  let shortest = scenario;
  let runs = 0;
  for (let found = true; found;) {
    found = false;
    for (const form of simpler(shortest)) {
      if (runs++ >= RUNS_MAX) return shortest;
      if (!fails(form)) continue;
      shortest = form;
      found = true;
      break;
    }
  }
  return shortest;
}
