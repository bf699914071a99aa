/** Command and option fields as JavaScript numbers. */
import { Decimal128, longToBigInt, type NumberValue } from "../engine/value.ts";

/** The value as a double; decimals through their text. */
export function exactNumberOf(value: NumberValue): number {
  if (value instanceof Decimal128) return Number(value.toString());
  if (value._bsontype === "Long") return Number(longToBigInt(value));
  return value.value;
}
