/** What running a runbook and running an operation share: dependencies, the environment's lease, a step's context. */
import { randomBytes } from "node:crypto";
import type { PhaseStore } from "../../adapters/state/phase-store.ts";
import { defaultSettings, type Environment } from "../../core/failback/documents.ts";
import type {
  Clock,
  Commands,
  Functions,
  Instances,
  ObjectStore,
  ReplicationTasks,
} from "../../core/ports.ts";
import type { ReplicationEndpoints } from "../../core/replication/ports.ts";
import type { Tasks } from "../../core/tasks/model.ts";
import { callAction, documentName } from "./action.ts";
import type { Journal } from "./journal.ts";
import { Lease } from "./lease.ts";
import { interrupted } from "./run.ts";
import type { Caller, Host, StepContext } from "./runbook.ts";

export interface RunbookDependencies {
  readonly environment: Environment;
  readonly store: ObjectStore;
  readonly instances: Instances;
  readonly commands: Commands;
  readonly tasks: ReplicationTasks;
  readonly endpoints: ReplicationEndpoints;
  readonly functions: Functions;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  say(line: string): void;
}

/** A request to run something once; what is run is said beside it. */
export interface RunRequest {
  readonly inputs: Readonly<Record<string, string>>;
  readonly caller: Caller;
  /** Read from `tasks.yaml`. */
  readonly declared: Tasks;
  readonly leaseSeconds: number;
  /** Seconds an action on the host may take, by its name. */
  actionTimeoutSeconds(action: string): number;
}

/** Seconds beside an action's own bound, for its delivery. */
const deliverySeconds = 60;

/** Holds the environment's lease around `work`, whose signal fires when the lease is lost or the run is interrupted. */
export async function withLease<T>(
  deps: RunbookDependencies,
  request: RunRequest,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const holder = `${request.caller.actor}-${randomBytes(4).toString("hex")}`;
  const lease = await Lease.take(deps, { holder, what, seconds: request.leaseSeconds, say: deps.say });
  try {
    return await work(AbortSignal.any([lease.signal, deps.signal]));
  } finally {
    // The outcome is what counts; a lease that can't be given back is taken over after its seconds.
    await lease.release().catch((error) => deps.say(`the lease could not be released: ${String(error)}`));
  }
}

export interface StepBinding {
  readonly step: { readonly name: string };
  readonly phases: PhaseStore;
  readonly journal: Journal;
  readonly signal: AbortSignal;
  /** Where actions run unless a step says otherwise. */
  readonly host: Host;
  /** Parameters that every action gets. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** The context of one step. */
export function stepContext(deps: RunbookDependencies, request: RunRequest, at: StepBinding): StepContext {
  const { environment } = deps;
  const instanceOf = (host: Host) => {
    if (typeof host === "object") return host.instanceId;
    return host === "operations"
      ? (environment.operationsInstanceId ?? environment.instanceId)
      : environment.instanceId;
  };
  return {
    ...deps,
    settings: { ...defaultSettings, ...environment.settings },
    inputs: request.inputs,
    declared: request.declared,
    caller: request.caller,
    phases: at.phases,
    signal: at.signal,
    action: (action, parameters = {}, host = at.host) =>
      callAction(
        { commands: deps.commands, environment, journal: at.journal },
        {
          step: at.step.name,
          action,
          instanceId: instanceOf(host),
          parameters: { ...at.parameters, ...parameters },
          timeoutSeconds: request.actionTimeoutSeconds(action) + deliverySeconds,
        },
      ),
    plannedAction: (action, parameters = {}, host = at.host) => ({
      call: `SSM ${documentName(environment, action)}`,
      target: instanceOf(host),
      parameters: { ...at.parameters, ...parameters },
    }),
    data: (step) => at.journal.success(step)?.outcome?.data,
  };
}

/** An AbortSignal that fires at SIGINT or SIGTERM with the reason a report can show. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => controller.abort(interrupted()));
  return controller.signal;
}
