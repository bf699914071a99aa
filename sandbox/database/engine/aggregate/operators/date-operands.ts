import { ServerError } from "../../errors.ts";
import {
  BsonType,
  DateTime,
  type Document,
  ObjectId,
  type Timestamp,
  typeOf,
  type Value,
} from "../../value.ts";
import { compileExpression, type ExpressionContext, isNullish, typeNameOf } from "../expression.ts";
import { utc, type Zone, zoneOf } from "./date-parts.ts";

/** Milliseconds of a value that holds an instant: date, timestamp or ObjectId. */
export function instantOf(value: Value): number {
  if (value instanceof DateTime) return Number(value.milliseconds);
  if (value instanceof ObjectId) return value.getTimestamp().getTime();
  if (typeOf(value) === BsonType.Timestamp) return ((value as Timestamp).high >>> 0) * 1000;
  throw new ServerError(16006, `can't convert from BSON type ${typeNameOf(value)} to Date`);
}

/** Reads a time zone operand: null makes the whole result null. */
export function zoneExpression(
  value: Value | undefined,
  context: ExpressionContext,
): (root: Document) => Zone | null {
  if (value === undefined) return () => utc;
  const expression = compileExpression(value, context);
  return (root) => {
    const zone = expression(root);
    if (isNullish(zone)) return null;
    if (typeof zone !== "string")
      throw new ServerError(40517, `timezone must evaluate to a string, found ${typeNameOf(zone)}`);
    return zoneOf(zone);
  };
}
