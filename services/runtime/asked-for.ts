/** How a run ends that a person may wait for: what another try of systemd's can mend stays asked for, nothing else. */
import { RoundtripError } from "../../core/errors.ts";

/** Whether the next try of the unit can mend it. */
export function isPassing(error: unknown): boolean {
  return error instanceof RoundtripError && (error.kind === "unavailable" || error.kind === "interrupted");
}

/**
 * A fault nobody foresaw is `unknown`: as `internal` the unit would be started again for the same, and whoever waits would
 * not be told. Any other failure stays as it is.
 */
export function asForeseen(error: unknown, what: string): RoundtripError {
  if (error instanceof RoundtripError && error.kind !== "internal") return error;
  const got = error instanceof RoundtripError ? `${error.what}: ${error.got}` : String(error);
  const wayOut = "report it with the unit's log (roundtrip logs), then run it again";
  return new RoundtripError(
    { kind: "unknown", what, expected: "no unforeseen error", got, wayOut },
    { cause: error },
  );
}
