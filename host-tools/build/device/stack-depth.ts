import { UserError } from "../../errors.js";
import { sourceName } from "./wasm2c.js";

/** How deep the stack can get, from the compiler's own figures. */
export interface StackDepth {
  /** Bytes from start-up to the deepest call, then a fault there and the last words that it sends. */
  bytes: number;
  /** The calls that lead there, outermost first; names as in the sources where they have one. */
  path: string[];
}

/** What the processor pushes when it takes an exception (ARMv6-M B1.5.6), with the word that aligns the frame. */
const EXCEPTION_BYTES = 36;

/** Functions of libgcc (division, shifts, bit counting) come without figures; the largest uses less than this. */
const LIBRARY_BYTES = 48;

interface Node {
  bytes: number;
  calls: Set<string>;
}

/**
 * The deepest stack by walking the call graph that gcc writes (-fcallgraph-info=su, one text per C file). Device code has
 * neither recursion nor function pointers, so the walk is finite and the result a bound, not an estimate.
 *
 * @throws UserError on recursion and on indirect calls, which would make it neither.
 */
export function stackDepth(graphs: string[], roots = ["start", "fault"]): StackDepth {
  const nodes = new Map<string, Node>();
  for (const graph of graphs) readGraph(graph, nodes);
  const known = new Map<string, StackDepth>();
  const walk = (name: string, above: string[]): StackDepth => {
    const before = known.get(name);
    if (before) return before;
    if (name === "__indirect_call") {
      throw new UserError(
        `${readable(above.at(-1) ?? "?")} calls through a function value, which device code must not`,
      );
    }
    if (above.includes(name)) {
      const circle = [...above.slice(above.indexOf(name)), name].map(readable).join(" calls ");
      throw new UserError(`device code must not be recursive: ${circle}`);
    }
    const node = nodes.get(name) ?? { bytes: LIBRARY_BYTES, calls: new Set<string>() };
    let deepest: StackDepth = { bytes: 0, path: [] };
    for (const call of node.calls) {
      const depth = walk(call, [...above, name]);
      if (depth.bytes > deepest.bytes) deepest = depth;
    }
    const depth = { bytes: node.bytes + deepest.bytes, path: [readable(name), ...deepest.path] };
    known.set(name, depth);
    return depth;
  };
  const [program, fault] = roots.map((root) => {
    const name = nodes.has(`startup.c:${root}`) ? `startup.c:${root}` : root;
    return walk(name, []);
  }) as [StackDepth, StackDepth | undefined];
  return {
    bytes: program.bytes + EXCEPTION_BYTES + (fault?.bytes ?? 0),
    path: program.path,
  };
}

/** One line a node or call; a node's label ends in the bytes of its frame. */
function readGraph(graph: string, nodes: Map<string, Node>): void {
  const nodeOf = (name: string): Node => {
    let node = nodes.get(name);
    if (!node) nodes.set(name, (node = { bytes: LIBRARY_BYTES, calls: new Set() }));
    return node;
  };
  for (const line of graph.split("\n")) {
    const title = /^node: \{ title: "([^"]+)" label: "([^"]*)"/.exec(line);
    if (title) {
      const node = nodeOf(title[1] as string);
      const bytes = /\\n(\d+) bytes \((\w+)/.exec(title[2] as string);
      if (bytes) node.bytes = Number(bytes[1]);
      continue;
    }
    const edge = /^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"/.exec(line);
    if (edge) nodeOf(edge[1] as string).calls.add(edge[2] as string);
  }
}

function readable(name: string): string {
  const symbol = name.replace(/^[\w.-]+\.c:/, "");
  return sourceName(symbol) ?? symbol;
}
