import type { TaskAction } from "./model.ts";

export interface Rule {
  readonly action: TaskAction;
  /** Something is lost, or loaded again as a whole. */
  readonly destructive: boolean;
  readonly why: string;
}

const stopModifyResume = "DMS changes a task only while it is stopped; it goes on from its checkpoint";

/** What DMS does for each kind of change of a task. The action of a task is the strongest of its changes. */
export const ruleTable = {
  "task-added": {
    action: "create",
    destructive: false,
    why: "a new DMS task loads its collections in full, then follows their changes",
  },
  "task-removed": {
    action: "delete",
    destructive: true,
    why: "the DMS task is stopped and deleted; its checkpoint is lost, coming back means a full load",
  },
  "database-changed": {
    action: "recreate",
    destructive: true,
    why: "the target endpoint comes from the database and a DMS task can't change its endpoints: deleted, created, loaded in full",
  },
  "endpoint-changed": {
    action: "recreate",
    destructive: true,
    why: "a DMS task can't change its endpoints: deleted, created, loaded in full",
  },
  "collection-added": {
    action: "modify-and-resume",
    destructive: false,
    why: `${stopModifyResume}; then just the new collections are loaded, the others are not`,
  },
  "collection-removed": {
    action: "modify-and-resume",
    destructive: true,
    why: `${stopModifyResume}, without the collection; changes to it are no longer carried`,
  },
  "collection-moved-in": {
    action: "modify-and-resume",
    destructive: false,
    why: `${stopModifyResume}; the collection comes from another task and is loaded again, because checkpoints don't move between tasks`,
  },
  "collection-moved-out": {
    action: "modify-and-resume",
    destructive: false,
    why: `${stopModifyResume}; another task carries the collection on, so it is not dropped anywhere`,
  },
  "collection-renamed": {
    action: "modify-and-resume",
    destructive: false,
    why: `DMS does not follow renames: the task must be stopped before the source is renamed, then the target is renamed too and nothing is loaded; renamed while it ran, that collection is loaded again`,
  },
  "lob-widened": {
    action: "reload",
    destructive: true,
    why: "limited mode cut documents above the old limit without an error, so every collection of the task is loaded again",
  },
  "lob-narrowed": {
    action: "modify-and-resume",
    destructive: false,
    why: `${stopModifyResume}; from then on longer documents are cut, with a warning in DMS's log only`,
  },
  "lob-chunk": {
    action: "modify-and-resume",
    destructive: false,
    why: `${stopModifyResume}; the size of a piece changes no data`,
  },
  "target-preparation": {
    action: "modify-and-resume",
    destructive: false,
    why: `${stopModifyResume}; counts from the next full load, nothing is dropped now`,
  },
  "full-load-speed": {
    action: "modify-and-resume",
    destructive: false,
    why: `${stopModifyResume}; counts from the next full load`,
  },
  "parallel-load": {
    action: "modify-and-resume",
    destructive: false,
    why: `${stopModifyResume}; counts from the next full load`,
  },
  "load-order": {
    action: "modify-and-resume",
    destructive: false,
    why: `${stopModifyResume}; counts from the next full load`,
  },
  "running-started": {
    action: "none",
    destructive: false,
    why: "the task is started; it goes on from its checkpoint, or loads in full when it never ran",
  },
  "running-stopped": {
    action: "none",
    destructive: false,
    why: "the task is stopped and keeps its checkpoint; stopped for longer than MongoDB's oplog reaches back, it must be loaded again",
  },
  "owners-changed": { action: "none", destructive: false, why: "DMS has no part in it" },
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleName = keyof typeof ruleTable;
