/** Bars that belong together, in the order of the series. */
export interface BarGroup {
  label: string;
  bars: number[];
}

const COLOURS = ["#1f6feb", "#8b949e", "#d29922", "#2da44e"];
const GROUP_MIN = 84;
/** A character of a label, about. */
const CHARACTER = 6.2;
const HEIGHT = 320;
const LEFT = 64;
const TOP = 48;

/** A figure on top of a bar: whole, or with one digit more where it is small. */
function figure(value: number): string {
  return String(value < 100 ? Number(value.toFixed(1)) : Math.round(value));
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c] as string);
}

/** A bar chart as an SVG document: groups side by side, each scaled to its own largest bar, figures on top. */
export function barChart(title: string, series: string[], groups: BarGroup[]): string {
  const longest = Math.max(...groups.map(({ label }) => label.length));
  const room = Math.max(GROUP_MIN, Math.ceil(longest * CHARACTER) + 14);
  const width = LEFT * 2 + groups.length * room;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT + TOP + 60}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="${LEFT}" y="20" font-size="15">${escape(title)}</text>`,
  ];
  series.forEach((name, i) => {
    const x = LEFT + i * 180;
    parts.push(`<rect x="${x}" y="28" width="10" height="10" fill="${COLOURS[i]}"/>`);
    parts.push(`<text x="${x + 14}" y="37">${escape(name)}</text>`);
  });
  const bottom = TOP + HEIGHT;
  const bar = (room - 14) / series.length;
  groups.forEach((group, g) => {
    const most = Math.max(...group.bars, 1);
    const x0 = LEFT + g * room;
    group.bars.forEach((value, i) => {
      if (value <= 0) return;
      const height = (value / most) * (HEIGHT - 24);
      const x = x0 + i * bar;
      const y = bottom - height;
      parts.push(
        `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${(bar - 2).toFixed(1)}" height="${height.toFixed(1)}" fill="${COLOURS[i]}"/>`,
        `<text x="${(x + bar / 2).toFixed(1)}" y="${(y - 3).toFixed(1)}" text-anchor="middle" font-size="8">${figure(value)}</text>`,
      );
    });
    parts.push(
      `<text x="${x0 + (room - 14) / 2}" y="${bottom + 16}" text-anchor="middle">${escape(group.label)}</text>`,
    );
  });
  parts.push("</svg>");
  return parts.join("\n");
}
