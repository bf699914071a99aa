import type { Finding } from "../drift/model.ts";
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
  /** One environment as it stands; only when somebody looked. Not in the digest. */
  readonly live?: LivePlan;
  /** Terraform beside this plan; only when its plan was given. Not in the digest. */
  readonly terraform?: TerraformPart;
}

export interface LiveSize {
  readonly documents: number;
  readonly bytes: number;
  /** True: by the server's own numbers, nobody counted. */
  readonly estimated: boolean;
}

/** What one task loads in full; keys are left out where nothing is known. */
export interface LoadEstimate {
  readonly task: string;
  readonly collections: number;
  readonly documents?: number;
  readonly bytes?: number;
  readonly minutes?: number;
  /** Where the numbers come from. */
  readonly from: readonly string[];
  /** Collections that are in no number. */
  readonly unknown: readonly string[];
}

export interface LivePlan {
  readonly environment: string;
  readonly takenAt: string;
  /** `normal`, or the phase of the failback that is open: apply waits for its end. */
  readonly phase: string;
  /** What is being run there, or was begun and never finished. */
  readonly underWay: readonly string[];
  /** What could not be read, and what nobody knows because of that. Not empty: the plan is not whole. */
  readonly unknown: readonly { readonly side: string; readonly reason: string; readonly notKnown: string }[];
  /** DMS tasks that aren't as the base says: apply refuses until they are. */
  readonly divergence: readonly Finding[];
  /** Users of DocumentDB that are missing or may do more or less than their part; apply mends DMS's own. */
  readonly users: readonly Finding[];
  /** Dropped on DocumentDB, with what lies there now; without a size when DocumentDB was not read. */
  readonly losses: readonly {
    readonly kind: "database" | "collection";
    readonly name: string;
    readonly collections?: number;
    readonly size?: LiveSize;
  }[];
  readonly loads: readonly LoadEstimate[];
  /** New collections whose place on DocumentDB is not empty: apply stops at them with the choices. */
  readonly occupied: readonly { readonly name: string; readonly size: LiveSize }[];
  /** On DocumentDB, in no task, and left as they are. */
  readonly undeclared: readonly { readonly name: string; readonly size: LiveSize }[];
  /** What the replication user gets. */
  readonly grants: readonly { readonly user: string; readonly role: string; readonly database: string }[];
}

export interface TerraformPart {
  readonly environment: string;
  readonly changes: Readonly<Record<"create" | "update" | "replace" | "delete", number>>;
  /** Each change, losses first; addresses and names of attributes, never a value. */
  readonly resources: readonly {
    readonly address: string;
    readonly action: "create" | "update" | "replace" | "delete";
    readonly attributes: readonly string[];
  }[];
  /** Why Terraform could not plan: what it would do is not known, and the numbers say nothing. */
  readonly unknown?: string;
  /** Where Terraform's plan and this one disagree; not empty: neither may be applied. */
  readonly problems: readonly string[];
  /** Addresses a person let pass. */
  readonly accepted: readonly string[];
}
