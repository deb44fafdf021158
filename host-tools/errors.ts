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
