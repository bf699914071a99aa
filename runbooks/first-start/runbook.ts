import { readJson } from "../../adapters/state/json.ts";
import { type PromotionRecord, promotionKey } from "../../core/credentials/accounts.ts";
import { RoundtripError } from "../../core/errors.ts";
import { counted } from "../../core/plan/words.ts";
import { firstStartChecks, sourceDocuments } from "../../core/replication/first-start-checks.ts";
import { tableInWords } from "../../core/replication/load-progress.ts";
import { effectiveTask } from "../../core/tasks/effective.ts";
import { environmentNames, type Task } from "../../core/tasks/model.ts";
import type { Operation, OperationContext } from "../engine/runbook.ts";
import { testEndpointsStep } from "../steps/endpoints.ts";
import { readInspection } from "../steps/inspection.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import {
  chosenTasks,
  describeCalls,
  describeChosen,
  type OperationStep,
  required,
  restingChecks,
  tasksInput,
} from "../steps/selected-tasks.ts";
import { followLoad } from "./load.ts";

const startSeconds = 1800;

interface Wanted {
  /** Tasks to start, and those an earlier try had started. */
  readonly toStart: readonly { readonly id: string; readonly arn: string }[];
  /** Documents of their collections at the source. */
  readonly documents?: number;
}

/** Tasks DMS has never run, that tasks.yaml declares and wants running here; targets empty, users there. */
const checkTargets: OperationStep = {
  name: "check-targets",
  what: "see which DMS tasks were never started, that DMS's user is on DocumentDB, and that their collections there are empty",
  undo: "nothing was changed",
  plan: (context) => [
    ...describeCalls(context),
    context.plannedAction("inspect", {
      databases: databaseNames(declaredTasks(context)).join(","),
      counts: "estimated",
    }),
  ],
  run: async (context) => {
    const declared = declaredTasks(context);
    const tasks = await describeChosen(context);
    const resting = required(restingChecks(tasks));
    const toStart = tasks.filter(
      ({ id, status }) => status === "ready" && declared.some((task) => task.id === id),
    );
    const started = tasks.length - tasks.filter(({ status }) => status === "ready").length;
    const note = `${toStart.length} to start, ${started} started before, ${tasks.length - started - toStart.length} not wanted running`;
    if (toStart.length === 0) return { checks: resting, data: { toStart: [] }, note };
    const concerned = declared.filter(({ id }) => toStart.some((task) => task.id === id));
    const databases = databaseNames(concerned);
    const inspection = await readInspection(context.commands, context.store, context.environment, {
      databases,
      counts: "estimated",
    });
    const checks = required(firstStartChecks(inspection, concerned, await replicationUsername(context)));
    const documents = sourceDocuments(inspection, concerned);
    const wanted: Wanted = {
      toStart: toStart.map(({ id, arn }) => ({ id, arn })),
      ...(documents === undefined ? {} : { documents }),
    };
    return { checks: [...resting, ...checks], data: { ...wanted }, note };
  },
};

/** Declared in tasks.yaml, chosen by the input, and wanted running in this environment. */
function declaredTasks(context: OperationContext): Task[] {
  const { declared, environment } = context;
  const name = environmentNames.find((each) => each === environment.environment);
  const chosen = new Set(chosenTasks(context).map(({ id }) => id));
  return declared.tasks.filter(
    (task) => chosen.has(task.id) && (!name || effectiveTask(declared, task, name).running),
  );
}

function databaseNames(tasks: readonly Task[]): string[] {
  return [...new Set(tasks.map(({ database }) => database))].sort();
}

/** The user the secret names since the last rotation; before the first one, the environment's. */
async function replicationUsername({ store, environment }: OperationContext): Promise<string> {
  const record = (await readJson<PromotionRecord>(store, promotionKey("replication")))?.value;
  return record?.username ?? environment.documentdb.replicationUser.name;
}

function wantedOf(context: OperationContext): Wanted {
  return context.data("check-targets") as unknown as Wanted;
}

const startTasks: OperationStep = {
  name: "start-tasks",
  what: "start each of these DMS tasks for the first time: full load, then changes",
  undo: "roundtrip runbook tasks-pause stops them; what was loaded stays on DocumentDB",
  plan: (context) =>
    chosenTasks(context).map(({ arn }) => ({
      call: "DMS StartReplicationTask (where it was never started)",
      target: arn,
      parameters: { startType: "start-replication" },
    })),
  run: async (context) => {
    const { toStart } = wantedOf(context);
    // Asked for no task at all, DMS would show every task of the account.
    if (toStart.length === 0) return { note: "nothing to start" };
    const now = await context.tasks.describe(toStart.map(({ arn }) => arn));
    await Promise.all(
      now.map(async ({ id, arn, status }) => {
        // Started by a try whose answer was lost: what follows looks at how it goes.
        if (status !== "ready") return;
        context.say(`  starting DMS task ${id}`);
        await context.tasks.start(arn, "start-replication", startSeconds);
      }),
    );
    return { note: `${counted(toStart.length, "task")} started` };
  },
};

const followFullLoad: OperationStep = {
  name: "follow-load",
  what: "follow the full load until every table is completed",
  undo: "nothing was changed",
  plan: (context) =>
    chosenTasks(context).map(({ arn }) => ({ call: "DMS DescribeTableStatistics, repeatedly", target: arn })),
  run: async (context) => {
    const { toStart, documents } = wantedOf(context);
    if (toStart.length === 0) return { note: "nothing was started" };
    const arns = toStart.map(({ arn }) => arn);
    const minutes = Number(context.inputs["load-minutes"]);
    const tables = await followLoad(context, { arns, total: documents, minutes });
    const checks = tables.map((table) => ({
      name: `${table.schema}.${table.table} is loaded`,
      ok: true,
      expected: "completed, or not there at the source",
      got: tableInWords(table),
    }));
    const rows = tables.reduce((sum, { fullLoadRows }) => sum + fullLoadRows, 0);
    return {
      checks,
      data: { rows },
      note: `${rows.toLocaleString("en-US")} ${rows === 1 ? "row" : "rows"} in ${counted(tables.length, "table")}`,
    };
  },
};

/** A load that has ended is no proof that changes follow: the task must still run behind it. */
const tasksRunning: OperationStep = {
  name: "tasks-running",
  what: "see that each DMS task still runs behind its full load",
  undo: "nothing was changed",
  every: true,
  plan: describeCalls,
  run: async (context) => {
    const { toStart } = wantedOf(context);
    const tasks = toStart.length > 0 ? await context.tasks.describe(toStart.map(({ arn }) => arn)) : [];
    const ended = tasks.filter(({ status }) => status !== "running");
    if (ended.length === 0) return { note: `${counted(tasks.length, "task")} running` };
    throw new RoundtripError({
      kind: "unavailable",
      what: "see that DMS follows changes behind the full load",
      expected: "every task running",
      got: ended
        .map(({ id, status, stopReason = "", lastFailure = "" }) =>
          `${id} ${status} ${stopReason} ${lastFailure}`.trim(),
        )
        .join("; "),
      wayOut: "mend what DMS names, then run tasks-resume",
    });
  },
};

export const firstStart: Operation = {
  kind: "operation",
  name: "first-start",
  summary: "Start DMS tasks for the first time, and follow their full load to its end.",
  inputs: [
    tasksInput,
    {
      name: "load-minutes",
      description: "how long the full load is followed; run it again to go on following",
      pattern: /^[1-9][0-9]{0,3}$/,
      default: "300",
    },
  ],
  steps: [
    operationsHostReady,
    testEndpointsStep(["source", "target"]),
    checkTargets,
    startTasks,
    followFullLoad,
    tasksRunning,
    operationsHostAsBefore,
  ],
  next: "nothing: the tasks replicate; roundtrip drift says when they don't",
};
