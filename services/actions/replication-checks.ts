import { readJson } from "../../adapters/state/json.ts";
import type { Check, ServiceStatus } from "../../core/failback/documents.ts";
import { type ActionContext, check } from "./action.ts";

const unit = "replication.service";
/** Its status is written every two seconds; this is many of them. */
const statusSecondsMax = 60;

/** Capture is up, says so freshly, and has lost nothing. */
export async function replicationChecks({ service, failback }: ActionContext): Promise<Check[]> {
  const { active, result } = await service.units.state(unit);
  const status = (await readJson<ServiceStatus>(service.store, failback.keys.status("replication")))?.value;
  const ageSeconds = status
    ? (service.clock.now().getTime() - Date.parse(status.updatedAt)) / 1000
    : Infinity;
  const working = status?.state === "running" || status?.state === "waiting" || status?.state === "starting";
  const gap = await service.store.head(failback.keys.gap);
  return [
    check("capture runs", active === "active", {
      expected: `${unit} active`,
      got: `${active}, result ${result}`,
      wayOut: "see `roundtrip logs replication`; start it with start-service once the cause is gone",
    }),
    check("capture is alive", working && ageSeconds < statusSecondsMax, {
      expected: `a status of replication younger than ${statusSecondsMax} s, saying it works`,
      got: status ? `${status.state}, ${Math.round(ageSeconds)} s old` : "no status",
      wayOut: "see `roundtrip logs replication`",
    }),
    check("no gap in the log", gap === undefined, {
      expected: `no ${failback.keys.gap}`,
      got: gap ? "a gap: the change stream lost what was not yet read" : "none",
      wayOut: "the restore can't cross it: recopy what was written meanwhile from DocumentDB",
    }),
  ];
}
