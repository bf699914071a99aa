/** `min` and `max` of a find: a window of keys of the index a hint names. */
import { ServerError } from "../engine/errors.ts";
import { keyOf } from "../engine/keystring.ts";
import { type Document, isNumber, type Value } from "../engine/value.ts";
import { exactNumberOf } from "../storage/numbers.ts";
import type { Plan } from "./plan.ts";

function keyFor(plan: Plan, wanted: Document): Uint8Array {
  const fields = plan.index === "id" ? ["_id"] : (plan.index?.fields ?? []);
  const directions = plan.index === "id" || plan.index === undefined ? [1] : plan.index.directions;
  const names = [...wanted.keys()];
  if (names.length !== fields.length || names.some((name, position) => name !== fields[position])) {
    throw new ServerError(
      51174,
      "The index chosen is not compatible with min/max: the fields must be those of the index, in its order",
    );
  }
  return keyOf([...wanted.values()], directions);
}

/**
 * Narrows a plan to keys from `min` (inclusive) up to `max` (exclusive).
 * @throws ServerError 51173 without a hint, 51174 for fields the index doesn't have
 */
export function windowed(
  plan: Plan,
  hint: Value | undefined,
  min: Document | undefined,
  max: Document | undefined,
): Plan {
  if ((!min || min.size === 0) && (!max || max.size === 0)) return plan;
  const natural =
    hint instanceof Map &&
    isNumber(hint.get("$natural")) &&
    exactNumberOf(hint.get("$natural") as never) !== 0;
  if (hint === undefined || natural || plan.index === undefined) {
    throw new ServerError(51173, "When using min()/max() a hint of which index to use must be provided");
  }
  const low = min && min.size > 0 ? keyFor(plan, min) : undefined;
  const high = max && max.size > 0 ? keyFor(plan, max) : undefined;
  return { ...plan, ranges: [{ low, high }], bounded: true };
}
