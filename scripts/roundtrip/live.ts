/** What `plan`, `drift` and `readiness` read of an environment. */
import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { readLiveState } from "../../adapters/live/read-live-state.ts";
import type { LiveState } from "../../core/live/live-state.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import { readInspection } from "../../runbooks/steps/inspection.ts";

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
