import { Bench, type BenchOptions } from "./bench.js";

/** Numbers of the example programs in the image of all of them (test/device/examples). */
const NUMBERS = {
  "echo-blocking": 20,
  "echo-poll": 21,
  "echo-select": 22,
  "echo-epoll": 23,
  "echo-ring": 24,
  "echo-loop": 25,
  "worker-one": 26,
  "worker-shared": 27,
  "worker-reuseport": 28,
};

export type Example = keyof typeof NUMBERS;

/** A bench whose device runs an example. */
export function exampleBench(name: Example, options: BenchOptions = {}): Promise<Bench> {
  const ports = { http: NUMBERS[name], echo: 7 };
  return Bench.create({ app: "test/device/examples", ports, ...options });
}
