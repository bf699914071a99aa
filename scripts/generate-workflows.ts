import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { operations, runbooks } from "../runbooks/catalog.ts";
import { runbookWorkflow } from "./workflows/runbook-workflow.ts";

/** Writes `.github/workflows/<runbook>.yml` for every runbook of the catalog; tests/workflows holds them to it. */
const folder = join(import.meta.dirname, "../.github/workflows");
for (const runbook of [...runbooks, ...operations])
  await writeFile(join(folder, `${runbook.name}.yml`), runbookWorkflow(runbook));
process.stderr.write(`${runbooks.length + operations.length} workflows in ${folder}\n`);
