import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { RoundtripError } from "../../core/errors.ts";
import { type Applied, appliedHistoryKey, appliedKey } from "../../core/plan/applied.ts";
import type { ObjectStore } from "../../core/ports.ts";
import schema from "../../schemas/applied.schema.json" with { type: "json" };
import { isPrecondition } from "../store-error.ts";
import { readJson, writeJson } from "./json.ts";

export interface StoredApplied {
  readonly value: Applied;
  readonly etag: string;
}

/**
 * What was last applied in an environment; `undefined` when nothing ever was. Fails `logCorrupt` for a document that
 * isn't by schemas/applied.schema.json or is another environment's: a base is never guessed.
 */
export async function readApplied(
  store: ObjectStore,
  environment: string,
): Promise<StoredApplied | undefined> {
  const found = await readJson<unknown>(store, appliedKey);
  if (!found) return undefined;
  const ajv = new Ajv2020({ allErrors: true });
  addFormats(ajv);
  const validate = ajv.compile<Applied>(schema);
  if (!validate(found.value))
    throw damaged("a document by schemas/applied.schema.json", ajv.errorsText(validate.errors));
  if (found.value.environment !== environment)
    throw damaged(`environment ${environment}`, found.value.environment);
  return { value: found.value, etag: found.etag };
}

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
    if (current?.value.operationId !== applied.operationId) throw overtaken(current?.value, error);
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

function damaged(expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `read ${appliedKey}`,
    expected,
    got,
    wayOut: "restore the last whole version of the object from the bucket's versions",
  });
}
