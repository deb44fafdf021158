/**
 * An error that the person at the terminal can mend: shown as one line that says what is wrong and what to do, without a
 * stack, and the command ends with `exitCode`. Everything else that is thrown is a bug and keeps its stack.
 */
export class UserError extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
    this.name = "UserError";
  }
}

/** Errors of the file system that are nobody's fault here, and what to do. */
const DISK_FAULTS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EACCES: "there is no right to",
  EPERM: "there is no right to, or another program has it open",
  EBUSY: "another program has it open",
  EMFILE: "too many files are open",
};

/** One line for an error of the file system that the person can mend; undefined for every other error. `file`: what it was about. */
export function diskFault(error: unknown, file = "a file"): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path, dest, syscall } = error as NodeJS.ErrnoException & { dest?: string };
  const why = DISK_FAULTS[code ?? ""];
  // What belongs to a socket or a process has another call in it.
  if (
    why === undefined ||
    !/^(open|write|mkdir|mkdtemp|rename|copyfile|unlink|ftruncate|fsync|scandir)/.test(
      syscall ?? "",
    )
  ) {
    return undefined;
  }
  return `cannot write ${dest ?? path ?? file} (${code}): ${why}`;
}

/**
 * What is shown of an error that nobody but we can mend: the stack, that it is our fault, and what a report of it needs. `args` are those of
 * the command line, `version` that of the package.
 */
export function faultText(error: unknown, args: string[], version: string): string {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const system = `${process.platform} ${process.arch}, Node ${process.version}`;
  return [
    what,
    "as-tcpip: this is a fault of as-tcpip itself. Please report it with all of the text above and these lines:",
    `as-tcpip ${version}, ${system}: as-tcpip ${args.join(" ")}`,
    "",
  ].join("\n");
}
