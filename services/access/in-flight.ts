import type { AccessControl, RunningOperation } from "../../core/access/ports.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Clock, Logger } from "../../core/ports.ts";

const lookEveryMs = 100;
const killAfterMs = 10_000;
const waitMsMax = 900_000;

export interface InFlightOptions {
  readonly access: AccessControl;
  readonly users: readonly string[];
  readonly databases: readonly string[];
  /** Kill what still runs after ten seconds instead of waiting for its end. */
  readonly kill: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  alive(): void;
}

/**
 * Waits until no operation and no open transaction of the users is left that could still commit a write behind the
 * fence (invariants.md 12). Fails `unavailable` naming the operations when they don't end within fifteen minutes.
 */
export async function awaitNothingInFlight(
  options: InFlightOptions,
): Promise<{ waitedMs: number; killed: number }> {
  const { access, clock, users, databases } = options;
  const startedMs = clock.monotonicMs();
  const killed = new Set<string | number>();
  for (;;) {
    const running = await access.running(users, databases);
    const waitedMs = Math.round(clock.monotonicMs() - startedMs);
    if (running.length === 0) return { waitedMs, killed: killed.size };
    if (waitedMs > waitMsMax) throw stillRunning(running, waitedMs);
    if (options.kill && waitedMs > killAfterMs) {
      for (const operation of running) {
        if (operation.id === undefined || killed.has(operation.id)) continue;
        options.logger.warn({ operation }, "killing an operation that is still in flight");
        await access.kill(operation);
        killed.add(operation.id);
      }
    }
    options.alive();
    await clock.sleep(lookEveryMs, options.signal);
  }
}

function stillRunning(running: readonly RunningOperation[], waitedMs: number): RoundtripError {
  const names = running
    .slice(0, 5)
    .map(
      (operation) =>
        `${operation.what} on ${operation.namespace} (${operation.id === undefined ? "idle transaction" : `operation ${operation.id}`})`,
    );
  return new RoundtripError({
    kind: "unavailable",
    what: "wait until the application users have nothing in flight on DocumentDB",
    expected: `no operation and no transaction of theirs within ${waitMsMax / 1000} s`,
    got: `${running.length} after ${Math.round(waitedMs / 1000)} s: ${names.join("; ")}`,
    wayOut: "let them end, or run drain again with --kill-operations true",
  });
}
