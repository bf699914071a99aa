/** What people read of a run, kept as Markdown in the folder WORKFLOW_PAGES names; nowhere when it names none. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ActRun } from "./act.ts";

/** The summary of each job of a run; `run` sorts the pages. */
export function keepPages(run: string, workflow: string, { jobs }: ActRun): void {
  for (const { name, summary } of jobs) {
    const job = name.split("/").at(-1) ?? name;
    if (summary !== "") keepPage(`${run}-${workflow}-${job}`, summary);
  }
}

/** A comment or an issue. */
export function keepPage(name: string, text: string): void {
  const folder = process.env.WORKFLOW_PAGES;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name.replace(/[^A-Za-z0-9]+/g, "-")}.md`), text);
}
