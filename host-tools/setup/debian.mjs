// Debian packages that the tests use: compilers and emulators for the device images, and real network clients. Where they
// cannot be installed, the tests that need them skip and say so.
import { spawnSync } from "node:child_process";

/** Package by the program that shows it is there. */
const PACKAGES = {
  "arm-none-eabi-gcc": ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"],
  gcc: ["gcc", "libc6-dev"],
  "qemu-system-arm": ["qemu-system-arm"],
  stm32flash: ["stm32flash"],
  socat: ["socat"],
  ip: ["iproute2"],
  ping: ["iputils-ping"],
  curl: ["curl"],
  iperf: ["iperf"],
  ab: ["apache2-utils"],
  tshark: ["tshark"],
  mosquitto: ["mosquitto"],
  mosquitto_pub: ["mosquitto-clients"],
  telnet: ["inetutils-telnet"],
  dnsmasq: ["dnsmasq-base"],
  chronyd: ["chrony"],
  rsyslogd: ["rsyslog"],
  "dbus-daemon": ["dbus-daemon"],
  "avahi-daemon": ["avahi-daemon"],
  "avahi-browse": ["avahi-utils"],
  aiosmtpd: ["python3-aiosmtpd"],
  chromium: ["chromium"],
};

function found(program) {
  return spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;
}

/** Installs what is missing when this is Debian and we are root; says in one line what stays missing. */
export function ensureDebianPackages() {
  const missing = Object.keys(PACKAGES).filter((program) => !found(program));
  if (missing.length === 0) return;
  const names = missing.flatMap((program) => PACKAGES[program]);
  if (!found("apt-get") || process.getuid?.() !== 0) {
    process.stderr.write(
      `as-tcpip: tests that need ${missing.join(", ")} will be skipped; to run them: apt-get install ${names.join(" ")}\n`,
    );
    return;
  }
  process.stderr.write(`as-tcpip: installing Debian packages: ${names.join(" ")} ...\n`);
  const options = {
    stdio: ["ignore", "ignore", "inherit"],
    // At run level 1 no package starts its service.
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
  };
  spawnSync("apt-get", ["update", "-qq"], options);
  const done = spawnSync(
    "apt-get",
    ["install", "-y", "-qq", "--no-install-recommends", ...names],
    options,
  );
  if (done.status !== 0) {
    process.stderr.write(
      "as-tcpip: not all packages could be installed; tests that need them will be skipped\n",
    );
  }
}
