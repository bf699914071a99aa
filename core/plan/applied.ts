/** What an environment was last brought to: the base of its next plan, and what drift is measured against. */

/** Written by apply as its last act, replaced only by If-Match. */
export const appliedKey = "applied/current.json";

/** Everything that was ever applied, one document an operation, never replaced. */
export function appliedHistoryKey(operationId: string): string {
  return `applied/history/${operationId}.json`;
}

/** What a plan predicted against what happened (core/plan/score.ts). */
export function scoreKey(operationId: string): string {
  return `applied/scores/${operationId}.json`;
}

/** `applied/current.json`, by schemas/applied.schema.json. */
export interface Applied {
  readonly version: 1;
  readonly environment: string;
  /** The whole of tasks.yaml as it was applied, so that nobody needs the commit to read it. */
  readonly tasksText: string;
  /** The commit it was applied from, and its git tree. */
  readonly commit: string;
  readonly tree: string;
  /** Digest of the plan that was reviewed and applied. */
  readonly digest: string;
  /** The operation that applied it; its copy of this document is at `appliedHistoryKey`. */
  readonly operationId?: string;
  readonly appliedAt: string;
  readonly by: AppliedBy;
}

export interface AppliedBy {
  readonly actor: string;
  readonly approvedBy?: string;
  /** The run that did it. */
  readonly url?: string;
}
