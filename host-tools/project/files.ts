/** The files of a new project, as `as-tcpip new` writes them, except the application itself. */
export interface ProjectFacts {
  name: string;
  /** Board of hardware that is built for and flashed. */
  board: string;
  /** Virtual board with the same chip. */
  virtual: string;
  template: Template;
  /** What `as-tcpip` stands for in package.json. */
  dependency: string;
  ava: string;
}

/** Templates, and the application of the package that each one is a copy of. */
export const TEMPLATES = {
  echo: "echo",
  http: "http",
  web: "web",
  mqtt: "lamp",
  blank: "blank",
} as const;
export type Template = keyof typeof TEMPLATES;

const TESTS: Record<Template, string> = {
  echo: `test("what is sent to port 7 comes back", async (t) => {
  const device = await new Lan().device();
  const stream = await device.connect(7);
  await stream.write("hello");
  t.is((await stream.read(5)).toString(), "hello");
});
`,
  http: `test("the page comes out of flash", async (t) => {
  const device = await new Lan().device();
  const stream = await device.connect(80);
  await stream.write("GET / HTTP/1.0\\r\\n\\r\\n");
  t.regex((await stream.readAll()).toString(), /^HTTP\\/1\\.[01] 200 /);
});
`,
  web: `test("the LED is switched over the network, and the button is told of", async (t) => {
  const device = await new Lan().device();
  const events = await device.connect(80);
  await events.write("GET /events HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n");
  t.regex(await events.readUntil("\\n\\n"), /"lit":false,"pressed":false/);
  const stream = await device.connect(80);
  await stream.write("POST /led?on=1 HTTP/1.0\\r\\n\\r\\n");
  t.regex((await stream.readAll()).toString(), /^HTTP\\/1\\.1 200 /);
  t.true(device.led);
  t.regex(await events.readUntil("\\n\\n"), /"lit":true,"pressed":false/);
  await device.press();
  t.regex(await events.readUntil("\\n\\n"), /"lit":true,"pressed":true/);
});
`,
  mqtt: `test("a message of the broker switches the lamp, and the lamp says how it is", async (t) => {
  const lan = new Lan();
  const broker = (await lan.host("192.168.77.1")).listen(1883);
  const device = await lan.device();
  const lamp = await broker.accept();
  await lamp.readUntil("gone"); // CONNECT, which ends with the last will
  await lamp.write(Buffer.from([0x20, 2, 0, 0])); // CONNACK
  await lamp.readUntil("lamp/stateoff");
  const message = Buffer.from("lamp/seton");
  await lamp.write(Buffer.from([0x30, 2 + message.length, 0, 8, ...message])); // PUBLISH
  await lamp.readUntil("lamp/stateon");
  t.true(device.led);
});
`,
  blank: `test("the device gets an address and goes on", async (t) => {
  const device = await new Lan().device();
  t.regex(await device.logged("lease"), /^lease 192\\.168\\.77\\./);
  await device.logged("turn 5");
});
`,
};

/** Path and text of each file. */
export function projectFiles(facts: ProjectFacts): Record<string, string> {
  const { name, board, virtual, template, dependency, ava } = facts;
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  return {
    "package.json": json({
      name,
      version: "0.1.0",
      private: true,
      type: "module",
      scripts: {
        start: `as-tcpip start --board ${virtual}`,
        test: "ava",
        build: `as-tcpip build --board ${board}`,
        flash: `as-tcpip flash --board ${board}`,
        monitor: `as-tcpip monitor --board ${board}`,
      },
      ava: { files: ["test/**/*.test.mjs"], timeout: "2m" },
      devDependencies: { "as-tcpip": dependency, ava },
    }),
    "app.json": json({ options: {} }),
    "tsconfig.json": json({
      extends: "as-tcpip/tsconfig.app.json",
      include: ["*.ts", "src/**/*.ts", "boards/**/*.ts"],
    }),
    "test/app.test.mjs": `import test from "ava";\nimport { Lan } from "as-tcpip/testing";\n\n${TESTS[template]}`,
    ".gitignore": "/node_modules/\n/build/\n",
    ".gitattributes": "* text=auto eol=lf\n",
    ".vscode/tasks.json": json({
      version: "2.0.0",
      tasks: ["start", "test", "build", "flash", "monitor"].map((script) => ({
        type: "npm",
        script,
        problemMatcher: [],
        ...(script === "build" && { group: { kind: "build", isDefault: true } }),
        ...(script === "test" && { group: { kind: "test", isDefault: true } }),
      })),
    }),
    "README.md": `# ${name}

Firmware for ${board}, made with [as-tcpip](https://www.npmjs.com/package/as-tcpip).

| command | what it does |
|---|---|
| \`npm start\` | runs it on a simulated board (${virtual}) and opens it to this computer |
| \`npm test\` | tests it in virtual time (\`test/\`) |
| \`npm run build\` | builds the image: \`build/images/${board}/\` |
| \`npm run flash\` | writes it to the board |
| \`npm run monitor\` | shows the board's log |

\`main.ts\` is the application, \`assets/\` the files that it can serve, \`app.json\` its build options
(\`npx as-tcpip options\` lists them).
`,
    "assets/README.txt":
      "Files in this folder lie in the device's flash: import assetFind from as-tcpip/assets.\n",
  };
}
