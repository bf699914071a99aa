import { type FailureKind, RoundtripError } from "../../core/errors.ts";
import type { Environment } from "../../core/failback/documents.ts";
import {
  type Inspection,
  type LiveDms,
  type LiveSide,
  type LiveState,
  type LiveTask,
  tasksOfEnvironment,
} from "../../core/live/live-state.ts";
import type { Clock } from "../../core/ports.ts";
import type { ReplicationEndpoints } from "../../core/replication/ports.ts";

export interface LiveSources {
  readonly clock: Clock;
  /** Every DMS task of the account; with tables for those the predicate names. */
  readonly tasks: { live(tablesOf: (task: LiveTask) => boolean): Promise<LiveTask[]> };
  /** Every endpoint of the account; absent where nobody cares for their names. */
  readonly endpoints?: Pick<ReplicationEndpoints, "list">;
  /** Asks the host what stands in both databases. */
  inspect(): Promise<Inspection>;
}

/**
 * What stands in an environment: DMS and both databases, each side by itself. A side that can't be read says why; never
 * fails for that. `declaredIds` are the tasks that should stand, `tablesOf` those whose table statistics are wanted.
 */
export async function readLiveState(
  environment: Pick<Environment, "environment" | "replicationTasks">,
  sources: LiveSources,
  wanted: { readonly declaredIds: readonly string[]; readonly tablesOf: ReadonlySet<string> },
): Promise<LiveState> {
  const [dms, inspection] = await Promise.all([
    orReason(() => readDms(environment, sources, wanted)),
    orReason(() => sources.inspect()),
  ]);
  const side = (name: "mongodb" | "documentdb"): LiveSide =>
    "reason" in inspection ? { reachable: false, reason: inspection.reason } : inspection.value[name];
  return {
    environment: environment.environment,
    takenAt: sources.clock.now().toISOString(),
    dms: "reason" in dms ? { reachable: false, reason: dms.reason } : dms.value,
    mongodb: side("mongodb"),
    documentdb: side("documentdb"),
  };
}

/** DMS's tasks of one environment, by id. Fails as the adapter does. */
export async function readDms(
  environment: Pick<Environment, "replicationTasks">,
  source: Pick<LiveSources, "tasks" | "endpoints">,
  wanted: { readonly declaredIds: readonly string[]; readonly tablesOf: ReadonlySet<string> },
): Promise<LiveDms> {
  const all = await source.tasks.live(({ id }) => wanted.tablesOf.has(id));
  const endpoints = await source.endpoints?.list();
  return {
    reachable: true,
    ...(endpoints ? { endpoints: new Map(endpoints.map(({ arn, id }) => [arn, id])) } : {}),
    tasks: tasksOfEnvironment(all, environment.replicationTasks, wanted.declaredIds).sort((left, right) =>
      left.id < right.id ? -1 : 1,
    ),
  };
}

/** Only what could not be reached or was not allowed is a reason; a fault of the program is thrown. */
export async function orReason<T>(
  read: () => Promise<T>,
): Promise<{ value: T } | { reason: string; kind: FailureKind }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (!(error instanceof RoundtripError) || error.kind === "interrupted") throw error;
    return { reason: `${error.what}: ${error.got}; way out: ${error.wayOut}`, kind: error.kind };
  }
}
