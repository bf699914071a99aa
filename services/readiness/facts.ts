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

/** Many facts of one kind as one where they hold, so that what doesn't hold is seen; the others stay by themselves. */
export function together(name: string, limit: string, facts: readonly Fact[]): Fact[] {
  const others = facts.filter(({ state }) => state !== "holds");
  const value = `${facts.length - others.length} of ${facts.length}`;
  const holding = fact(name, true, { limit, value, wayOut: "" });
  return others.length < facts.length ? [holding, ...others] : others;
}

/** A check of a failback's own actions, as a fact. */
export function factOf({ name, ok, expected, got, wayOut = "see the runbook's page" }: Check): Fact {
  return fact(name, ok, { limit: expected, value: got, wayOut });
}
