/**
 * Draws docs/pictures/*.png from real runs on the stand-ins: `bun tests/pictures/main.ts [NAME…]`. Needs chromium, terraform,
 * and `npm ci` in tools/pictures. Look at each picture before it is committed.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { draw } from "./browser.ts";
import { drawingFolder } from "./page.ts";
import { applySources, failbackSources, type Sources } from "./sources.ts";

const folder = join(import.meta.dirname, "../../docs/pictures");
const wanted = process.argv.slice(2);
if (!existsSync(drawingFolder))
  throw new Error(`nothing in ${drawingFolder}: run npm ci in tools/pictures first`);
mkdirSync(folder, { recursive: true });
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name);

/** One world after the other: each starts databases. */
for (const make of [failbackSources, applySources]) await drawAll(make);

async function drawAll(make: () => Promise<Sources>): Promise<void> {
  for (const [name, markdown] of Object.entries(await make()).filter(([name]) => isWanted(name))) {
    const { height } = await draw(markdown, join(folder, `${name}.png`));
    process.stderr.write(`docs/pictures/${name}.png: ${height} pixels high\n`);
  }
}
