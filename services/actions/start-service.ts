import type { ActionContext, ActionOutcome } from "./action.ts";
import { check } from "./action.ts";

const upMsMax = 60_000;
const lookEveryMs = 50;
/** A oneshot is `activating` while it works; so is one of the others that is about to fail. */
const workingMsMin = 300;

/** Starts a unit; one that runs already stays as it is. Waits until systemd says that it came up, or why not. */
export async function run({ service, parameter }: ActionContext): Promise<ActionOutcome> {
  const unit = parameter("unit");
  const { units, clock, signal } = service;
  await units.start(unit);
  const startedMs = clock.monotonicMs();
  let state = await units.state(unit);
  const waitedMs = () => clock.monotonicMs() - startedMs;
  while (!isSettled(state, waitedMs()) && waitedMs() < upMsMax) {
    await clock.sleep(lookEveryMs, signal);
    state = await units.state(unit);
  }
  const up = state.active === "active" || isWorking(state) || isFinished(state);
  return {
    checks: [
      check(`unit ${unit}`, up, {
        expected: "started, or finished with exit code 0",
        got: `${state.active} (${state.sub}), result ${state.result}, exit code ${state.exitStatus}`,
        wayOut: `see service-logs --unit ${unit}; mend the cause it names, then run the step again`,
      }),
    ],
    data: { ...state },
  };
}

type State = Awaited<ReturnType<ActionContext["service"]["units"]["state"]>>;

function isSettled(state: State, waitedMs: number): boolean {
  if (state.active === "active" || state.active === "failed" || isFinished(state)) return true;
  return isWorking(state) && waitedMs > workingMsMin;
}

/** A oneshot at its work: it is `activating` until it has done it. */
function isWorking(state: State): boolean {
  return state.active === "activating" && state.sub === "start" && state.mainPid > 0;
}

function isFinished(state: State): boolean {
  return state.active === "inactive" && state.result === "success" && state.exitStatus === 0;
}
