import type { VerdictWord } from "../../core/failback/documents.ts";

export interface DrillOptions {
  readonly changes: number;
  /** Documents seeded before DMS's full load. */
  readonly docs: number;
  /** Application writes a second; 0 is as fast as it goes. */
  readonly rate: number;
  readonly seed: number;
  readonly json: boolean;
  readonly keep: boolean;
}

/** What a sweep of kills adds to a drill. */
export interface Chaos {
  /** Arms the faults; called when the world is ready and the failback has not begun. */
  arm(aws: string): Promise<void>;
  /** How often a runbook that was killed, or whose host was, is run again. */
  readonly runbookTriesMax: number;
  /** How long the lease of a killed runbook keeps the next one waiting. */
  readonly leaseSeconds: number;
}

/** How the world a drill runs in came about. */
export interface Building {
  readonly by: "terraform" | "drill";
  /** In words, for the progress and the report. */
  readonly words: string;
  /** What Terraform made; absent where the drill did it itself. */
  readonly objects?: number;
  readonly seconds: number;
}

/** What `--json` prints. */
export interface DrillResult {
  readonly verdict: VerdictWord;
  readonly reasons: readonly string[];
  readonly seed: number;
  readonly world: Building;
  readonly changes: number;
  readonly captured: number;
  readonly applied: number;
  readonly tail: number;
  readonly conflicts: number;
  readonly rpoMsP50: number;
  readonly rpoMsP99: number;
  /** From the start of failback-restore until MongoDB is open to its applications again. */
  readonly rtoMs: number;
  /** How long nobody could write anywhere: from the drain until MongoDB was reopened. */
  readonly readOnlyMs: number;
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
  /** Headlines of what Slack was told, in order; absent where the world has no function that tells it. */
  readonly slack?: readonly string[];
  /** Peak memory of the two long workers in MiB, as the kernel counted it. */
  readonly peakMiB: { readonly replication: number; readonly restore: number };
}

export interface Sample {
  /** Seconds since the drill began. */
  readonly at: number;
  readonly value: number;
}

export interface DrillEvidence {
  readonly result: DrillResult;
  readonly startedAt: string;
  readonly steps: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  readonly rpo: readonly Sample[];
  readonly captured: readonly Sample[];
  readonly collections: readonly {
    readonly name: string;
    readonly documents: number;
    readonly differing: number;
  }[];
  readonly tailIds: readonly string[];
  readonly conflictIds: readonly string[];
}
