import { RoundtripError } from "../../core/errors.ts";
import { type Applied, appliedHistoryKey, appliedKey } from "../../core/plan/applied.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { readApplied } from "../live/applied.ts";
import { isPrecondition } from "../store-error.ts";
import { readJson, writeJson } from "./json.ts";

/**
 * Records what an operation applied: its own copy first (the first one stays, so that a second try writes the same),
 * then `applied/current.json` in place of `base`. Fails `fenced` when somebody else recorded something meanwhile.
 */
export async function recordApplied(
  store: ObjectStore,
  applied: Applied & { readonly operationId: string },
  base: { readonly etag: string } | undefined,
): Promise<Applied> {
  const historyKey = appliedHistoryKey(applied.operationId);
  try {
    await writeJson(store, historyKey, applied, { ifNoneMatch: true });
  } catch (error) {
    if (!isPrecondition(error)) throw error;
  }
  const kept = (await readJson<Applied>(store, historyKey))?.value ?? applied;
  try {
    await writeJson(store, appliedKey, kept, base ? { ifMatch: base.etag } : { ifNoneMatch: true });
  } catch (error) {
    if (!isPrecondition(error)) throw error;
    const current = await readApplied(store, applied.environment);
    if (current?.document.operationId !== applied.operationId) throw overtaken(current?.document, error);
  }
  return kept;
}

function overtaken(current: Applied | undefined, cause: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "fenced",
      what: `record what was applied in ${appliedKey}`,
      expected: "the document this plan started from",
      got: current ? `commit ${current.commit}, applied ${current.appliedAt} by ${current.by.actor}` : "none",
      wayOut: "plan again from what was applied since, have it reviewed, and apply that",
    },
    { cause },
  );
}
