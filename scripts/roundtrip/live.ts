/** What `plan`, `drift` and `readiness` read of an environment. */
import { readFile } from "node:fs/promises";
import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { readLiveState } from "../../adapters/live/read-live-state.ts";
import type { LiveState } from "../../core/live/live-state.ts";
import { type EnvironmentName, environmentNames } from "../../core/tasks/model.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import { readInspection } from "../../runbooks/steps/inspection.ts";
import { usageError } from "./command.ts";

/** `--env` as one of the environments a task can differ in. */
export function environmentNameOf(value: unknown): EnvironmentName {
  const name = environmentNames.find((each) => each === value);
  if (name) return name;
  throw usageError(
    "choose the environment",
    String(value ?? "no --env"),
    `--env ${environmentNames.join("|")}`,
  );
}

/** DMS through its API, the databases through the host. Never fails for a side that does not answer. */
export async function liveStateOf(
  deps: RunbookDependencies,
  wanted: { readonly declaredIds: readonly string[]; readonly tablesOf: ReadonlySet<string> },
): Promise<LiveState> {
  const { environment, commands, store, clock } = deps;
  const tasks = new AwsReplicationTasks({ region: environment.region });
  const inspect = () => readInspection(commands, store, environment);
  return await readLiveState(environment, { clock, tasks, inspect }, wanted);
}

/** The JSON of a Terraform plan. What it says never gets into a message. */
export async function terraformText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "it can't be read";
    throw usageError(`read ${file}`, code, "write it with terraform show -json PLANFILE > FILE");
  }
}
