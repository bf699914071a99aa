/** Runbooks: what belongs to a failback. Operations, which belong to none, are in operation.ts. */
import { randomBytes } from "node:crypto";
import { readJson } from "../../adapters/state/json.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { CurrentFailback, Scope } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import { databasesOf } from "../../core/tasks/tasks.ts";
import { type RunbookDependencies, type RunRequest, stepContext, withLease } from "./execution.ts";
import { Journal, roundOf } from "./journal.ts";
import { type RunReport, runSteps } from "./run.ts";
import type { Runbook, RunbookContext, Step } from "./runbook.ts";

export interface RunbookRequest extends RunRequest {
  readonly runbook: Runbook;
}

/** Runs a runbook under the environment's lease, going on where its journal stops. */
export async function executeRunbook(deps: RunbookDependencies, request: RunbookRequest): Promise<RunReport> {
  const { runbook } = request;
  return withLease(deps, request, runbook.name, async (signal) => {
    const phases = new PhaseStore(deps.store, deps.clock, deps.environment.environment);
    const current = await phases.read();
    assertPhase(current.phase, runbook.phases, `run ${runbook.name}`, current.failbackId);
    const scope = await scopeOf(deps, request, current);
    const { failbackId } = scope;
    const journal = await journalOf(deps, request, failbackId, roundOf(current, failbackId));
    return runSteps(runbook, journal, { failbackId }, (step) =>
      contextFor(deps, request, { scope, phases, journal, signal, step }),
    );
  });
}

/** The context a plan is made with: the same values, nothing behind them. */
export async function planContext(
  deps: RunbookDependencies,
  request: RunbookRequest,
): Promise<RunbookContext> {
  const phases = new PhaseStore(deps.store, deps.clock, deps.environment.environment);
  const scope = await scopeOf(deps, request, await phases.read());
  const journal = await journalOf(deps, request, scope.failbackId, 1);
  const step = request.runbook.steps[0]!;
  return contextFor(deps, request, { scope, phases, journal, signal: deps.signal, step });
}

/** A failback that was reopened starts a new round, with a journal of its own. */
function journalOf(
  deps: RunbookDependencies,
  request: RunbookRequest,
  failbackId: string,
  round: number,
): Promise<Journal> {
  const { name } = request.runbook;
  const prefix = `${keysOf(failbackId).journal(name)}${String(round).padStart(3, "0")}/`;
  return Journal.open(deps, { prefix, runbook: name }, request.caller);
}

function contextFor(
  deps: RunbookDependencies,
  request: RunbookRequest,
  at: { scope: Scope; phases: PhaseStore; journal: Journal; signal: AbortSignal; step: Step },
): RunbookContext {
  const { scope, ...binding } = at;
  const { failbackId } = scope;
  const context = stepContext(deps, request, { ...binding, host: "failback", parameters: { failbackId } });
  return { ...context, failbackId, scope };
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
