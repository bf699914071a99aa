import { type Collator, compareValues } from "../../compare.ts";
import { ServerError } from "../../errors.ts";
import { isTruthy } from "../../match/leaf-operators.ts";
import type { Value } from "../../value.ts";
import { binary, isNullish, type OperatorCompiler, typeNameOf, unary, variadic } from "../expression.ts";

/** Sorted values without repetitions. */
export function distinct(values: Iterable<Value>, collation?: Collator): Value[] {
  const sorted = [...values].sort((a, b) => compareValues(a, b, collation));
  return sorted.filter(
    (value, index) => index === 0 || compareValues(value, sorted[index - 1]!, collation) !== 0,
  );
}

function contains(sorted: Value[], value: Value, collation?: Collator): boolean {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = compareValues(sorted[middle]!, value, collation);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

function arrayOperand(value: Value | undefined, name: string, which: string, code: number): Value[] {
  if (Array.isArray(value)) return value;
  throw new ServerError(
    code,
    `${which} of ${name} must be an array. ${which} is of type: ${typeNameOf(value)}`,
  );
}

function everyArray(values: (Value | undefined)[], name: string, code: number): Value[][] | null {
  if (values.some(isNullish)) return null;
  return values.map((value) => {
    if (!Array.isArray(value))
      throw new ServerError(
        code,
        `All operands of ${name} must be arrays. One argument is of type: ${typeNameOf(value)}`,
      );
    return value;
  });
}

export const setOperators: Record<string, OperatorCompiler> = {
  $setUnion: variadic((values, name, { collation }) => {
    const arrays = everyArray(values, name, 17043);
    return arrays === null ? null : distinct(arrays.flat(), collation);
  }),
  $setIntersection: variadic((values, name, { collation }) => {
    const arrays = everyArray(values, name, 17047);
    if (arrays === null) return null;
    const [first = [], ...rest] = arrays.map((array) => distinct(array, collation));
    return first.filter((value) => rest.every((array) => contains(array, value, collation)));
  }),
  $setDifference: binary((a, b, name, { collation }) => {
    if (isNullish(a) || isNullish(b)) return null;
    if (!Array.isArray(a))
      throw new ServerError(
        17048,
        `both operands of ${name} must be arrays. First argument is of type: ${typeNameOf(a)}`,
      );
    if (!Array.isArray(b))
      throw new ServerError(
        17049,
        `both operands of ${name} must be arrays. Second argument is of type: ${typeNameOf(b)}`,
      );
    const excluded = distinct(b, collation);
    const result: Value[] = [];
    for (const value of a) {
      if (contains(excluded, value, collation)) continue;
      if (!result.some((known) => compareValues(known, value, collation) === 0)) result.push(value);
    }
    return result;
  }),
  $setEquals: variadic((values, name, { collation }) => {
    const sets = values.map((value) => {
      if (!Array.isArray(value))
        throw new ServerError(
          17044,
          `All operands of ${name} must be arrays. One argument is of type: ${typeNameOf(value)}`,
        );
      return distinct(value, collation);
    });
    const [first, ...rest] = sets as [Value[], ...Value[][]];
    return rest.every((set) => compareValues(set, first, collation) === 0);
  }, 2),
  $setIsSubset: binary((a, b, name, { collation }) => {
    if (!Array.isArray(a))
      throw new ServerError(
        17046,
        `both operands of ${name} must be arrays. First argument is of type: ${typeNameOf(a)}`,
      );
    if (!Array.isArray(b))
      throw new ServerError(
        17042,
        `both operands of ${name} must be arrays. Second argument is of type: ${typeNameOf(b)}`,
      );
    const set = distinct(b, collation);
    return a.every((value) => contains(set, value, collation));
  }),
  $allElementsTrue: unary((value, name) => arrayOperand(value, name, "The argument", 17040).every(isTruthy)),
  $anyElementTrue: unary((value, name) => arrayOperand(value, name, "The argument", 17041).some(isTruthy)),
};
