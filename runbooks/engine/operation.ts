/**
 * Operations: what is run in phase `normal` and belongs to no failback. The engine is the runbooks' own; this file adds
 * only how an operation gets its id and how a killed run finds its journal again:
 *
 *     operations/open/<name>.json        the last operation of that name: id, digest of its inputs, open or done
 *     operations/<id>/operation.json     who ran it with which inputs; written once
 *     operations/<id>/journal/           its steps
 *
 * A run with the inputs of an open operation goes on with it; one with other inputs begins anew and says which one it
 * supersedes, so its steps must bring any half-done state to their own end. A step that must hold *now* says `every`.
 */
import { randomBytes } from "node:crypto";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import { openOperationKey, operationKeys } from "../../core/operations/layout.ts";
import { sha256Of } from "../../core/sha256.ts";
import { type RunbookDependencies, type RunRequest, stepContext, withLease } from "./execution.ts";
import { Journal } from "./journal.ts";
import { type RunReport, runSteps } from "./run.ts";
import type { Caller, Operation, OperationContext } from "./runbook.ts";

export interface OperationRequest extends RunRequest {
  readonly operation: Operation;
}

/** `operations/open/<name>.json`, and without `state` what `operations/<id>/operation.json` keeps. */
export interface OpenOperation {
  readonly version: 1;
  readonly name: string;
  readonly operationId: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** sha256 of the inputs: a run with the same ones goes on with this operation. */
  readonly inputsDigest: string;
  readonly state: "open" | "done";
  readonly startedAt: string;
  readonly by: Caller;
  /** The operation of this name that was not finished when this one began. */
  readonly supersedes?: string;
}

interface Opened {
  readonly operation: OpenOperation;
  readonly etag: string;
}

/** The operation of that name which a run with these inputs would go on with, if one is open. */
export async function openOperation(
  deps: Pick<RunbookDependencies, "store">,
  name: string,
  inputs: Readonly<Record<string, string>>,
): Promise<OpenOperation | undefined> {
  const found = (await readJson<OpenOperation>(deps.store, openOperationKey(name)))?.value;
  return found?.state === "open" && found.inputsDigest === digestOf(inputs) ? found : undefined;
}

/**
 * Marks the open operation of that name as done without finishing it, so that the next run begins anew. Gives it, or
 * nothing when none was open or `matches` says no. For what undoes an operation.
 */
export async function giveUpOperation(
  deps: Pick<RunbookDependencies, "store">,
  name: string,
  matches: (operation: OpenOperation) => boolean = () => true,
): Promise<OpenOperation | undefined> {
  const key = openOperationKey(name);
  const found = await readJson<OpenOperation>(deps.store, key);
  if (found?.value.state !== "open" || !matches(found.value)) return undefined;
  await writeJson(deps.store, key, { ...found.value, state: "done" }, { ifMatch: found.etag });
  return found.value;
}

/**
 * Runs an operation under the environment's lease, going on where its journal stops. Fails `refused` while a failback
 * is open or another run holds the lease; a step's failure is in the report.
 */
export async function executeOperation(
  deps: RunbookDependencies,
  request: OperationRequest,
): Promise<RunReport> {
  const { operation } = request;
  return withLease(deps, request, operation.name, async (signal) => {
    const phases = new PhaseStore(deps.store, deps.clock, deps.environment.environment);
    // A failback is opened under the same lease: while it is held here the phase can't change.
    const current = await phases.read();
    assertPhase(current.phase, operation.phases ?? ["normal"], `run ${operation.name}`, current.failbackId);
    const opened = await open(deps, request);
    const { operationId } = opened.operation;
    const journal = await journalOf(deps, request, operationId);
    const report = await runSteps(operation, journal, { operationId }, (step) =>
      contextFor(deps, request, { operationId, phases, journal, signal, step }),
    );
    return report.succeeded ? close(deps, opened, report) : report;
  });
}

/** The context a plan is made with: the same values, and nothing is written. */
export async function operationPlanContext(
  deps: RunbookDependencies,
  request: OperationRequest,
): Promise<OperationContext> {
  const phases = new PhaseStore(deps.store, deps.clock, deps.environment.environment);
  const found = await openOperation(deps, request.operation.name, request.inputs);
  const operationId = found?.operationId ?? newOperationId(deps, request.operation.name);
  const journal = await journalOf(deps, request, operationId);
  const step = request.operation.steps[0]!;
  return contextFor(deps, request, { operationId, phases, journal, signal: deps.signal, step });
}

function contextFor(
  deps: RunbookDependencies,
  request: OperationRequest,
  at: {
    operationId: string;
    phases: PhaseStore;
    journal: Journal;
    signal: AbortSignal;
    step: { name: string };
  },
): OperationContext {
  const { operationId, ...binding } = at;
  return { ...stepContext(deps, request, { ...binding, host: "operations", parameters: {} }), operationId };
}

function journalOf(deps: RunbookDependencies, request: OperationRequest, id: string): Promise<Journal> {
  return Journal.open(
    deps,
    { prefix: operationKeys(id).journal, runbook: request.operation.name },
    request.caller,
  );
}

/** Finds the open operation with these inputs or begins one; the pointer stands before anything else is written. */
async function open(deps: RunbookDependencies, request: OperationRequest): Promise<Opened> {
  const { name } = request.operation;
  const key = openOperationKey(name);
  const found = await readJson<OpenOperation>(deps.store, key);
  const inputsDigest = digestOf(request.inputs);
  const unfinished = found?.value.state === "open" ? found.value : undefined;
  if (found && unfinished?.inputsDigest === inputsDigest) {
    deps.say(
      `going on with ${unfinished.operationId}, begun ${unfinished.startedAt} by ${unfinished.by.actor}`,
    );
    return { operation: unfinished, etag: found.etag };
  }
  if (unfinished)
    deps.say(`${unfinished.operationId} was never finished and had other inputs: this run supersedes it`);
  const operation: OpenOperation = {
    version: 1,
    name,
    operationId: newOperationId(deps, name),
    inputs: request.inputs,
    inputsDigest,
    state: "open",
    startedAt: deps.clock.now().toISOString(),
    by: request.caller,
    ...(unfinished ? { supersedes: unfinished.operationId } : {}),
  };
  const { state: _, ...record } = operation;
  await writeJson(deps.store, operationKeys(operation.operationId).operation, record, { ifNoneMatch: true });
  const { etag } = await writeJson(
    deps.store,
    key,
    operation,
    found ? { ifMatch: found.etag } : { ifNoneMatch: true },
  );
  return { operation, etag };
}

/** Marks the operation as done. Where that can't be written the run has failed; the next one only marks it. */
async function close(
  deps: RunbookDependencies,
  { operation, etag }: Opened,
  report: RunReport,
): Promise<RunReport> {
  const done: OpenOperation = { ...operation, state: "done" };
  try {
    await writeJson(deps.store, openOperationKey(operation.name), done, { ifMatch: etag });
    return report;
  } catch (error) {
    return { ...report, succeeded: false, error };
  }
}

/** Like `dev-apply-20261121-113000-ab12`. */
export function newOperationId(
  deps: Pick<RunbookDependencies, "clock" | "environment">,
  name: string,
): string {
  const stamp = deps.clock.now().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${deps.environment.environment}-${name}-${stamp}-${randomBytes(2).toString("hex")}`;
}

function digestOf(inputs: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(inputs).sort(([left], [right]) => (left < right ? -1 : 1));
  return `sha256:${sha256Of(JSON.stringify(sorted))}`;
}
