import { readJson } from "../../adapters/state/json.ts";
import {
  type CurrentFailback,
  defaultSettings,
  type MongodbClosing,
  type Scope,
  type ServiceStatus,
} from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { type Objective, objectivesOf, restoreObjectives } from "../../core/failback/objectives.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import type { RunReport } from "../../runbooks/engine/run.ts";

/** RTO and RPO of the failback this run belongs to, from what lies in the bucket; what isn't there is not known. */
export async function measuredObjectives(
  { store, clock, environment }: RunbookDependencies,
  { runbook, failbackId, steps }: RunReport,
  { history }: CurrentFailback,
): Promise<Objective[]> {
  const settings = { ...defaultSettings, ...environment.settings };
  const figure = (step: string, name: string) => {
    const value = steps.find((one) => one.name === step)?.outcome?.data?.[name];
    return typeof value === "number" ? { [name]: value } : {};
  };
  if (runbook === "restore-backup")
    return restoreObjectives(
      { ...figure("restore", "seconds"), ...figure("preview", "lagSeconds") },
      settings,
    );
  if (runbook === "dr-test")
    return (steps.find(({ name }) => name === "verdict")?.outcome?.data?.objectives ?? []) as Objective[];
  if (!failbackId) return [];
  const keys = keysOf(failbackId);
  const read = async <Document>(key: string) => (await readJson<Document>(store, key))?.value;
  const openedAt = (await read<Scope>(keys.scope))?.openedAt;
  const captureLagMs = (await read<ServiceStatus>(keys.status("replication")))?.detail?.lagMs;
  const closing =
    (await read<MongodbClosing>(keys.closing)) ??
    (await read<MongodbClosing>(keys.closing.replace(keys.root, keys.archive)));
  const canaryMs = steps.find(({ name }) => name === "canary")?.outcome?.data?.seenMs;
  return objectivesOf(
    runbook,
    {
      history,
      now: clock.now().toISOString(),
      ...(openedAt ? { openedAt } : {}),
      ...(typeof canaryMs === "number" ? { canaryMs } : {}),
      ...(typeof captureLagMs === "number" ? { captureLagMs } : {}),
      ...(closing?.reopenedAt ? { mongodbReopenedAt: closing.reopenedAt } : {}),
    },
    settings,
  );
}
