/** The monthly test of the way back: data of its own is backed up, lost, restored, and compared document by document. */
import { serialize } from "bson";
import { durationWords, type Objective } from "../failback/objectives.ts";
import { sha256Of } from "../sha256.ts";
import type { LevelVerdict } from "./documents.ts";
import { backupId, backupsPrefix } from "./layout.ts";

/** The only database a test writes to, and drops. Reserved: no DMS task can name it (core/tasks/names.ts). */
export const drTestDatabase = "roundtrip_dr_test";
export const drTestsPrefix = `${backupsPrefix}dr-tests/`;
/** There while a test runs: by it the next one knows that what a killed one left is its own. */
export const openDrTestKey = `${drTestsPrefix}open.json`;
/** The first of each month, UTC. */
export const drTestSchedule = "30 3 1 * *";
export const drTestDocuments = 10_000;

export function drTestKeys(id: string) {
  return { result: `${drTestsPrefix}${id}.json`, archive: `${drTestsPrefix}${id}/dump.archive.gz` };
}

export function drTestId(startedAt: Date): string {
  return backupId(startedAt);
}

/** `backups/requests/dr-test.json`. */
export interface DrTestRequest {
  readonly version: 1;
  /** The operation that asks. */
  readonly request: string;
  readonly documents: number;
}

/** `backups/dr-tests/<id>.json` */
export interface DrTestResult {
  readonly version: 1;
  readonly id: string;
  readonly environment: string;
  readonly request?: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** PROVEN: every document is back, byte by byte. UNKNOWN: the test did not get that far. */
  readonly verdict: LevelVerdict;
  readonly documents: number;
  readonly objectives: readonly Objective[];
  /** A line each; what differs first. */
  readonly findings: readonly string[];
}

/** The document of a number: its content follows from the test's id, so that nothing has to be remembered to check it. */
export function drTestDocument(id: string, number: number) {
  const seed = sha256Of(`${id}/${number}`);
  return { _id: number, number, test: id, text: seed.repeat(1 + (number % 16)) };
}

/** The same as the server keeps it: the driver writes it so. */
export function drTestBytes(id: string, number: number): Uint8Array {
  return serialize(drTestDocument(id, number));
}

/** Data back and every objective met. */
export function passed({ verdict, objectives }: Pick<DrTestResult, "verdict" | "objectives">): boolean {
  return verdict === "PROVEN" && objectives.every(isMet);
}

function isMet({ measuredMs, maxMs }: Objective): boolean {
  return measuredMs !== undefined && measuredMs < maxMs;
}

/** `RTO 3 s (< 1 h), RPO 12 s (< 1 min)` */
export function objectiveWords(objectives: readonly Objective[]): string {
  if (objectives.length === 0) return "nothing measured";
  return objectives
    .map(({ name, measuredMs, maxMs }) => {
      const measured = measuredMs === undefined ? "not known" : durationWords(measuredMs);
      return `${name} ${measured} (< ${durationWords(maxMs)})`;
    })
    .join(", ");
}

/** What keeps a test from having passed, in one line. */
export function shortfall({ verdict, objectives, findings }: DrTestResult): string {
  const missed = objectives.filter((one) => !isMet(one));
  const data = verdict === "PROVEN" ? [] : [`${verdict}: ${findings[0] ?? "nothing found"}`];
  return [...data, ...(missed.length > 0 ? [`missed: ${objectiveWords(missed)}`] : [])].join("; ");
}
