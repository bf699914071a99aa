/** What a verification of a backup comes to. */
import type { BackupManifest, BackupRun, LevelVerdict, Verification } from "./documents.ts";

export type Level = 1 | 2 | 3;
export type LevelResult = Verification["levels"][number];

/** What each level looks at, for people. */
export const levelMeanings: Readonly<Record<Level, string>> = {
  1: "the archive as it is stored: size and sha256",
  2: "what is in the archive: every document, counts, content and CRCs",
  3: "restored into the scratch server: collections, counts, options, indexes and content",
};

/** DIFFERS where one level differs; PROVEN only when each level that was asked for is. */
export function verdictOf(asked: readonly Level[], results: readonly LevelResult[]): LevelVerdict {
  if (results.some(({ verdict }) => verdict === "DIFFERS")) return "DIFFERS";
  const isProven = (level: Level) => results.some((one) => one.level === level && one.verdict === "PROVEN");
  return asked.length > 0 && asked.every(isProven) ? "PROVEN" : "UNKNOWN";
}

/** Reads `1,2,3` in any order; `undefined` for anything else. */
export function levelsOf(text: string): Level[] | undefined {
  const levels = [...new Set(text.split(",").map((word) => word.trim()))].sort();
  const known = levels.every((word) => word === "1" || word === "2" || word === "3");
  return known ? levels.map((word) => Number(word) as Level) : undefined;
}

/** The first findings of the levels that are not proven, for one message. */
export function reasonsOf({ levels }: Pick<Verification, "levels">): string {
  return levels
    .filter(({ verdict }) => verdict !== "PROVEN")
    .map(({ level, verdict, findings }) => {
      const [first = "nothing found", ...more] = findings;
      return `level ${level} ${verdict}: ${first}${more.length > 0 ? ` (and ${more.length} more)` : ""}`;
    })
    .join("; ");
}

const findingsMax = 100;

/** Keeps a document of a verification small, and says what it leaves out. */
export function bounded(findings: readonly string[]): string[] {
  if (findings.length <= findingsMax) return [...findings];
  return [...findings.slice(0, findingsMax), `… and ${findings.length - findingsMax} more`];
}

/** `backups/requests/verify-backup.json`: what a person asked for; the service takes it away when it is through. */
export interface VerificationRequest {
  readonly version: 1;
  /** The operation that asks: stands in the verification, so that it knows its own. */
  readonly request: string;
  /** Absent: the newest. */
  readonly backupId?: string;
  readonly levels: readonly Level[];
}

export const defaultLevels: readonly Level[] = [1, 2, 3];
/** A verification that failed for another reason than the backup is tried again after this. */
const againAfterMs = 3_600_000;

export interface Due {
  readonly now: Date;
  readonly afterMinutes: number;
  readonly levels: readonly Level[];
}

/** Whether the newest backup is to be verified now, without anybody having asked. */
export function isVerificationDue(
  backup: Pick<BackupManifest, "finishedAt">,
  seen: { readonly verification?: Verification | undefined; readonly run?: BackupRun | undefined },
  { now, afterMinutes, levels }: Due,
): boolean {
  const { verification, run } = seen;
  if (now.getTime() < Date.parse(backup.finishedAt) + afterMinutes * 60_000) return false;
  if (verification && levels.every((level) => verification.levels.some((one) => one.level === level)))
    return false;
  return run?.state !== "failed" || now.getTime() >= Date.parse(run.startedAt) + againAfterMs;
}
