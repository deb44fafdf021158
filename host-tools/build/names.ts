/**
 * What device code may import by name. These names are the package's promise to applications; everything else of it may
 * move. The same list is in `exports` of package.json and in `paths` of tsconfig.app.json, for editors (a test compares
 * them).
 */
export const DEVICE_NAMES: Readonly<Record<string, string>> = {
  "as-tcpip/net": "firmware/net/index",
  "as-tcpip/gpio": "firmware/net/gpio",
  "as-tcpip/http": "firmware/services/http/face",
  "as-tcpip/mqtt": "firmware/mqtt/client",
  "as-tcpip/log": "hal/names/log",
  "as-tcpip/text": "hal/names/text",
  "as-tcpip/time": "hal/names/time",
  "as-tcpip/assets": "firmware/net/assets",
  "as-tcpip/settings": "firmware/net/settings",
  "as-tcpip/netstat": "firmware/net/netstat",
};

/** Folders of the package that hold device code. */
const TOPS = ["firmware", "hal", "drivers", "stack", "test"];

/** True for a path relative to the package that is device code of the package. */
export function isDeviceSource(path: string): boolean {
  return TOPS.includes(path.split("/", 1)[0] as string);
}

/**
 * The file behind a name that begins with `as-tcpip/`, relative to the package and without `.ts`: one of the names above,
 * or a path inside the package (`as-tcpip/hal/virtual/board`), which boards and drivers of one's own need.
 */
export function deviceName(specifier: string): string | undefined {
  const named = DEVICE_NAMES[specifier];
  if (named !== undefined) return named;
  const path = specifier.slice("as-tcpip/".length);
  return specifier.startsWith("as-tcpip/") && isDeviceSource(path) ? path : undefined;
}
