import { copyFileSync, linkSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/** Bundles the fixture program into `folder`, beside the bun that runs it. */
export async function buildProgram(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const built = await Bun.build({
    entrypoints: [join(import.meta.dirname, "fixtures/unit-program.ts")],
    target: "bun",
    outdir: folder,
    naming: "[name].js",
  });
  if (!built.success) throw new Error(`bundle the fixture program: ${built.logs.join("\n")}`);
  const bun = join(folder, "bun");
  try {
    linkSync(process.execPath, bun);
  } catch {
    // Another file system: a copy does as well.
    copyFileSync(process.execPath, bun);
  }
}
