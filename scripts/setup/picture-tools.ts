import { existsSync } from "node:fs";
import { join } from "node:path";
import { needed } from "./needed.ts";

const folder = join(import.meta.dirname, "../../tools/pictures");
/** npm leaves it last, so an interrupted install is done again. */
const installed = join(folder, "node_modules/.package-lock.json");

/** Whether Markdown and Mermaid can be drawn as GitHub does. */
export function hasPictureTools(): boolean {
  return existsSync(installed);
}

/** The packages that draw them, at the versions of their own lock file; got once. Says what there is. */
export async function ensurePictureTools(): Promise<string> {
  const npm = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  if (!hasPictureTools()) await needed("npm", npm, { cwd: folder });
  return "markdown-it, mermaid";
}
