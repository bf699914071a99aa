import { randomBytes } from "node:crypto";
import { readJson } from "../../adapters/state/json.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import {
  type CurrentFailback,
  defaultSettings,
  type Environment,
  type Scope,
} from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import type { Clock, Commands, Instances, ObjectStore, ReplicationTasks } from "../../core/ports.ts";
import { databasesOf, type Tasks } from "../../core/tasks/tasks.ts";
import { callAction } from "./action.ts";
import { Journal, roundOf } from "./journal.ts";
import { Lease } from "./lease.ts";
import { interrupted, type RunReport, runSteps } from "./run.ts";
import type { Caller, Runbook, RunbookContext, Step } from "./runbook.ts";

export interface RunbookDependencies {
  readonly environment: Environment;
  readonly store: ObjectStore;
  readonly instances: Instances;
  readonly commands: Commands;
  readonly tasks: ReplicationTasks;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  say(line: string): void;
}

export interface RunbookRequest {
  readonly runbook: Runbook;
  readonly inputs: Readonly<Record<string, string>>;
  readonly caller: Caller;
  /** Read from `tasks.yaml`; needed by the runbook that opens a failback. */
  readonly declared: Tasks;
  readonly leaseSeconds: number;
  /** Seconds an action on the host may take, by its name. */
  actionTimeoutSeconds(action: string): number;
}

/** Runs a runbook under the environment's lease, going on where its journal stops. */
export async function executeRunbook(deps: RunbookDependencies, request: RunbookRequest): Promise<RunReport> {
  const holder = `${request.caller.actor}-${randomBytes(4).toString("hex")}`;
  const { runbook } = request;
  const lease = await Lease.take(deps, {
    holder,
    what: runbook.name,
    seconds: request.leaseSeconds,
    say: deps.say,
  });
  try {
    const phases = new PhaseStore(deps.store, deps.clock, deps.environment.environment);
    const current = await phases.read();
    assertPhase(current.phase, runbook.phases, `run ${runbook.name}`, current.failbackId);
    const scope = await scopeOf(deps, request, current);
    const at = {
      failbackId: scope.failbackId,
      runbook: runbook.name,
      round: roundOf(current, scope.failbackId),
    };
    const journal = await Journal.open(deps, at, request.caller);
    const signal = AbortSignal.any([lease.signal, deps.signal]);
    const report = await runSteps(runbook, journal, (step) =>
      contextFor(deps, request, { scope, phases, journal, signal, step }),
    );
    return report;
  } finally {
    // The outcome is what counts; a lease that can't be given back is taken over after its seconds.
    await lease.release().catch((error) => deps.say(`the lease could not be released: ${String(error)}`));
  }
}

/** The context a plan is made with: the same values, nothing behind them. */
export async function planContext(
  deps: RunbookDependencies,
  request: RunbookRequest,
): Promise<RunbookContext> {
  const phases = new PhaseStore(deps.store, deps.clock, deps.environment.environment);
  const scope = await scopeOf(deps, request, await phases.read());
  const at = { failbackId: scope.failbackId, runbook: request.runbook.name, round: 1 };
  const journal = await Journal.open(deps, at, request.caller);
  return contextFor(deps, request, {
    scope,
    phases,
    journal,
    signal: deps.signal,
    step: request.runbook.steps[0]!,
  });
}

function contextFor(
  deps: RunbookDependencies,
  request: RunbookRequest,
  at: { scope: Scope; phases: PhaseStore; journal: Journal; signal: AbortSignal; step: Step },
): RunbookContext {
  const { environment } = deps;
  return {
    ...deps,
    settings: { ...defaultSettings, ...environment.settings },
    inputs: request.inputs,
    failbackId: at.scope.failbackId,
    scope: at.scope,
    caller: request.caller,
    phases: at.phases,
    signal: at.signal,
    action: (action, parameters = {}) =>
      callAction(
        { commands: deps.commands, environment, journal: at.journal },
        {
          step: at.step.name,
          action,
          instanceId: environment.instanceId,
          parameters: { failbackId: at.scope.failbackId, ...parameters },
          timeoutSeconds: request.actionTimeoutSeconds(action) + 60,
        },
      ),
    data: (step) => at.journal.success(step)?.outcome?.data,
  };
}

/** The frozen scope of the open failback, or a new one where this runbook may open it. */
async function scopeOf(
  deps: RunbookDependencies,
  request: RunbookRequest,
  current: CurrentFailback,
): Promise<Scope> {
  if (current.phase !== "normal" || !request.runbook.opens) {
    const found = current.failbackId
      ? await readJson<Scope>(deps.store, keysOf(current.failbackId).scope)
      : undefined;
    if (found) return found.value;
    throw new RoundtripError({
      kind: "refused",
      what: `run ${request.runbook.name}`,
      expected: "an open failback with its frozen scope",
      got: current.failbackId ? `no scope for failback ${current.failbackId}` : "no failback was ever opened",
      wayOut: "open one with failback-start",
    });
  }
  return newScope(deps, request);
}

function newScope(deps: RunbookDependencies, request: RunbookRequest): Scope {
  const { environment } = deps;
  const now = deps.clock.now();
  const stamp = now.toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  const asked = (request.inputs["application-users"] ?? "").split(",").filter(Boolean);
  const known = environment.documentdb.applicationUsers;
  const unknown = asked.filter((name) => !known.some((user) => user.name === name));
  if (unknown.length > 0) {
    throw new RoundtripError({
      kind: "refused",
      what: "take the application users of this failback",
      expected: `users the environment names: ${known.map((user) => user.name).join(", ")}`,
      got: unknown.join(", "),
      wayOut: "mend the input, or add the user and its secret to the environment and apply",
    });
  }
  const force = request.inputs.force ?? "-";
  return {
    version: 1,
    failbackId: `${environment.environment}-${stamp}-${randomBytes(2).toString("hex")}`,
    environment: environment.environment,
    commit: request.caller.commit,
    openedAt: now.toISOString(),
    databases: databasesOf(request.declared),
    applicationUsers: known.filter((user) => asked.length === 0 || asked.includes(user.name)),
    ...(force === "-" ? {} : { forced: force }),
  };
}

/** An AbortSignal that fires at SIGINT or SIGTERM with the reason a report can show. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => controller.abort(interrupted()));
  return controller.signal;
}
