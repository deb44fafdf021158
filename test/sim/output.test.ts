/** What `sim` prints for people. */
import test from "ava";
import { SimOutput } from "../../host-tools/commands/sim-output.js";

/** What `print` writes to standard output. */
function printed(print: () => void): string {
  const { stdout } = process;
  const own = stdout.write.bind(stdout);
  let text = "";
  stdout.write = (piece: string | Uint8Array): boolean => {
    text += String(piece);
    return true;
  };
  try {
    print();
  } finally {
    stdout.write = own;
  }
  return text;
}

test.serial(
  "of several devices the way to end the simulation is told once, and each address",
  (t) => {
    const output = new SimOutput({ json: false, subnet: { address: 0xc0a84d01 } });
    const web = { protocol: "tcp", hostPort: 8081, device: "web", devicePort: 80 } as const;
    const text = printed(() => {
      output.ready(0xc0a84d32, [], "noise");
      output.ready(0xc0a84d33, [web], "web");
      output.ready(0xc0a84d34, [], "get");
    });
    t.is(text.split("Ctrl-C").length, 2);
    t.regex(text, /http:\/\/127\.0\.0\.1:8081\//);
  },
);
