import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";

const read = (file: string): string => readFileSync(join(packageRoot, file), "utf8");

/** Where a heading can be reached, by GitHub's rule: small letters, hyphens for spaces, nothing else but letters and digits. */
function anchorsOf(file: string): string[] {
  const prose = read(file).replace(/^```[^]*?^```/gm, "");
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

test("links of the documents lead to files and headings that are there", (t) => {
  const pages = ["README.md", "CHANGELOG.md"].concat(
    readdirSync(join(packageRoot, "docs"))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
  );
  const broken: string[] = [];
  let seen = 0;
  for (const page of pages) {
    for (const [, link = ""] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      seen += 1;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : join(dirname(page), path);
      const there = existsSync(join(packageRoot, target));
      if (!there || (anchor !== undefined && !anchorsOf(target).includes(anchor))) {
        broken.push(`${page}: ${link}`);
      }
    }
  }
  t.true(seen > 80, String(seen));
  t.deepEqual(broken, []);
});
