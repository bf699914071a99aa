/** An apply at its ports: DMS, Terraform, the lambda and the host as plain values, every change recorded in order. */
import { createHash } from "node:crypto";
import { recordApplied } from "../../adapters/state/applied-store.ts";
import type { RoundtripError } from "../../core/errors.ts";
import { inspectionKey } from "../../core/failback/layout.ts";
import type { Inspection, LiveSide, LiveTable, LiveTask } from "../../core/live/live-state.ts";
import { makePlan } from "../../core/plan/plan.ts";
import type { InfrastructureChange, ReplicationTasks } from "../../core/ports.ts";
import type { ProvisionResponse } from "../../core/provision/model.ts";
import { effectiveTask } from "../../core/tasks/effective.ts";
import { tableMappings } from "../../core/tasks/mappings.ts";
import type { Tasks } from "../../core/tasks/model.ts";
import { dmsTaskSettings } from "../../core/tasks/task-settings.ts";
import { parseTasks } from "../../core/tasks/tasks.ts";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import type { RunbookDependencies } from "../engine/execution.ts";
import { FakeWorld, succeeded } from "../engine/fake-world.ts";
import { executeOperation } from "../engine/operation.ts";
import type { RunReport } from "../engine/run.ts";
import type { Proposal } from "./proposal.ts";
import { applyOperation } from "./runbook.ts";
import type { ApplyPorts } from "./work.ts";

type Counts = Record<string, number>;

export class FakeApply {
  readonly fake = new FakeWorld();
  readonly clock = new InstantClock();
  readonly calls: string[] = [];
  readonly dms = new Map<string, LiveTask>();
  readonly endpoints = new Map<string, string>();
  /** Documents by `database.collection`. */
  mongodb: Counts | string = {};
  documentdb: Counts | string = {};
  /** What a test does in place of the usual. */
  terraformPlan: () => readonly InfrastructureChange[] = () => this.differences();
  terraformApply: () => void = () => this.make(this.head);
  onReload: (table: LiveTable) => LiveTable = (table) => this.load(table);
  onStart: (task: LiveTask) => LiveTask = (task) => ({ ...task, status: "running" });
  published: () => { id: string; arn: string }[] = () =>
    [...this.dms.values()].map(({ id, arn }) => ({ id, arn }));
  onInspect: () => void = () => {};
  functionName: string | undefined = "create-user-db";
  head: Tasks;
  private loads = 0;

  constructor(
    readonly baseText: string,
    public headText: string,
  ) {
    this.head = parseTasks(headText);
    const base = parseTasks(baseText);
    this.make(base);
    for (const [id, task] of this.dms)
      this.dms.set(id, {
        ...task,
        status: "running",
        startedAt: "0",
        freshlyStartedAt: "0",
        tables: this.tablesOf(task).map((table) => this.load(table)),
      });
  }

  /** Changes tasks.yaml, as the next commit does. */
  merge(headText: string): void {
    this.headText = headText;
    this.head = parseTasks(headText);
  }

  /** Runs it, as `roundtrip apply` would. */
  async run(proposal?: Proposal): Promise<RunReport> {
    const operation = applyOperation(proposal ?? (await this.proposal()), this.ports, { accept: [] });
    return executeOperation(this.dependencies, {
      operation,
      inputs: { digest: (proposal ?? (await this.proposal())).plan.digest },
      caller: { actor: "ana", commit: "abc" },
      declared: this.head,
      leaseSeconds: 0.05,
      actionTimeoutSeconds: () => 1,
    });
  }

  /** The message of the step that failed. */
  async refusal(proposal?: Proposal): Promise<string> {
    const { error, steps } = await this.run(proposal);
    const step = steps.find(({ state }) => state === "failed")?.name ?? "none failed";
    return `${step}: ${(error as RoundtripError | undefined)?.message ?? "nothing was refused"}`;
  }

  async proposal(): Promise<Proposal> {
    const applied = {
      version: 1,
      environment: "dev",
      tasksText: this.baseText,
      commit: "1".repeat(40),
      tree: "1".repeat(40),
      digest: `sha256:${"0".repeat(64)}`,
      operationId: "dev-apply-before",
      appliedAt: "2026-11-21T10:00:00.000Z",
      by: { actor: "ben" },
    } as const;
    await recordApplied(this.fake.store, applied, undefined);
    const etag = (await this.fake.store.head("applied/current.json"))!.etag;
    const plan = makePlan({
      base: parseTasks(this.baseText),
      head: this.head,
      baseRevision: { name: "applied" },
      headRevision: { name: "head" },
    });
    const head = { tasksText: this.headText, commit: "2".repeat(40), tree: "2".repeat(40) };
    return { version: 1, environment: "dev", base: { value: applied, etag }, head, plan };
  }

  private get dependencies(): RunbookDependencies {
    const deps = this.fake.dependencies();
    const { createUserDbFunction: _, ...environment } = deps.environment;
    this.fake.instance = "running";
    this.fake.answers.set("inspect", () => this.inspect());
    return {
      ...deps,
      clock: this.clock,
      environment: {
        ...environment,
        operationsInstanceId: "i-2",
        ...(this.functionName ? { createUserDbFunction: this.functionName } : {}),
      },
      tasks: this.tasks,
      functions: {
        invoke: async (name) => {
          this.calls.push(`invoke ${name}`);
          return provisioned;
        },
      },
    };
  }

  private get ports(): ApplyPorts {
    return {
      infrastructure: {
        plan: async () => this.terraformPlan(),
        apply: async () => {
          this.calls.push("terraform apply");
          this.terraformApply();
        },
      },
      dms: {
        live: async () => [...this.dms.values()],
        endpoints: async () => [...this.endpoints].map(([id, arn]) => ({ id, arn })),
      },
      published: async () => ({ ...this.dependencies.environment, replicationTasks: this.published() }),
    };
  }

  private readonly tasks: ReplicationTasks = {
    describe: async (ids) => ids.flatMap((id) => this.dms.get(id) ?? []),
    stop: async (arn) => {
      const task = this.byArn(arn);
      this.calls.push(`stop ${task.id}`);
      return this.set({ ...task, status: "stopped", stopReason: "NORMAL" });
    },
    start: async (arn, type) => {
      const task = this.byArn(arn);
      this.calls.push(`start ${task.id} ${type}`);
      const at = String(++this.loads);
      const fresh = type === "resume-processing" ? {} : { freshlyStartedAt: at };
      const known = new Map(task.tables.map((table) => [table.table, table]));
      const tables = this.tablesOf(task).map((table) => known.get(table.table) ?? table);
      const loaded = type === "resume-processing" ? tables : tables.map((table) => this.load(table));
      const { stopReason: __, ...rest } = task;
      return this.set(this.onStart({ ...rest, startedAt: at, ...fresh, tables: loaded }));
    },
    tables: async (id) => [...(this.dms.get(id)?.tables ?? [])],
    reloadTables: async (id, tables) => {
      const names = tables.map(({ table }) => table);
      this.calls.push(`reload ${id} ${names.join()}`);
      const task = this.dms.get(id)!;
      this.set({
        ...task,
        tables: task.tables.map((table) => (names.includes(table.table) ? this.onReload(table) : table)),
      });
    },
  };

  private byArn(arn: string): LiveTask {
    return [...this.dms.values()].find((task) => task.arn === arn)!;
  }

  set(task: LiveTask): LiveTask {
    this.dms.set(task.id, task);
    return task;
  }

  load(table: LiveTable): LiveTable {
    return { ...table, state: "Table completed", fullLoadRows: 3, fullLoadStartedAt: String(++this.loads) };
  }

  private tablesOf(task: LiveTask): LiveTable[] {
    const { rules } = task.mappings as ReturnType<typeof tableMappings>;
    const counts = { fullLoadRows: 0, inserts: 0, updates: 0, deletes: 0 };
    return rules.map(({ "object-locator": { "schema-name": schema, "table-name": table } }) => ({
      schema,
      table,
      state: "Before load",
      ...counts,
    }));
  }

  /** What Terraform does: tasks as this file says, none of them started. */
  private make(tasks: Tasks): void {
    for (const task of tasks.tasks) {
      const { endpoint, settings } = effectiveTask(tasks, task, "dev");
      this.endpoints.set(endpoint, `arn:${endpoint}`);
      const made = {
        mappings: tableMappings(task, settings.partitions),
        settings: dmsTaskSettings(settings),
        targetEndpointArn: `arn:${endpoint}`,
      };
      const old = this.dms.get(task.id);
      const fresh = {
        id: task.id,
        arn: `arn:${task.id}`,
        status: "ready",
        tables: [],
        sourceEndpointArn: "arn:source",
        replicationInstanceArn: "arn:mover",
      };
      this.dms.set(task.id, { ...(old ?? fresh), ...made });
    }
    for (const id of this.dms.keys()) if (!tasks.tasks.some((task) => task.id === id)) this.dms.delete(id);
  }

  differences(): InfrastructureChange[] {
    return this.head.tasks.flatMap((task): InfrastructureChange[] => {
      const live = this.dms.get(task.id);
      const { settings } = effectiveTask(this.head, task, "dev");
      if (JSON.stringify(live?.mappings) === JSON.stringify(tableMappings(task, settings.partitions)))
        return [];
      return [
        {
          address: `task.${task.id}`,
          type: "aws_dms_replication_task",
          action: "update",
          identifier: task.id,
          attributes: ["table_mappings"],
        },
      ];
    });
  }

  private inspect() {
    this.onInspect();
    const inspection: Inspection = {
      version: 1,
      environment: "dev",
      takenAt: this.clock.now().toISOString(),
      mongodb: sideOf(this.mongodb),
      documentdb: sideOf(this.documentdb),
    };
    const body = new TextEncoder().encode(JSON.stringify(inspection));
    const key = inspectionKey(this.clock.now(), `run${++this.loads}`);
    // The memory store takes it before its promise is waited for.
    void this.fake.store.put(key, body);
    return succeeded("c", "inspect", { key, sha256: createHash("sha256").update(body).digest("hex") });
  }
}

const provisioned: ProvisionResponse = {
  version: 1,
  environment: "dev",
  dryRun: false,
  created: [],
  updated: [],
  dropped: [],
  kept: [],
  unchanged: [],
};

function sideOf(counts: Counts | string): LiveSide {
  if (typeof counts === "string") return { reachable: false, reason: counts };
  const databases = new Map<
    string,
    { name: string; documents: number; bytes: number; indexes: string[] }[]
  >();
  for (const [name, documents] of Object.entries(counts)) {
    const [database = "", collection = ""] = name.split(".");
    databases.set(database, [
      ...(databases.get(database) ?? []),
      { name: collection, documents, bytes: 0, indexes: [] },
    ]);
  }
  const listed = [...databases].map(([name, collections]) => ({ name, collections }));
  return { reachable: true, version: "5.0.0", databases: listed, users: [] };
}
