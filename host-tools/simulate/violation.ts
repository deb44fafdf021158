/** Something that must never be, found in a simulated run. */
export class Violation extends Error {
  constructor(
    /** The rule, without numbers: what tells one fault from another. */
    readonly kind: string,
    detail = "",
  ) {
    super(detail === "" ? kind : `${kind}: ${detail}`);
  }
}
