/** The requirement list, and the evidence that a run of tests leaves for it. */

/** Where a run leaves its evidence, from the project's root. */
export const EVIDENCE = "build/conformance";

/** One requirement of `requirements.json`. */
export interface Requirement {
  /** The number: of RFC 9293 appendix B, or ours. */
  id: string;
  /** RFC and section, or the class of attacks. */
  source: string;
  /** The RFC's own sentence, or the rule that several of them make. */
  text: string;
  /** Why it is not to be met. */
  waived?: string;
  /** What is missing, or what to know beside the proof. */
  note?: string;
}

/** A test that passed, and what it proves. */
export interface Evidence {
  file: string;
  title: string;
  ids: string[];
}

/** The requirement numbers with which a title begins; `A-1..3` is a range. Other words of that form are passed over. */
export function idsOf(title: string, known: ReadonlySet<string>): string[] {
  const prefix = title.slice(0, Math.max(0, title.indexOf(": ")));
  const ids: string[] = [];
  for (const match of prefix.matchAll(
    /(?<![\w-])([A-Z][A-Z0-9]*)-(\d+)(?:\.\.(?:\1-)?(\d+))?(?![\w-])/g,
  )) {
    for (let number = Number(match[2]); number <= Number(match[3] ?? match[2]); number++)
      ids.push(`${match[1]}-${number}`);
  }
  return ids.filter((id) => known.has(id));
}
