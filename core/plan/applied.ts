/** What an environment was last brought to: the base of its next plan, and what drift is measured against. */

import type { Tasks } from "../tasks/model.ts";
import type { Plan, TaskAction, TaskPlan } from "./model.ts";

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
  /** Namespaces that came to their name by a rename and were not loaded since: DMS shows them as not begun. */
  readonly renamed?: readonly string[];
  /** Adopted tasks whose rules or settings in DMS are not those of tasks.yaml, by id: how they differ, in words. */
  readonly adopted?: Readonly<Record<string, string>>;
}

/** `adopted` after a plan was applied: what it left as it was. */
export function adoptedAfter(
  before: Readonly<Record<string, string>>,
  plan: Pick<Plan, "tasks">,
  actionOf: (task: TaskPlan) => TaskAction,
): Record<string, string> {
  const left = new Set(plan.tasks.filter((task) => actionOf(task) === "none").map(({ id }) => id));
  return Object.fromEntries(Object.entries(before).filter(([id]) => left.has(id)));
}

/** `renamed` after a plan was applied: what is still declared and was not loaded by it, and what it renamed. */
export function renamedAfter(
  before: readonly string[],
  plan: Pick<Plan, "tasks">,
  head: Tasks,
  actionOf: (task: TaskPlan) => TaskAction,
): string[] {
  const declared = new Set(
    head.tasks.flatMap(({ database, collections }) => collections.map(({ name }) => `${database}.${name}`)),
  );
  const loaded = new Set(
    plan.tasks.flatMap(({ database, collectionsLoaded }) =>
      collectionsLoaded.map((name) => `${database}.${name}`),
    ),
  );
  const now = plan.tasks
    .filter((task) => actionOf(task) === "modify-and-resume")
    .flatMap(({ database, collectionsRenamed }) => collectionsRenamed.map(({ to }) => `${database}.${to}`));
  const all = new Set([...before, ...now]);
  return [...all].filter((name) => declared.has(name) && !loaded.has(name)).sort();
}

export interface AppliedBy {
  readonly actor: string;
  readonly approvedBy?: string;
  /** The run that did it. */
  readonly url?: string;
}

/** Who runs something, as the record of it names them. */
export function appliedBy({ actor, approvedBy, url }: AppliedBy): AppliedBy {
  return { actor, ...(approvedBy ? { approvedBy } : {}), ...(url ? { url } : {}) };
}
