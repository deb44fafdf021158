/** A number for a table: thousands apart, `-` for none. */
export function number(value: number | undefined): string {
  if (value === undefined) return "-";
  return Math.round(value).toLocaleString("en-US");
}

/** Rows under a heading: the first column to the left, all others to the right. */
export function table(heading: string[], rows: string[][]): string {
  const all = [heading, ...rows];
  const widths = heading.map((_cell, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return all.map(line).join("\n");
}
