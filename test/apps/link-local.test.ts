/** Devices without a DHCP server (AUTO_IP, RFC 3927) on one network: they reach each other, give way to who has their address, and take the lease of a server that comes later. */
import test from "ava";
import { formatAddress, parseAddress, parseHostCidr } from "../../host-tools/net/addresses.js";
import { DhcpServer } from "../../host-tools/net/dhcp-server.js";
import { DHCP_MAC } from "../../host-tools/sim/world-lan.js";
import { Lan, type Device } from "../../host-tools/testing/index.js";

const AUTO = { AUTO_IP: 1 };

/** The latest address of its own that the device has told. */
async function linkLocal(device: Device): Promise<string> {
  const line = await device.logged(/link-local address/, 120_000);
  return /169\.254\.\d+\.\d+/.exec(line)?.[0] ?? "none";
}

function addDhcp(lan: Lan): void {
  const subnet = parseHostCidr("192.168.77.1/24");
  const port = lan.ethernet.attach("dhcp", (frame) => void server.handle(frame));
  const server = new DhcpServer({
    clock: lan.clock,
    mac: DHCP_MAC,
    subnet,
    router: subnet.address,
    dns: subnet.address,
    leaseSeconds: 3600,
    reserved: new Map(),
    send: port.send,
  });
}

test("two devices without a DHCP server: a page from one to the other; a conflict; a server that comes later gives both a lease", async (t) => {
  const lan = new Lan({ dhcp: false, network: "169.254.0.1/16" });
  const web = await lan.device({ app: "http", options: AUTO });
  const address = await linkLocal(web);
  const get = await lan.device({
    app: "get",
    options: AUTO,
    hosts: [{ name: "web", address: parseAddress(address) }],
  });
  t.not(await linkLocal(get), address);
  t.regex(await get.logged(/^GET/), /^GET 200: /);
  // Somebody else has the address, and stays.
  const other = lan.station(address, "02:aa:00:00:00:07");
  const claim = other.to(web).arpRequest({ targetAddress: parseAddress(address) });
  const before = web.log.length;
  other.send(claim);
  await lan.sleep(1000);
  other.send(claim);
  const next = (): string[] =>
    web.log.slice(before).flatMap(({ text }) => /link-local address (\S+)/.exec(text)?.[1] ?? []);
  await lan.until(() => next().length > 0, "another address");
  t.notDeepEqual(next(), [address]);
  t.is(formatAddress(web.addressNumber), next()[0] ?? "");
  addDhcp(lan);
  for (const device of [web, get])
    t.regex(
      await device.logged(/^lease 1/, 300_000),
      /^lease 192\.168\.77\.\d+ from 192\.168\.77\.1 /,
    );
  lan.close();
});
