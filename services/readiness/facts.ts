import { type FailureKind, RoundtripError } from "../../core/errors.ts";
import type { Check } from "../../core/failback/documents.ts";
import { type Fact, fact, unknownFact } from "../../core/readiness/model.ts";

/**
 * Finds facts out so that a failure is one fact among others: unknown, unless its kind is one of `failing`, which is an
 * answer in itself (a server that does not answer, a secret that isn't there).
 */
export async function findOut(
  name: string,
  limit: string,
  find: () => Promise<Fact | readonly Fact[]>,
  failing: readonly FailureKind[] = [],
): Promise<readonly Fact[]> {
  try {
    return [await find()].flat();
  } catch (error) {
    if (!(error instanceof RoundtripError) || error.kind === "interrupted") throw error;
    const value = `${error.what}: ${error.got}`;
    return [
      failing.includes(error.kind)
        ? fact(name, false, { limit, value, wayOut: error.wayOut })
        : unknownFact(name, limit, value, error.wayOut),
    ];
  }
}

/** A check of a failback's own actions, as a fact. */
export function factOf({ name, ok, expected, got, wayOut = "see the runbook's page" }: Check): Fact {
  return fact(name, ok, { limit: expected, value: got, wayOut });
}
