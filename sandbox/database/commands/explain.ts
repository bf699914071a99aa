/** explain: which plan a read would take, in the shape of the server's answer. */
import { Cursor } from "../cursors/cursor.ts";
import { ScanSource } from "../cursors/sources.ts";
import { leadingMatch } from "../engine/aggregate/index.ts";
import { ServerError } from "../engine/errors.ts";
import { type Document, isDocument } from "../engine/value.ts";
import { choosePlan, type Plan } from "../query/plan.ts";
import { openScan } from "../query/scan.ts";
import { type Command, CommandContext, type Reply } from "../server/context.ts";
import type { Collection } from "../storage/collection.ts";
import { ID_INDEX } from "../storage/ddl.ts";
import type { Index } from "../storage/index.ts";
import type { ReplyObject } from "../wire/writer.ts";
import { predicateFor } from "./find.ts";
import { commands } from "./index.ts";

const LEVELS = new Set(["queryPlanner", "executionStats", "allPlansExecution"]);

function indexStage(index: Index | "id"): ReplyObject {
  if (index === "id")
    return {
      stage: "IXSCAN",
      keyPattern: ID_INDEX.get("key"),
      indexName: "_id_",
      isMultiKey: false,
      isUnique: true,
      isSparse: false,
      isPartial: false,
    };
  return {
    stage: "IXSCAN",
    keyPattern: index.pattern,
    indexName: index.name,
    isMultiKey: index.multikey,
    isUnique: index.unique,
    isSparse: index.sparse,
    isPartial: index.partial !== undefined,
  };
}

function planStage(plan: Plan | undefined, filter: Document, sort: Document | undefined): ReplyObject {
  if (!plan) return { stage: "EOF" };
  const direction = plan.backward ? "backward" : "forward";
  let stage: ReplyObject;
  if (plan.index === undefined)
    stage = { stage: "COLLSCAN", filter: filter.size > 0 ? filter : undefined, direction };
  else {
    stage = {
      stage: "FETCH",
      filter: filter.size > 0 ? filter : undefined,
      inputStage: { ...indexStage(plan.index), direction },
    };
  }
  return plan.sorted || !sort || sort.size === 0
    ? stage
    : { stage: "SORT", sortPattern: sort, inputStage: stage };
}

function planOf(
  context: CommandContext,
  collection: Collection | undefined,
  filter: Document,
  sort: Document | undefined,
): Plan | undefined {
  return collection && choosePlan(collection, { filter, sort, hint: context.body.get("hint") });
}

function queryPlanner(
  context: CommandContext,
  ns: string,
  filter: Document,
  sort: Document | undefined,
): ReplyObject {
  const collection = context.storage.catalog.get(ns);
  const plan = planOf(context, collection, filter, sort);
  return {
    namespace: ns,
    indexFilterSet: false,
    parsedQuery: filter,
    maxIndexedOrSolutionsReached: false,
    maxIndexedAndSolutionsReached: false,
    maxScansToExplodeReached: false,
    winningPlan: planStage(plan, filter, sort),
    rejectedPlans: [],
  };
}

async function executionStats(
  context: CommandContext,
  ns: string,
  filter: Document,
  sort: Document | undefined,
): Promise<ReplyObject> {
  const collection = context.storage.catalog.get(ns);
  const plan = planOf(context, collection, filter, sort);
  const started = performance.now();
  let returned = 0;
  let examined = 0;
  if (collection && plan) {
    const scan = openScan(collection, plan);
    const cursor = new Cursor({ ns, source: new ScanSource(scan, predicateFor(context, filter, undefined)) });
    while (!cursor.exhausted) {
      const batch = await cursor.fill(1000, () => context.checkInterrupt());
      returned += batch.length;
      if (batch.length === 0) break;
    }
    examined = scan.examined;
  }
  const keys = plan?.index === undefined ? 0 : examined;
  return {
    executionSuccess: true,
    nReturned: returned,
    executionTimeMillis: Math.round(performance.now() - started),
    totalKeysExamined: keys,
    totalDocsExamined: examined,
    executionStages: { ...planStage(plan, filter, sort), nReturned: returned },
  };
}

function common(context: CommandContext, command: Document): ReplyObject {
  const { options } = context.server;
  return {
    command,
    serverInfo: {
      host: "127.0.0.1",
      port: context.connection.member.port,
      version: options.serverVersion,
      gitVersion: "",
    },
    serverParameters: {},
  };
}

/** What `aggregate` with `explain: true` answers. */
export function explainPipeline(context: CommandContext, pipeline: Document[]): Reply {
  const filter = leadingMatch(pipeline) ?? new Map();
  const sort = pipeline.find((stage) => !stage.has("$match"))?.get("$sort");
  const planner = queryPlanner(context, context.ns, filter, isDocument(sort) ? sort : undefined);
  return {
    explainVersion: "1",
    stages: [{ $cursor: { queryPlanner: planner } }, ...pipeline],
    ...common(context, context.body),
  };
}

async function run(context: CommandContext): Promise<Reply> {
  const inner = context.document("explain");
  if (!inner || inner.size === 0)
    throw new ServerError("TypeMismatch", "BSON field 'explain' is missing or not an object");
  const verbosity = context.string("verbosity") ?? "allPlansExecution";
  if (!LEVELS.has(verbosity))
    throw new ServerError(
      "FailedToParse",
      "verbosity string must be one of {'queryPlanner', 'executionStats', 'allPlansExecution'}",
    );
  const [name] = inner.keys();
  const explained = new CommandContext({ ...context, name: name!, body: inner });
  const ns = explained.ns;
  const pipeline = inner.get("pipeline");
  if (name === "aggregate" && Array.isArray(pipeline))
    return explainPipeline(explained, pipeline as Document[]);
  const { filter, sort } = filterOf(inner, name!);
  const reply: ReplyObject = { explainVersion: "1", queryPlanner: queryPlanner(explained, ns, filter, sort) };
  if (verbosity !== "queryPlanner") reply.executionStats = await executionStats(explained, ns, filter, sort);
  return { ...reply, ...common(context, inner) };
}

function filterOf(inner: Document, name: string): { filter: Document; sort: Document | undefined } {
  const batch = inner.get(name === "update" ? "updates" : "deletes");
  const statement = Array.isArray(batch) && isDocument(batch[0]) ? batch[0].get("q") : undefined;
  const filter = statement ?? inner.get("filter") ?? inner.get("query");
  const sort = inner.get("sort");
  return { filter: isDocument(filter) ? filter : new Map(), sort: isDocument(sort) ? sort : undefined };
}

const EXPLAINABLE = new Set([
  "find",
  "aggregate",
  "count",
  "distinct",
  "update",
  "delete",
  "findAndModify",
  "findandmodify",
]);

export const explainCommand: Command = {
  name: "explain",
  fields: ["verbosity"],
  role: "read",
  needs(context) {
    const inner = context.document("explain");
    const [name] = inner?.keys() ?? [];
    if (!inner || name === undefined || !EXPLAINABLE.has(name))
      throw new ServerError("CommandNotFound", `Explain failed due to unknown command: ${name ?? ""}`);
    const command = commands.get(name)!;
    return command.needs?.(new CommandContext({ ...context, command, name, body: inner })) ?? [];
  },
  run,
};
