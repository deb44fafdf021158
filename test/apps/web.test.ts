/** The application `web`: what `as-tcpip new` begins with, by the test that comes with it. */
import test from "ava";
import { Lan } from "../../host-tools/testing/index.js";

test("the LED is switched over the network, and the button is told of in every browser", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "web" });
  const browsers = [await device.connect(80), await device.connect(80)];
  for (const browser of browsers) {
    await browser.write("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    t.regex(await browser.readUntil("\n\n"), /"lit":false,"pressed":false/);
  }
  const form = await device.connect(80);
  await form.write("POST /led HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\non=1");
  t.regex(await form.readUntil("}"), /^HTTP\/1\.1 200 [\s\S]*"lit":true,"pressed":false/);
  await form.write("POST /led?off=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  t.regex(await form.readUntil("Bad Request\n"), /^HTTP\/1\.1 400 /);
  t.true(device.led);
  await device.press();
  for (const browser of browsers) {
    t.regex(await browser.readUntil("\n\n"), /"lit":true,"pressed":false/);
    t.regex(await browser.readUntil("\n\n"), /"lit":true,"pressed":true/);
    t.regex(await browser.readUntil("\n\n"), /"lit":true,"pressed":false/);
  }
  await form.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  t.regex(await form.readUntil("</html>\n"), /Content-Type: text\/html/);
  lan.close();
});

test("the echo beside it gives all of a long text back, and goes to who calls last", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "web" });
  const first = await device.connect(7);
  // More than both rings hold: what has no room waits.
  const text = "0123456789abcdef".repeat(2048);
  const [, back] = await Promise.all([first.write(text), first.read(text.length)]);
  t.is(back.toString(), text);
  const page = await device.connect(80);
  await page.write("GET / HTTP/1.0\r\n\r\n");
  t.regex((await page.readAll()).toString(), /^HTTP\/1\.1 200 /);
  for (let i = 0; i < 5; i++) {
    const next = await device.connect(7);
    await next.write("ping");
    t.is((await next.read(4)).toString(), "ping");
    if (i % 2 === 0) await next.close();
  }
  t.is((await first.readAll()).length, 0);
  lan.close();
});
