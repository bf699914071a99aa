import type { EnvironmentName } from "../tasks/model.ts";

/** What happens to a DMS task, the mildest first. */
export const taskActions = ["none", "modify-and-resume", "create", "reload", "recreate", "delete"] as const;
export type TaskAction = (typeof taskActions)[number];

export interface Rename {
  readonly from: string;
  readonly to: string;
}

/** One change of a task and what DMS makes of it; `rule` is a row of the rule table. */
export interface Reason {
  readonly rule: string;
  readonly action: TaskAction;
  /** What changed, in the file's words. */
  readonly change: string;
  /** What DMS does, and why. */
  readonly why: string;
  readonly environments: readonly EnvironmentName[];
}

export type RunChange = "start" | "stop";

export interface TaskPlan {
  readonly id: string;
  readonly database: string;
  readonly action: TaskAction;
  /** Data or a checkpoint is lost somewhere, or a whole task is loaded again. */
  readonly destructive: boolean;
  readonly reasons: readonly Reason[];
  readonly collectionsAdded: readonly string[];
  readonly collectionsRemoved: readonly string[];
  readonly collectionsRenamed: readonly Rename[];
  /** Collections DMS loads in full because of this plan. */
  readonly collectionsLoaded: readonly string[];
  /** Where the environment differs from `action`. */
  readonly environments: readonly { readonly name: EnvironmentName; readonly action: TaskAction }[];
  readonly run: readonly { readonly name: EnvironmentName; readonly change: RunChange }[];
}

export interface EndpointPlan {
  readonly id: string;
  readonly database: string;
  readonly action: "create" | "delete";
}

/** Names are `database.collection`; collections of a database that is dropped or kept whole aren't listed again. */
export interface EnvironmentPlan {
  readonly name: EnvironmentName;
  readonly databasesCreated: readonly string[];
  readonly databasesDropped: readonly string[];
  readonly databasesKept: readonly string[];
  readonly collectionsCreated: readonly string[];
  readonly collectionsDropped: readonly string[];
  readonly collectionsKept: readonly string[];
  readonly collectionsRenamed: readonly Rename[];
}

/** Where one side of a plan was read. */
export interface Revision {
  /** The file or reference as it was named. */
  readonly name: string;
  readonly commit?: string;
  /** The git tree of that commit. */
  readonly tree?: string;
}

export interface Plan {
  readonly version: 1;
  readonly base: Revision;
  readonly head: Revision;
  /** Of the head's tree, its tasks, and the changes: what was reviewed is what has this digest. */
  readonly digest: string;
  readonly tasksHash: string;
  readonly summary: Readonly<Record<TaskAction, number>>;
  /** Every task of both sides; destructive ones first, then by how much happens to them, then by id. */
  readonly tasks: readonly TaskPlan[];
  readonly endpoints: readonly EndpointPlan[];
  readonly environments: readonly EnvironmentPlan[];
  /** What a reader could fear and what will not happen. */
  readonly willNotHappen: readonly string[];
}
