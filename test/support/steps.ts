/** Programs of test/device that do one thing after the other tell what came of each in their log: `step 3 gives -11`. */

/** The steps of a log in order: number and result. */
export function stepsOf(log: readonly { text: string }[]): [step: number, result: number][] {
  return log.flatMap(({ text }) => {
    const found = /^step (\d+) gives (-?\d+)/.exec(text);
    return found ? [[Number(found[1]), Number(found[2])] as [number, number]] : [];
  });
}
