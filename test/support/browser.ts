/** A real browser without a window, by the Chrome DevTools protocol over a pair of pipes: no port, no library. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The browser's program; undefined where there is none. */
export const browserProgram = NAMES.find(
  (name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0,
);

interface Reply {
  id?: number;
  result?: object;
  error?: { message: string };
}

interface Evaluated {
  result: { value?: unknown };
  exceptionDetails?: { text: string; exception?: { description?: string } };
}

/** The document was left while something was waited for in it. */
const LEFT = /context was destroyed|navigated or closed|Cannot find context/;

/** A browser, which `close` ends. */
export class Browser {
  private readonly waiting = new Map<number, (reply: Reply) => void>();
  private calls = 0;

  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
    private readonly out: Writable,
    input: Readable,
  ) {
    let text = "";
    input.setEncoding("utf8");
    input.on("data", (data: string) => {
      const messages = (text + data).split("\0");
      text = messages.pop() as string;
      for (const message of messages) this.hear(JSON.parse(message) as Reply);
    });
  }

  static open(): Browser {
    const profile = mkdtempSync(join(tmpdir(), "as-tcpip browser-"));
    const child = spawn(
      browserProgram as string,
      [
        ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        ...["--no-first-run", "--disable-background-networking", "--remote-debugging-pipe"],
        `--user-data-dir=${profile}`,
      ],
      {
        stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
        // What it forgets there when it is ended goes with its profile.
        env: { ...process.env, TMPDIR: profile },
      },
    );
    return new Browser(child, profile, child.stdio[3] as Writable, child.stdio[4] as Readable);
  }

  /** Opens a page. */
  async page(url: string): Promise<Page> {
    const { targetId } = await this.call<{ targetId: string }>("Target.createTarget", { url });
    const attach = { targetId, flatten: true };
    const { sessionId } = await this.call<{ sessionId: string }>("Target.attachToTarget", attach);
    return new Page(this, sessionId);
  }

  async close(): Promise<void> {
    const ended = once(this.child, "close");
    this.child.kill();
    await ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Calls a method of the protocol. */
  async call<Result>(method: string, params: object, sessionId?: string): Promise<Result> {
    const id = (this.calls += 1);
    const reply = new Promise<Reply>((resolve) => this.waiting.set(id, resolve));
    this.out.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await reply;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as Result;
  }

  private hear(reply: Reply): void {
    if (reply.id === undefined) return;
    this.waiting.get(reply.id)?.(reply);
    this.waiting.delete(reply.id);
  }
}

/** A page of a browser. */
export class Page {
  constructor(
    private readonly browser: Browser,
    private readonly session: string,
  ) {}

  /** The value of an expression in the page; of a promise, what it comes to. */
  async value(expression: string): Promise<unknown> {
    const { result, exceptionDetails: failed } = await this.browser.call<Evaluated>(
      "Runtime.evaluate",
      { expression, awaitPromise: true, returnByValue: true },
      this.session,
    );
    if (failed) throw new Error(failed.exception?.description ?? failed.text);
    return result.value;
  }

  /** Waits until an expression is true in the page, also if it is loaded anew meanwhile. */
  async until(expression: string): Promise<void> {
    const look = `new Promise((done) => {
      const look = () => ((${expression}) ? done(true) : setTimeout(look, 20));
      look();
    })`;
    for (;;) {
      try {
        await this.value(look);
        return;
      } catch (error) {
        if (!LEFT.test((error as Error).message)) throw error;
      }
    }
  }

  /** A picture of the page as PNG, `width` by `height` pixels. */
  async picture(width: number, height: number): Promise<Buffer> {
    const size = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.browser.call("Emulation.setDeviceMetricsOverride", size, this.session);
    await this.browser.call("Emulation.setScrollbarsHidden", { hidden: true }, this.session);
    const { data } = await this.browser.call<{ data: string }>(
      "Page.captureScreenshot",
      { format: "png" },
      this.session,
    );
    return Buffer.from(data, "base64");
  }
}
