/** Builds dist/notify.zip, the archive of the lambda that tells Slack: `bun scripts/build-notify.ts [--outfile <path>]`. */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeArchive } from "./lambda/archive.ts";

const { values } = parseArgs({
  options: { outfile: { type: "string", default: join(import.meta.dirname, "../dist/notify.zip") } },
});
process.stdout.write(`${await writeArchive("services/notify/main.ts", resolve(values.outfile))}\n`);
