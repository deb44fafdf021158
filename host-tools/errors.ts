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
