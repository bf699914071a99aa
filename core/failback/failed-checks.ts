import type { Failure } from "../errors.ts";
import type { Check } from "./documents.ts";

/** Checks that don't hold, in the words of one failure: nothing said twice, and each `got` with its check where they differ. */
export function failureOfChecks(
  failed: readonly Check[],
  wayOutDefault = "see the runbook's page",
): Omit<Failure, "kind"> {
  const unique = (texts: readonly string[]) => [...new Set(texts)];
  const got = unique(failed.map((check) => check.got));
  return {
    what: unique(failed.map(({ name }) => name)).join("; "),
    expected: unique(failed.map(({ expected }) => expected)).join("; "),
    got: (failed.length > 1 && got.length > 1
      ? failed.map((check) => `${check.name}: ${check.got}`)
      : got
    ).join("; "),
    wayOut: unique(failed.map(({ wayOut }) => wayOut || wayOutDefault)).join("; "),
  };
}
