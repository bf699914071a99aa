import { readJson } from "../../adapters/state/json.ts";
import { statusKey } from "../../core/backup/layout.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import { type Action, type ActionContext, check } from "./action.ts";

const upMsMax = 60_000;
const lookEveryMs = 100;

/**
 * Starts a unit of backups and waits until a run has said in its status that it began; one that is at its work stays as
 * it is, and is named. Gives that run and when it began, so that who waits for it can tell it from the runs before it.
 */
export const run: Action = async ({ service, parameter }) => {
  const unit = parameter("unit");
  const verb = unit.replace(/\.service$/, "");
  const { units, clock, signal } = service;
  const isWorking = async () => (await units.state(unit)).active === "activating";
  const before = await statusOf(service, verb);
  const attaches = (await isWorking()) && before !== undefined && !hasEnded(before);
  let asked = false;
  let found: ServiceStatus | undefined;
  const deadline = clock.monotonicMs() + upMsMax;
  while (!found && clock.monotonicMs() < deadline) {
    // One that ends just now would take the request for its own: it is made when nothing runs.
    if (!asked && !attaches && !(await isWorking())) {
      await units.start(unit);
      asked = true;
    }
    const status = await statusOf(service, verb);
    if (status && (attaches || status.run !== before?.run)) found = status;
    else await clock.sleep(lookEveryMs, signal);
  }
  const { active, sub, result, exitStatus } = await units.state(unit);
  return {
    checks: [
      check(`unit ${unit}`, found !== undefined, {
        expected: `a run with a status of its own within ${upMsMax / 1000} s`,
        got: found
          ? `run ${found.run}, begun ${found.startedAt}`
          : `${active} (${sub}), result ${result}, exit code ${exitStatus}`,
        wayOut: `see roundtrip logs ${verb}; mend the cause it names, then run this again`,
      }),
    ],
    data: { unit, run: found?.run ?? "", startedAt: found?.startedAt ?? "" },
  };
};

async function statusOf(
  { store }: ActionContext["service"],
  verb: string,
): Promise<ServiceStatus | undefined> {
  return (await readJson<ServiceStatus>(store, statusKey(verb)))?.value;
}

function hasEnded({ state }: ServiceStatus): boolean {
  return state === "finished" || state === "failed" || state === "stopped";
}
