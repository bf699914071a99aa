import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { exactInteger } from "../../match/numbers.ts";
import { isNumber, type Value } from "../../value.ts";
import { typeNameOf } from "../expression.ts";

/** A value that must be an integer of 32 bits. */
export function integerOf(
  value: Value | undefined,
  notNumber: () => ServerError,
  notIntegral: (shown: string) => ServerError,
): number {
  if (!isNumber(value)) throw notNumber();
  const integer = exactInteger(value);
  if (integer === undefined || integer > 2147483647n || integer < -2147483648n)
    throw notIntegral(describeValue(value));
  return Number(integer);
}

/** The optional bounds of the `$indexOf…` operators. */
export function searchRange(
  name: string,
  start: Value | undefined,
  end: Value | undefined,
  length: number,
): [number, number] {
  const bound = (value: Value | undefined, which: string): number => {
    const fail = () =>
      new ServerError(
        40096,
        `${name} requires an integral ${which} index, found a value of type: ${typeNameOf(value)}, with value: ${value === undefined ? "missing" : describeValue(value)}`,
      );
    const index = integerOf(value, fail, fail);
    if (index < 0)
      throw new ServerError(40097, `${name} requires a nonnegative ${which} index, found: ${index}`);
    return index;
  };
  return [
    start === undefined ? 0 : bound(start, "starting"),
    end === undefined ? length : bound(end, "ending"),
  ];
}

/** The `n` of the …N operators and accumulators. */
export function checkCount(value: Value | undefined): number {
  const shown = value === undefined ? "missing" : describeValue(value);
  const count = integerOf(
    value,
    () => new ServerError(5787902, `Value for 'n' must be of integral type, but found ${shown}`),
    () => new ServerError(5787903, `Value for 'n' must be of integral type, but found ${shown}`),
  );
  if (count <= 0) throw new ServerError(5787908, `'n' must be greater than 0, found ${count}`);
  return count;
}
