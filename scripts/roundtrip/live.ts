/** What `plan`, `drift` and `readiness` read of an environment. */
import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { readLiveState } from "../../adapters/live/read-live-state.ts";
import { readJson } from "../../adapters/state/json.ts";
import { leaseKey } from "../../core/failback/layout.ts";
import type { LiveState } from "../../core/live/live-state.ts";
import { openOperationKey } from "../../core/operations/layout.ts";
import { applyName } from "../../runbooks/apply/proposal.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import type { LeaseDocument } from "../../runbooks/engine/lease.ts";
import type { OpenOperation } from "../../runbooks/engine/operation.ts";
import { readInspection } from "../../runbooks/steps/inspection.ts";

/**
 * What is being run in the environment, or was begun and never finished: what it has changed so far is no drift of
 * anybody's. Whoever holds the lease may also have been killed; nobody can tell without watching it.
 */
export async function workUnderWay({ store }: Pick<RunbookDependencies, "store">): Promise<string[]> {
  const lease = (await readJson<LeaseDocument>(store, leaseKey))?.value;
  const apply = (await readJson<OpenOperation>(store, openOperationKey(applyName)))?.value;
  return [
    ...(lease && !lease.released ? [`${lease.what} is being run by ${lease.holder}, or was killed`] : []),
    ...(apply?.state === "open"
      ? [
          `apply ${apply.operationId}, begun ${apply.startedAt} by ${apply.by.actor}, is not finished: run it again`,
        ]
      : []),
  ];
}

/** DMS through its API, the databases through the host. Never fails for a side that does not answer. */
export async function liveStateOf(
  deps: RunbookDependencies,
  wanted: { readonly declaredIds: readonly string[]; readonly tablesOf: ReadonlySet<string> },
): Promise<LiveState> {
  const { environment, commands, store, clock, endpoints } = deps;
  const tasks = new AwsReplicationTasks({ region: environment.region });
  const inspect = () => readInspection(commands, store, environment);
  return await readLiveState(environment, { clock, tasks, endpoints, inspect }, wanted);
}
