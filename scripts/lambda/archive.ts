import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Zippable, zipSync } from "fflate";
import { sha256Of } from "../../core/sha256.ts";

const root = join(import.meta.dirname, "../..");
/** Zip keeps local time without a zone: made of local parts, it is the same bytes everywhere. */
const fixedTime = new Date(1980, 0, 1);
const unix = 3;
const readableFile = 0o100644 << 16;

/**
 * Writes the archive of a lambda: `entry` (a path below the root) with all it needs as `index.mjs`, and `files` beside it. The same
 * sources give the same bytes, wherever and whenever they are built: Terraform sees a new hash only for new code. Gives a line
 * that says what was written.
 */
export async function writeArchive(entry: string, outfile: string, files: Zippable = {}): Promise<string> {
  const index = new TextEncoder().encode(await bundle(entry));
  const all = { ...files, "index.mjs": index };
  const archive = zipSync(all, { level: 9, mtime: fixedTime, os: unix, attrs: readableFile });
  mkdirSync(dirname(outfile), { recursive: true });
  writeFileSync(`${outfile}.${process.pid}`, archive);
  renameSync(`${outfile}.${process.pid}`, outfile);
  return `${relative(process.cwd(), outfile)}: ${archive.length} bytes, sha256 ${sha256Of(archive)}`;
}

/** One ES module for Node, with all it needs; nothing of it names the folder it was built in. */
async function bundle(entry: string): Promise<string> {
  const built = await Bun.build({
    entrypoints: [join(root, entry)],
    root,
    target: "node",
    format: "esm",
    minify: { whitespace: true, syntax: true, identifiers: false },
    sourcemap: "none",
  });
  const text = await built.outputs[0]!.text();
  if (text.includes(root)) {
    throw new Error(
      `the bundle names ${root}, so its bytes depend on the folder: a package in it uses __dirname`,
    );
  }
  return text;
}
