/* global AbortSignal, EventSource, clearTimeout, document, fetch, location, setTimeout */
const $ = (id) => document.getElementById(id);

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

const fill = (id, children) => $(id).replaceChildren(...children);

function box(...parts) {
  const made = element("div", "");
  made.append(...parts);
  return made;
}

const fact = (name, value) => box(element("small", name), element("b", value));

function pool(name, { used, size }) {
  const bar = element("div", "", "bar");
  const level = element("i", "");
  level.style.width = `${(100 * used) / (size || 1)}%`;
  bar.append(level);
  const words = name.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
  return box(element("small", `${words}: ${used} of ${size}`), bar);
}

function row(socket) {
  const line = element("tr", "", socket.state.toLowerCase());
  for (const key of ["type", "state", "local", "remote", "in", "out"])
    line.append(element("td", socket[key]));
  return line;
}

const counter = ([name, value]) => box(element("span", name), element("b", value.toLocaleString()));

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

const state = ({ link }) => (link.up ? `${link.mbit} Mbit/s, ${link.duplex}` : "link down");

const network = (n) => [
  n.name ? fact(n.name, state(n)) : "",
  fact("Address", n.address),
  fact("Mask", n.mask),
  fact("Gateway", n.gateway),
  fact("Name server", n.dns),
  fact("MAC", n.mac),
  fact("Lease", lease(n.dhcp.lease)),
];

function pill(text, state) {
  $("link").textContent = text;
  $("link").className = `pill ${state}`;
}

let uptime = 0;

function show(s) {
  // A new start may be a new page.
  if (s.uptime < uptime) location.reload();
  uptime = s.uptime;
  $("board").textContent = `${s.board}, ${s.chip} (version ${s.chipVersion})`;
  pill(state(s), s.link.up ? "up" : "down");
  const facts = [fact("Uptime", time(s.uptime)), fact("Host name", s.hostName)];
  fill("facts", facts.concat((s.interfaces ?? [s]).flatMap(network)));
  fill(
    "pools",
    Object.entries(s.pools).map(([name, p]) => pool(name, p)),
  );
  fill("sockets", s.sockets.map(row));
  const counters = [...Object.entries(s.counters), ...Object.entries(s.nic)];
  fill("counters", counters.filter(([, value]) => value).map(counter));
}

/** As too many listen to the events, the status is asked for a while. */
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
