/** What a plan means for one environment as it stands: sizes, what is in the way, and what isn't as the base says. */
import type { Finding } from "../drift/model.ts";
import { taskFindings } from "../drift/tasks.ts";
import { userFindings } from "../drift/users.ts";
import type { Environment } from "../failback/documents.ts";
import type { LiveCollection, LiveSide, LiveState, LiveTask } from "../live/live-state.ts";
import type { EnvironmentName, Tasks } from "../tasks/model.ts";
import { estimateLoads } from "./load-estimate.ts";
import type { LivePlan, LiveSize, Plan } from "./model.ts";

export interface LivePlanInput {
  readonly plan: Plan;
  readonly name: EnvironmentName;
  readonly environment: Environment;
  /** What should stand now: what was last applied. Absent when nothing ever was. */
  readonly base: Tasks | undefined;
  readonly head: Tasks;
  readonly live: LiveState;
  /** `normal`, or the phase of the failback that is open. */
  readonly phase: string;
  /** What is being run there, or was begun and never finished. */
  readonly underWay: readonly string[];
}

/** The part of a plan that comes from looking. Pure; none of it is in the plan's digest, because it changes by itself. */
export function livePlan(input: LivePlanInput): LivePlan {
  const { plan, live, name, head, base } = input;
  const documentdb = live.documentdb.reachable ? namespacesOf(live.documentdb) : undefined;
  return {
    environment: live.environment,
    takenAt: live.takenAt,
    phase: input.phase,
    underWay: input.underWay,
    unknown: unknownOf(live),
    divergence: divergenceOf(input),
    users: usersOf(input),
    losses: losses(plan, name, documentdb),
    loads: estimateLoads(plan, name, head, live),
    occupied: occupied(plan, name, head, documentdb),
    undeclared: undeclared(plan, name, head, base, documentdb),
    grants: plan.environments
      .filter((environment) => environment.name === name)
      .flatMap(({ databasesCreated }) => databasesCreated)
      .map((database) => ({
        user: input.environment.documentdb.replicationUser.name,
        role: "readWrite",
        database,
      })),
  };
}

function divergenceOf({ base, head, live, name, phase }: LivePlanInput): Finding[] {
  if (!live.dms.reachable) return [];
  const { tasks, endpoints } = live.dms;
  const declared = new Set(base?.tasks.map(({ id }) => id));
  const created = new Set(head.tasks.map(({ id }) => id).filter((id) => !declared.has(id)));
  const standsStill = phase !== "normal";
  const changed = base ? taskFindings(base, name, tasks, { standsStill, endpoints }) : [];
  const there = tasks.filter(({ id }) => created.has(id)).map(thereAlready);
  const said = new Set(there.map(({ what }) => what));
  return [...there, ...changed.filter(({ what }) => !said.has(what))];
}

function thereAlready({ id, status }: LiveTask): Finding {
  return {
    area: "dms",
    kind: "task-extra",
    what: `DMS task ${id}`,
    expected: "no task of that name, because this plan creates it",
    got: status,
    fix: "roundtrip adopt takes over what exists; or stop and delete it in DMS",
  };
}

function usersOf({ base, live, environment, head, phase }: LivePlanInput): readonly Finding[] {
  if (!live.documentdb.reachable) return [];
  const standsStill = phase !== "normal";
  return userFindings(base ?? head, environment.documentdb, live.documentdb, { standsStill }).findings;
}

function unknownOf(live: LiveState): LivePlan["unknown"] {
  const sides = [
    ["DMS", live.dms, "whether the tasks are as they were applied, and how long a load takes"],
    [
      "DocumentDB",
      live.documentdb,
      "whether a new collection's place is empty, what a drop takes with it, which users are there",
    ],
    ["MongoDB", live.mongodb, "how many documents and bytes are loaded"],
  ] as const;
  return sides.flatMap(([side, read, notKnown]) =>
    read.reachable ? [] : [{ side, reason: read.reason, notKnown }],
  );
}

function losses(
  plan: Plan,
  name: EnvironmentName,
  documentdb: ReadonlyMap<string, LiveCollection> | undefined,
): LivePlan["losses"] {
  const environment = plan.environments.find((each) => each.name === name);
  if (!environment) return [];
  const within = (database: string) =>
    [...(documentdb ?? [])]
      .filter(([namespace]) => databaseOf(namespace) === database)
      .map(([, each]) => each);
  return [
    ...environment.databasesDropped.map((database) => ({
      kind: "database" as const,
      name: database,
      ...(documentdb ? { collections: within(database).length, size: sizeOf(within(database)) } : {}),
    })),
    ...environment.collectionsDropped.map((namespace) => {
      const found = documentdb?.get(namespace);
      return {
        kind: "collection" as const,
        name: namespace,
        ...(documentdb ? { collections: found ? 1 : 0, size: sizeOf(found ? [found] : []) } : {}),
      };
    }),
  ];
}

/** Places of new collections where documents lie already. */
function occupied(
  plan: Plan,
  name: EnvironmentName,
  head: Tasks,
  documentdb: ReadonlyMap<string, LiveCollection> | undefined,
): LivePlan["occupied"] {
  const environment = plan.environments.find((each) => each.name === name);
  if (!documentdb || !environment) return [];
  const created = new Set([
    ...environment.collectionsCreated,
    ...environment.collectionsRenamed.map(({ to }) => to),
    ...head.tasks
      .filter(({ database }) => environment.databasesCreated.includes(database))
      .flatMap(({ database, collections }) => collections.map((each) => `${database}.${each.name}`)),
  ]);
  return [...created].sort().flatMap((namespace) => {
    const found = documentdb.get(namespace);
    return found && found.documents > 0 ? [{ name: namespace, size: sizeOf([found]) }] : [];
  });
}

/** On DocumentDB, in no task before or after, and not dropped by this plan. */
function undeclared(
  plan: Plan,
  name: EnvironmentName,
  head: Tasks,
  base: Tasks | undefined,
  documentdb: ReadonlyMap<string, LiveCollection> | undefined,
): LivePlan["undeclared"] {
  const environment = plan.environments.find((each) => each.name === name);
  const known = new Set(
    [head, ...(base ? [base] : [])].flatMap(({ tasks }) =>
      tasks.flatMap(({ database, collections }) => collections.map((each) => `${database}.${each.name}`)),
    ),
  );
  return [...(documentdb ?? [])]
    .filter(([namespace]) => !known.has(namespace))
    .filter(([namespace]) => !environment?.databasesDropped.includes(databaseOf(namespace)))
    .map(([namespace, collection]) => ({ name: namespace, size: sizeOf([collection]) }));
}

function sizeOf(collections: readonly LiveCollection[]): LiveSize {
  const sum = (value: (collection: LiveCollection) => number) =>
    collections.reduce((total, collection) => total + value(collection), 0);
  return {
    documents: sum(({ documents }) => documents),
    bytes: sum(({ bytes }) => bytes),
    estimated: collections.some(({ estimated }) => estimated === true),
  };
}

function namespacesOf(side: Extract<LiveSide, { reachable: true }>): Map<string, LiveCollection> {
  return new Map(
    side.databases
      .flatMap(({ name, collections }) =>
        collections.map((collection) => [`${name}.${collection.name}`, collection] as const),
      )
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}

function databaseOf(namespace: string): string {
  return namespace.slice(0, namespace.indexOf("."));
}
