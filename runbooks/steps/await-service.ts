import { readJson } from "../../adapters/state/json.ts";
import { exitCodes, type FailureKind, RoundtripError } from "../../core/errors.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { RunbookContext, StepContext } from "../engine/runbook.ts";

const pollMs = 1000;
/** A service that has not updated its status for this long is asked about on the host. */
const silentSeconds = 120;

/** Follows services of the open failback; see `followAt`. */
export function follow<T>(
  context: RunbookContext,
  services: readonly string[],
  timeoutSeconds: number,
  done: (statuses: ReadonlyMap<string, ServiceStatus>) => Promise<T | undefined>,
): Promise<T> {
  const since = context.clock.now().toISOString();
  return followAt(
    context,
    { services, keyOf: keysOf(context.failbackId).status, since, timeoutSeconds },
    done,
  );
}

export interface Followed {
  readonly services: readonly string[];
  /** Where a service keeps its status in the bucket. */
  keyOf(service: string): string;
  /** A failure that is older than this (ISO, UTC) is of a run that nobody waits for. */
  readonly since: string;
  readonly timeoutSeconds: number;
}

/**
 * Follows services by their status objects until `done` gives a result. The host's work does not depend on this
 * loop: it only watches (invariants.md 30). A failed service ends it with that service's own message; one that falls
 * silent is `unknown`, never success.
 */
export async function followAt<T>(
  context: StepContext,
  { services, keyOf, since, timeoutSeconds }: Followed,
  done: (statuses: ReadonlyMap<string, ServiceStatus>) => Promise<T | undefined>,
): Promise<T> {
  const started = context.clock.monotonicMs();
  const shown = new Map<string, string>();
  while (context.clock.monotonicMs() - started < timeoutSeconds * 1000) {
    const statuses = new Map<string, ServiceStatus>();
    for (const service of services) {
      const status = (await readJson<ServiceStatus>(context.store, keyOf(service)))?.value;
      if (!status) continue;
      statuses.set(service, status);
      show(context, status, shown);
    }
    const result = await done(statuses);
    if (result !== undefined) return result;
    for (const status of statuses.values()) throwIfFailed(status, since);
    throwIfSilent(context, [...statuses.values()]);
    await context.clock.sleep(pollMs, context.signal);
  }
  throw new RoundtripError({
    kind: "unknown",
    what: `follow ${services.join(", ")}`,
    expected: `an end within ${timeoutSeconds} s`,
    got: "still at work",
    wayOut: "the host goes on; run the same runbook again to re-attach",
  });
}

function show(context: StepContext, status: ServiceStatus, shown: Map<string, string>): void {
  const { progress } = status;
  const numbers = progress
    ? ` ${progress.done}${progress.total ? `/${progress.total}` : ""} ${progress.unit}, ${Math.round(progress.perSecond)}/s` +
      (progress.etaSeconds === undefined ? "" : `, about ${Math.ceil(progress.etaSeconds)} s left`)
    : "";
  const line = `  ${status.service}: ${status.state}${numbers}`;
  if (shown.get(status.service) === line) return;
  shown.set(status.service, line);
  context.say(line);
}

function throwIfFailed(status: ServiceStatus, since: string): void {
  // systemd restarts what may be retried; only a failure that keeps a unit down, seen now, ends the watch.
  if (status.state !== "failed" || status.updatedAt < since) return;
  const found = Object.entries(exitCodes).find(([, code]) => code === status.exitCode);
  const kind = (found?.[0] ?? "internal") as FailureKind;
  if (kind === "unavailable" || kind === "internal") return;
  throw new RoundtripError({
    kind,
    what: `${status.service} on the host: ${status.error?.what ?? "ended"}`,
    expected: status.error?.expected ?? "state finished",
    got: status.error?.got ?? `exit code ${status.exitCode}`,
    wayOut: status.error?.wayOut ?? `roundtrip logs ${status.service}`,
  });
}

function throwIfSilent(context: StepContext, statuses: readonly ServiceStatus[]): void {
  const working = statuses.filter(
    ({ state }) => state === "running" || state === "starting" || state === "waiting",
  );
  for (const status of working) {
    const age = (context.clock.now().getTime() - Date.parse(status.updatedAt)) / 1000;
    if (age < silentSeconds) continue;
    throw new RoundtripError({
      kind: "unknown",
      what: `follow ${status.service}`,
      expected: `a status younger than ${silentSeconds} s`,
      got: `its last one is from ${status.updatedAt}`,
      wayOut: `roundtrip logs ${status.service}; then run the same runbook again`,
    });
  }
}
