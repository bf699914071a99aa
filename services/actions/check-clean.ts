import { untouchedSince } from "../clean/checks.ts";
import type { Action } from "./action.ts";
import { replicationChecks } from "./replication-checks.ts";

/** PROVEN, nothing written on either side since, and capture still there to show it (invariants.md 22, 27). */
export const run: Action = async (context) => {
  const { service, failback, databases } = context;
  const { verdict, checks } = await untouchedSince(service, databases, failback.scope);
  // Once monitor-restore has stopped it there is nothing left to see: the users have been read-only since the fence.
  const stopped = await service.store.head(failback.keys.captureStopped);
  return {
    checks: [...checks, ...(stopped ? [] : await replicationChecks(context))],
    data: { verdict: verdict.verdict, takenAt: verdict.takenAt },
  };
};
