import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { declarationsOf } from "./terraform-docs/declarations.ts";
import { withTables } from "./terraform-docs/tables.ts";

const terraform = join(import.meta.dirname, "../terraform");

/**
 * README.md of each root, module and example by its path, with the tables of inputs and outputs as the files beside it
 * declare them. Throws where a folder has no README.md: what it is for can't be generated.
 */
export function terraformPages(): ReadonlyMap<string, string> {
  const below = (folder: string) => readdirSync(join(terraform, folder)).map((name) => join(folder, name));
  const folders = ["bootstrap", "stack", ...below("modules"), ...below("examples")].sort();
  return new Map(folders.map((folder) => pageOf(join(terraform, folder))));
}

function pageOf(folder: string): [path: string, text: string] {
  const path = join(folder, "README.md");
  if (!existsSync(path)) throw new Error(`${relative(terraform, path)} is missing: say there what it is for`);
  const files = readdirSync(folder).filter((file) => file.endsWith(".tf"));
  const texts = files.sort().map((file) => readFileSync(join(folder, file), "utf8"));
  return [path, withTables(readFileSync(path, "utf8"), declarationsOf(texts))];
}

if (import.meta.main) {
  const pages = terraformPages();
  for (const [path, text] of pages) writeFileSync(path, text);
  process.stderr.write(`${pages.size} pages of terraform/\n`);
}
