import type { AppliedBy } from "../plan/applied.ts";

/** Where something differs, in the order a person mends it. */
export const driftAreas = ["git", "terraform", "dms", "documentdb", "mongodb"] as const;
export type DriftArea = (typeof driftAreas)[number];

/** One thing that is not as it was applied. */
export interface Finding {
  readonly area: DriftArea;
  readonly kind: FindingKind;
  /** The thing, by name: `DMS task shop-orders`. */
  readonly what: string;
  readonly expected: string;
  readonly got: string;
  readonly fix: string;
}

export type FindingKind =
  | "never-applied"
  | "not-applied"
  | "terraform-changed"
  | "task-missing"
  | "task-extra"
  | "task-mappings"
  | "task-settings"
  | "task-endpoint"
  | "task-stopped"
  | "task-running"
  | "table-failed"
  | "collection-missing"
  | "collection-extra"
  | "index-missing"
  | "user-missing"
  | "user-over-privileged"
  | "user-under-privileged";

/** A part nobody could look at; never read as clean. */
export interface Unread {
  readonly area: DriftArea;
  readonly reason: string;
}

export interface DriftReport {
  readonly version: 1;
  readonly environment: string;
  readonly takenAt: string;
  /** `unknown`: nothing differs in what was read, but not everything was read. */
  readonly verdict: "clean" | "drift" | "unknown";
  /** What was last applied; absent when nothing ever was. */
  readonly applied?: { readonly commit: string; readonly appliedAt: string; readonly by: AppliedBy };
  /** By area, then by name. */
  readonly findings: readonly Finding[];
  readonly unread: readonly Unread[];
  /** What is as it should be, and worth knowing. */
  readonly notes: readonly string[];
}
