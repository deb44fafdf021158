/** The part of the WebAssembly JavaScript interface that the host tools use; Node has it, its type package does not. */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB and returns the former number of pages. */
    grow(pages: number): number;
  }
  type ExportValue = ((...args: number[]) => number) | Memory;
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { module: string; name: string; kind: string }[];
    static exports(module: Module): { name: string; kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, ExportValue>;
  }
  /** What a trap throws. */
  class RuntimeError extends Error {}
}
