import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { ActionMetadata } from "../../core/actions/catalog.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ActionResult, CurrentFailback, Scope } from "../../core/failback/documents.ts";
import { failureOfChecks } from "../../core/failback/failed-checks.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { assertPhase } from "../../core/failback/phase.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import type { Action, ActionContext, ActionFailback } from "./action.ts";
import type { ActionArguments } from "./parameters.ts";

export type ActionDependencies = Pick<ActionContext, "service" | "databases" | "instances" | "releases">;

export interface ActionRun {
  readonly result: ActionResult;
  /** What the process ends with; `undefined` for success. */
  readonly failure?: RoundtripError;
}

/**
 * Runs one action: phase and failback are checked first, then the action itself, and its result is kept at
 * `actions/<name>.json` of the failback. A failure becomes a result with one check that is not ok, so that the
 * runbook can always show what was expected, what was got and the way out.
 */
export async function runAction(
  metadata: ActionMetadata,
  run: Action,
  given: ActionArguments,
  deps: ActionDependencies,
): Promise<ActionRun> {
  const { service } = deps;
  const result = (outcome: Pick<ActionResult, "ok" | "checks" | "data">): ActionResult => ({
    action: metadata.name,
    failbackId: given.failbackId,
    ...outcome,
    at: service.clock.now().toISOString(),
  });
  try {
    const failback = metadata.failback ? await findFailback(service, given.failbackId, metadata) : undefined;
    if (!failback) await assertNormalTimes(service, metadata);
    const { checks, data } = await run(contextOf(metadata, given, deps, failback));
    const failed = checks.filter((check) => !check.ok);
    const kept = result({ ok: failed.length === 0, checks, data });
    if (failback) await writeJson(service.store, failback.keys.action(metadata.name), kept);
    return failed.length === 0 ? { result: kept } : { result: kept, failure: refusal(metadata, kept) };
  } catch (error) {
    const failure = asFailure(metadata, error);
    const { what, expected, got, wayOut } = failure;
    const checks = [{ name: what, ok: false, expected, got, wayOut }];
    return { result: result({ ok: false, checks, data: {} }), failure };
  }
}

function contextOf(
  metadata: ActionMetadata,
  given: ActionArguments,
  deps: ActionDependencies,
  failback: ActionFailback | undefined,
): ActionContext {
  return {
    ...deps,
    parameter(name) {
      const value = given.values.get(name);
      if (value === undefined) throw new Error(`action ${metadata.name} has no parameter ${name}`);
      return value;
    },
    get failback() {
      if (!failback) throw new Error(`action ${metadata.name} belongs to no failback`);
      return failback;
    },
  };
}

/**
 * The failback by its id. In phase `normal` it is the one about to be opened: its scope is frozen, it is not current
 * yet. In any other phase it must be the open one.
 */
async function findFailback(
  service: ServiceContext,
  id: string,
  metadata: ActionMetadata,
): Promise<ActionFailback> {
  const current = await service.phaseStore.read();
  assertAllowed(current, metadata);
  if (current.phase !== "normal" && current.failbackId !== id) {
    throw new RoundtripError({
      kind: "refused",
      what: `action ${metadata.name} for failback ${id}`,
      expected: `the open failback ${current.failbackId}`,
      got: id,
      wayOut: "run `roundtrip status` and continue the failback that is open",
    });
  }
  const keys = keysOf(id);
  const scope = await readJson<Scope>(service.store, keys.scope);
  if (scope) return { id, current, scope: scope.value, keys };
  throw new RoundtripError({
    kind: "configuration",
    what: `read the failback's scope ${keys.scope}`,
    expected: "the databases and collections frozen at start",
    got: "no such object",
    wayOut: "run failback-start again: it writes the scope before anything else",
  });
}

async function assertNormalTimes(service: ServiceContext, metadata: ActionMetadata): Promise<void> {
  if (metadata.phases !== "any") assertAllowed(await service.phaseStore.read(), metadata);
}

function assertAllowed(current: CurrentFailback, metadata: ActionMetadata): void {
  if (metadata.phases === "any") return;
  assertPhase(current.phase, metadata.phases, `action ${metadata.name}`, current.failbackId);
}

function refusal(metadata: ActionMetadata, { checks }: ActionResult): RoundtripError {
  const failed = checks.filter((check) => !check.ok);
  const failure = failureOfChecks(failed);
  return new RoundtripError({
    ...failure,
    kind: "refused",
    what: `action ${metadata.name}: ${failure.what}`,
  });
}

function asFailure(metadata: ActionMetadata, error: unknown): RoundtripError {
  if (error instanceof RoundtripError) return error;
  return new RoundtripError(
    {
      kind: "internal",
      what: `action ${metadata.name}`,
      expected: "no unforeseen error",
      got: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      wayOut: "report it with the log; the action may be run again",
    },
    { cause: error },
  );
}
