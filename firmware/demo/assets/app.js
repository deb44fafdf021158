/* global AbortSignal, EventSource, clearTimeout, document, fetch, location, setTimeout */
const $ = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function fill(id, children) {
  $(id).replaceChildren(...children);
}

function fact(name, value) {
  const box = element("div", "");
  box.append(element("small", name), element("b", value));
  return box;
}

function pool(name, { used, size }) {
  const box = element("div", "");
  const bar = element("div", "", "bar");
  const level = element("i", "");
  level.style.width = `${(100 * used) / (size || 1)}%`;
  bar.append(level);
  const words = name.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
  box.append(element("small", `${words}: ${used} of ${size}`), bar);
  return box;
}

function row(socket) {
  const line = element("tr", "", socket.state.toLowerCase());
  for (const key of ["type", "state", "local", "remote"]) line.append(element("td", socket[key]));
  for (const key of ["in", "out"]) line.append(element("td", socket[key], "n"));
  return line;
}

function counter([name, value]) {
  const box = element("div", "");
  box.append(element("span", name), element("b", value.toLocaleString()));
  return box;
}

function time(seconds) {
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  const clock = `${two((seconds / 3600) % 24)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days ? `${days} d ${clock}` : clock;
}

function lease(seconds) {
  if (seconds === 0) return "none";
  return seconds === 0xffffffff ? "for ever" : time(seconds);
}

function pill(text, state) {
  $("link").textContent = text;
  $("link").className = `pill ${state}`;
}

let uptime = 0;

function show(s) {
  // It has started again: its page may be another one.
  if (s.uptime < uptime) location.reload();
  uptime = s.uptime;
  $("board").textContent = `${s.board}, ${s.chip} (version ${s.chipVersion})`;
  pill(
    s.link.up ? `${s.link.mbit} Mbit/s, ${s.link.duplex}` : "link down",
    s.link.up ? "up" : "down",
  );
  fill("facts", [
    fact("Uptime", time(s.uptime)),
    fact("Address", s.address),
    fact("Mask", s.mask),
    fact("Gateway", s.gateway),
    fact("Name server", s.dns),
    fact("Host name", s.hostName),
    fact("MAC", s.mac),
    fact("Lease", lease(s.dhcp.lease)),
  ]);
  fill(
    "pools",
    Object.entries(s.pools).map(([name, p]) => pool(name, p)),
  );
  fill("sockets", s.sockets.map(row));
  const counters = [...Object.entries(s.counters), ...Object.entries(s.nic)];
  fill("counters", counters.filter(([, value]) => value).map(counter));
}

/** Events first; who gets none, as too many listen already, asks once a second and tries again after a while. */
const SILENCE_MS = 5000;
const ASKS = 30;

function listen() {
  const source = new EventSource("/api/events");
  let silent;
  const again = () => {
    pill("no answer", "down");
    source.close();
    listen();
  };
  const hear = () => {
    clearTimeout(silent);
    silent = setTimeout(again, SILENCE_MS);
  };
  source.onmessage = ({ data }) => {
    hear();
    show(JSON.parse(data));
  };
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return;
    clearTimeout(silent);
    ask(ASKS);
  };
  hear();
}

async function ask(times) {
  try {
    const response = await fetch("/api/status", { signal: AbortSignal.timeout(4000) });
    show(await response.json());
  } catch {
    pill("no answer", "down");
  }
  if (times > 0) setTimeout(ask, 1000, times - 1);
  else listen();
}

listen();
