/** Starts the database stand-in once and runs areas of the specifications on it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDatabase } from "../../sandbox/up/database.ts";
import { type Area, areas } from "./areas.ts";
import { type AreaReport, summarize } from "./report.ts";
import { type Outcome, Runner } from "./runner.ts";
import { loadCaseFiles } from "./schema.ts";

export interface Choice {
  /** The folder `source/` of a checkout of mongodb/specifications. */
  readonly root: string;
  readonly areas: readonly Area[];
  /** A part of the file's path. */
  readonly file?: string;
  /** A part of the case's description. */
  readonly test?: string;
  /** Told of each area when it is done. */
  readonly onArea?: (report: AreaReport) => void;
}

async function runArea(
  runner: Runner,
  area: Area,
  { root, file = "", test = "" }: Choice,
): Promise<AreaReport> {
  const outcomes: Outcome[] = [];
  for (const named of loadCaseFiles(root, areas[area])) {
    if (!named.path.includes(file)) continue;
    outcomes.push(...(await runner.runFile(named, (description) => description.includes(test))));
  }
  return summarize(area, outcomes);
}

/** Runs them one after the other; with MONGOD set, on that server. */
export async function runAreas(choice: Choice): Promise<AreaReport[]> {
  const directory = mkdtempSync(join(tmpdir(), "specifications-"));
  try {
    await using database = await startDatabase({ dir: join(directory, "data") });
    const runner = await Runner.connect(database.ready.uri);
    try {
      const reports: AreaReport[] = [];
      for (const area of choice.areas) {
        const report = await runArea(runner, area, choice);
        choice.onArea?.(report);
        reports.push(report);
      }
      return reports;
    } finally {
      await runner.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
