/** ping, time, log and mDNS: examples and applications beside the daemons and clients of Linux, over a TAP interface in a namespace. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import {
  DEVICE,
  HOST,
  Program,
  TAP,
  namespaceTest,
  peer,
  startDevice,
  stopDevice,
} from "../support/namespace.js";

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-clients-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

namespaceTest("ping: the device answers ping, and Linux the device's", ["ping"], async (t) => {
  const cli = await startDevice(t, "ping");
  t.regex(await peer("ping", "-c", "3", "-i", "0.2", DEVICE), /3 received, 0% packet loss/);
  t.regex(await peer("ping", "-c", "1", "-s", "1472", DEVICE), /1 received/);
  await cli.line((line) => line.includes(HOST) && line.includes("ms"));
  await stopDevice(t, cli);
});

namespaceTest("sntp: chronyd tells the time", ["chronyd"], async (t) => {
  const file = written(
    "chrony.conf",
    `local stratum 8\nallow all\ncmdport 0\nbindcmdaddress /\npidfile ${join(folder, "chrony.pid")}\n`,
  );
  // -x: the clock of this computer is left alone.
  const server = new Program("chronyd", "-d", "-x", "-u", "root", "-f", file);
  await server.said(/chronyd version/);
  const cli = await startDevice(t, "sntp");
  const today = new Date();
  await cli.line((line) => line.includes(`date ${today.getUTCFullYear()}-`));
  await stopDevice(t, cli);
  await server.stop();
});

namespaceTest(
  "syslog: rsyslogd takes the parts of a message of RFC 5424",
  ["rsyslogd"],
  async (t) => {
    const file = written(
      "rsyslog.conf",
      [
        'module(load="imudp")',
        'input(type="imudp" port="514")',
        'template(name="parts" type="string" string="from %hostname% by %app-name%, severity %syslogseverity%:%msg%\\n")',
        `*.* action(type="omfile" file="${join(folder, "log")}" template="parts")`,
      ].join("\n"),
    );
    const pid = join(folder, "rsyslog.pid");
    const daemon = new Program("rsyslogd", "-n", "-f", file, "-i", pid);
    const log = new Program("tail", "-n", "+1", "-F", join(folder, "log"));
    const cli = await startDevice(t, "syslog");
    await log.said(/from lamp by \S+, severity \d:.*\w/);
    await stopDevice(t, cli);
    await daemon.stop();
    await log.stop();
  },
);

const AVAHI = ["dbus-daemon", "avahi-daemon", "avahi-resolve", "avahi-browse"];
namespaceTest(
  "mDNS: avahi finds the device's name, its address and its web server",
  AVAHI,
  async (t) => {
    const address = `unix:path=${join(folder, "bus")}`;
    const bus = new Program(
      "dbus-daemon",
      "--nofork",
      "--print-address",
      `--config-file=${written(
        "bus.conf",
        `<busconfig><listen>${address}</listen><auth>EXTERNAL</auth><policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
      )}`,
    );
    await bus.said(/unix:path/);
    const on = ["env", `DBUS_SYSTEM_BUS_ADDRESS=${address}`];
    const cli = await startDevice(t, "demo");
    const settings = written(
      "avahi.conf",
      `[server]\nhost-name=linux\nallow-interfaces=${TAP}\nuse-ipv6=no\n[publish]\npublish-hinfo=no\n`,
    );
    const daemon = new Program(
      ...[...on, "avahi-daemon", "--no-drop-root", "--no-chroot", "--no-rlimits", "-f", settings],
    );
    await daemon.said(/Server startup complete/);
    t.regex(await peer(...on, "avahi-resolve", "-4", "-n", "lamp.local"), new RegExp(DEVICE));
    const found = await peer(...on, "avahi-browse", "-r", "-t", "-p", "_http._tcp");
    t.regex(found, new RegExp(`=;${TAP};IPv4;lamp;[^;]*;local;lamp.local;${DEVICE};80`));
    await stopDevice(t, cli);
    await daemon.stop();
    await bus.stop();
  },
);
