/** What the steps of an apply share: the plan as it is for this environment, and how DMS and the databases are read. */
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { isPrecondition } from "../../adapters/store-error.ts";
import type { Environment } from "../../core/failback/documents.ts";
import type { Inspection, LiveTask } from "../../core/live/live-state.ts";
import { operationKeys } from "../../core/operations/layout.ts";
import type { EnvironmentPlan, TaskAction, TaskPlan } from "../../core/plan/model.ts";
import { actionIn, isWantedRunning, runChangeIn, type StandingDms } from "../../core/plan/standing.ts";
import type { Infrastructure } from "../../core/ports.ts";
import type { EnvironmentName, Tasks } from "../../core/tasks/model.ts";
import { parseTasks } from "../../core/tasks/tasks.ts";
import type { OperationContext, PlannedCall, Step } from "../engine/runbook.ts";
import { readInspection } from "../steps/inspection.ts";
import type { Proposal } from "./proposal.ts";

/** What apply needs beside what every operation has. */
export interface ApplyPorts {
  readonly infrastructure: Infrastructure;
  readonly dms: {
    live(tablesOf: (task: LiveTask) => boolean): Promise<LiveTask[]>;
    endpoints(): Promise<readonly { readonly id: string; readonly arn: string }[]>;
  };
  /** The environment as Terraform publishes it now. */
  published(): Promise<Environment>;
}

export interface ApplyOptions {
  /** Addresses of Terraform changes that a person lets pass although the plan does not announce them. */
  readonly accept: readonly string[];
}

const namedLengthMax = 2000;

export type ApplyStep = Step<OperationContext>;

/** How things stood before this apply changed anything: what its predictions are scored against. */
export interface Before {
  readonly tasks: readonly LiveTask[];
  /** Absent when the plan is about no database. */
  readonly inspection?: Inspection;
}

/** One apply. */
export class ApplyWork {
  readonly environment: EnvironmentName;
  readonly base: Tasks | undefined;
  readonly head: Tasks;
  readonly changes: EnvironmentPlan | undefined;

  constructor(
    readonly proposal: Proposal,
    readonly ports: ApplyPorts,
    readonly options: ApplyOptions,
  ) {
    const { environment, base, head, plan } = proposal;
    this.environment = environment;
    this.base = base && parseTasks(base.value.tasksText, "tasks.yaml as applied");
    this.head = parseTasks(head.tasksText);
    this.changes = plan.environments.find(({ name }) => name === environment);
  }

  get plan() {
    return this.proposal.plan;
  }

  /** Namespaces that earlier applies renamed: DMS shows them as not loaded, and nobody has to load them. */
  get renamed(): ReadonlySet<string> {
    return new Set(this.proposal.base?.value.renamed);
  }

  /** How adopted tasks differ from what was last applied. */
  get adopted(): Readonly<Record<string, string>> {
    return this.proposal.base?.value.adopted ?? {};
  }

  actionOf(task: TaskPlan): TaskAction {
    return actionIn(task, this.environment);
  }

  /** Whether the task should run when this apply is done. */
  isWantedRunning(id: string): boolean {
    return isWantedRunning(this.head, id, this.environment);
  }

  /** Tasks this plan touches at all, in this environment. */
  get affected(): TaskPlan[] {
    return this.plan.tasks.filter(
      (task) => this.actionOf(task) !== "none" || runChangeIn(task, this.environment) !== undefined,
    );
  }

  /** Tasks that must stand still before Terraform changes them, or that the plan stops. */
  get toPause(): TaskPlan[] {
    return this.affected.filter((task) => {
      const action = this.actionOf(task);
      return (action !== "none" && action !== "create") || runChangeIn(task, this.environment) === "stop";
    });
  }

  /** Tasks that run when this apply is done, and that it may have to start. */
  get toStart(): TaskPlan[] {
    return this.affected.filter((task) => this.isWantedRunning(task.id));
  }

  /** Every task that must run when this apply is done. */
  get wantedRunning(): string[] {
    return this.head.tasks.map(({ id }) => id).filter((id) => this.isWantedRunning(id));
  }

  /** Databases this plan is about. */
  get databases(): string[] {
    const ids = new Set(this.affected.map(({ id }) => id));
    const both = [...(this.base?.tasks ?? []), ...this.head.tasks];
    return [...new Set(both.filter(({ id }) => ids.has(id)).map(({ database }) => database))].sort();
  }

  /** DMS as it stands, with the tables of affected tasks. */
  async live(): Promise<StandingDms> {
    const ids = new Set(this.affected.map(({ id }) => id));
    const [tasks, endpoints] = await Promise.all([
      this.ports.dms.live(({ id }) => ids.has(id)),
      this.ports.dms.endpoints(),
    ]);
    const declared = new Set(this.plan.tasks.map(({ id }) => id));
    return {
      // A task that is being deleted is none any more.
      tasks: new Map(
        tasks
          .filter(({ id, status }) => declared.has(id) && status !== "deleting")
          .map((task) => [task.id, task]),
      ),
      endpoints: new Map(endpoints.map(({ id, arn }) => [id, arn])),
    };
  }

  /** A parameter of SSM is short: very many databases are not named, and all are looked at. */
  private get named(): boolean {
    return this.databases.join(",").length <= namedLengthMax;
  }

  /** The call `inspect` would make. */
  plannedInspection(context: OperationContext, counts: "exact" | "estimated"): PlannedCall[] {
    if (this.databases.length === 0) return [];
    return [
      context.plannedAction("inspect", { databases: this.named ? this.databases.join(",") : "*", counts }),
    ];
  }

  /** What stands in both databases, as the host counts it; nothing when the plan is about no database. */
  async inspect(context: OperationContext, counts: "exact" | "estimated"): Promise<Inspection | undefined> {
    const { commands, store, environment } = context;
    const { databases, named } = this;
    if (databases.length === 0) return undefined;
    return readInspection(commands, store, environment, named ? { databases, counts } : { counts });
  }

  /** Keeps how things stood; the first record stays. */
  async keepBefore(context: OperationContext, before: Before): Promise<void> {
    try {
      await writeJson(context.store, beforeKey(context), before, { ifNoneMatch: true });
    } catch (error) {
      if (!isPrecondition(error)) throw error;
    }
  }

  async before(context: OperationContext): Promise<Before> {
    const found = await readJson<Before>(context.store, beforeKey(context));
    if (!found) throw new Error(`${beforeKey(context)} is gone: the bucket was changed by hand`);
    return found.value;
  }
}

function beforeKey({ operationId }: OperationContext): string {
  return `${operationKeys(operationId).root}before.json`;
}
