/** Accumulators of `$group`, `$bucket` and `$setWindowFields`; the simple ones are also expressions on arrays. */
import { add, numericRank, toNumber } from "../arithmetic.ts";
import { type Collator, compareValues } from "../compare.ts";
import { addDecimals, type DecimalNumber, decimalOf, divideDecimals, toDecimal128 } from "../decimal.ts";
import { describeElement } from "../describe.ts";
import { ServerError } from "../errors.ts";
import { compileSort, type Sorter } from "../sort.ts";
import {
  Decimal128,
  type Document,
  Double,
  Int32,
  isNumber,
  type NumberValue,
  type Value,
} from "../value.ts";
import {
  compileExpression,
  type Expression,
  type ExpressionContext,
  isNullish,
  typeNameOf,
} from "./expression.ts";
import { checkCount } from "./operators/array-operands.ts";
import { distinct } from "./operators/sets.ts";

/** Collects one group's values. */
export interface Accumulator {
  add(value: Value | undefined, document: Document): void;
  result(): Value | undefined;
}

export interface CompiledAccumulator {
  /** what to give to `add` for a document */
  argument: Expression;
  create(): Accumulator;
}

/** Sum with the server's types: int, long, double with compensation, decimal. */
class Sum implements Accumulator {
  private integer: NumberValue = new Int32(0);
  private double = 0;
  private compensation = 0;
  private hasDouble = false;
  private decimal: DecimalNumber | undefined;
  count = 0;

  add(value: Value | undefined): void {
    if (!isNumber(value)) return;
    this.count++;
    const rank = numericRank(value);
    if (rank < 2) this.integer = add(this.integer, value)!;
    else if (rank === 2) {
      this.hasDouble = true;
      this.addDouble((value as Double).value);
    } else this.decimal = addDecimals(this.decimal ?? { coefficient: 0n, exponent: 0 }, decimalOf(value));
  }

  /** Neumaier's summation: the error of each addition is kept. */
  private addDouble(value: number): void {
    const sum = this.double + value;
    if (Number.isFinite(sum)) {
      this.compensation +=
        Math.abs(this.double) >= Math.abs(value) ? this.double - sum + value : value - sum + this.double;
    }
    this.double = sum;
  }

  private doubleTotal(): number {
    return Number.isFinite(this.double) ? this.double + this.compensation : this.double;
  }

  result(): NumberValue {
    if (this.decimal !== undefined) {
      const others = this.hasDouble ? new Double(this.doubleTotal() + toNumber(this.integer)) : this.integer;
      return toDecimal128(addDecimals(this.decimal, decimalOf(others)));
    }
    if (this.hasDouble) return new Double(this.doubleTotal() + toNumber(this.integer));
    return this.integer;
  }

  average(): Value | null {
    if (this.count === 0) return null;
    const total = this.result();
    if (total instanceof Decimal128)
      return toDecimal128(divideDecimals(decimalOf(total), { coefficient: BigInt(this.count), exponent: 0 }));
    return new Double(toNumber(total) / this.count);
  }
}

/** Standard deviation by Welford's method. */
class Deviation implements Accumulator {
  private count = 0;
  private mean = 0;
  private squares = 0;
  private readonly sample: boolean;
  constructor(sample: boolean) {
    this.sample = sample;
  }
  add(value: Value | undefined): void {
    if (!isNumber(value)) return;
    const number = toNumber(value);
    this.count++;
    const delta = number - this.mean;
    this.mean += delta / this.count;
    this.squares += delta * (number - this.mean);
  }
  result(): Value | null {
    const divisor = this.count - (this.sample ? 1 : 0);
    return divisor <= 0 ? null : new Double(Math.sqrt(this.squares / divisor));
  }
}

/** The best value by a comparison. */
function extreme(sign: 1 | -1, collation: Collator | undefined): Accumulator {
  let best: Value | undefined;
  return {
    add(value) {
      if (isNullish(value)) return;
      if (best === undefined || compareValues(value, best, collation) * sign < 0) best = value;
    },
    result: () => best ?? null,
  };
}

function mergeObjects(): Accumulator {
  const merged: Document = new Map();
  return {
    add(value) {
      if (isNullish(value)) return;
      if (!(value instanceof Map))
        throw new ServerError(
          40400,
          `$mergeObjects requires object inputs, but input is of type ${typeNameOf(value)}`,
        );
      for (const [name, field] of value) merged.set(name, field);
    },
    result: () => merged,
  };
}

function averageOf(): Accumulator {
  const sum = new Sum();
  return { add: (value) => sum.add(value), result: () => sum.average() };
}

const simple: Record<string, (collation?: Collator) => Accumulator> = {
  $sum: () => new Sum(),
  $avg: averageOf,
  $min: (collation) => extreme(1, collation),
  $max: (collation) => extreme(-1, collation),
  $stdDevPop: () => new Deviation(false),
  $stdDevSamp: () => new Deviation(true),
  $mergeObjects: mergeObjects,
  $push: () => {
    const values: Value[] = [];
    return {
      add(value) {
        if (value !== undefined) values.push(value);
      },
      result: () => values,
    };
  },
  $addToSet: (collation) => {
    const values: Value[] = [];
    return {
      add(value) {
        if (value !== undefined) values.push(value);
      },
      result: () => distinct(values, collation),
    };
  },
  $first: () => {
    let first: { value: Value | undefined } | undefined;
    return {
      add(value) {
        first ??= { value };
      },
      result: () => first?.value ?? null,
    };
  },
  $last: () => {
    let last: Value | undefined;
    return {
      add(value) {
        last = value;
      },
      result: () => last ?? null,
    };
  },
};

/** Accumulators that are also expressions over an array or several operands. */
export const arrayAccumulators = ["$sum", "$avg", "$min", "$max", "$stdDevPop", "$stdDevSamp"];

export function simpleAccumulator(name: string, collation?: Collator): Accumulator {
  return simple[name]!(collation);
}

interface Ranked {
  key: Value[];
  output: Value;
  order: number;
}

/** `$top`, `$bottom`, `$topN`, `$bottomN`: output of the first or last documents in a sort order. */
function ranked(name: string, operand: Value, context: ExpressionContext): CompiledAccumulator {
  if (!(operand instanceof Map))
    throw new ServerError(5788001, `specification must be an object; found ${name}: ${typeNameOf(operand)}`);
  const many = name.endsWith("N");
  for (const field of operand.keys()) {
    if (!["sortBy", "output", ...(many ? ["n"] : [])].includes(field))
      throw new ServerError(5788002, `Unknown argument to ${name} '${field}'`);
  }
  const [sortBy, outputValue, nValue] = [operand.get("sortBy"), operand.get("output"), operand.get("n")];
  if (many && nValue === undefined) throw new ServerError(5788003, "Missing value for 'n'");
  if (outputValue === undefined) throw new ServerError(5788004, "Missing value for 'output'");
  if (sortBy === undefined) throw new ServerError(5788005, "Missing value for 'sortBy'");
  if (!(sortBy instanceof Map))
    throw new ServerError(5788604, "expected 'sortBy' to already be an object in the arguments to $top");
  const sorter: Sorter = compileSort(sortBy, context.collation);
  const output = compileExpression(outputValue, context);
  const count = nValue === undefined ? () => 1 : countOf(nValue, context);
  const top = name.startsWith("$top");
  return {
    argument: output,
    create: () => {
      const rows: Ranked[] = [];
      return {
        add: (value, document) =>
          void rows.push({ key: sorter.key(document), output: value ?? null, order: rows.length }),
        result: () => {
          rows.sort((a, b) => sorter.compareKeys(a.key, b.key) || a.order - b.order);
          const n = count();
          const chosen = (top ? rows.slice(0, n) : rows.slice(-n)).map((row) => row.output);
          return many ? chosen : (chosen[0] ?? null);
        },
      };
    },
  };
}

function countOf(value: Value, context: ExpressionContext): () => number {
  const expression = compileExpression(value, context);
  return () => checkCount(expression(new Map()));
}

/** `$firstN`, `$lastN`, `$minN`, `$maxN` */
function several(name: string, operand: Value, context: ExpressionContext): CompiledAccumulator {
  if (!(operand instanceof Map))
    throw new ServerError(
      5787900,
      `specification must be an object; found ${describeElement(name, operand)}`,
    );
  for (const field of operand.keys()) {
    if (field !== "n" && field !== "input")
      throw new ServerError(5787901, `Unknown argument for 'n' operator: ${field}`);
  }
  const [nValue, inputValue] = [operand.get("n"), operand.get("input")];
  if (nValue === undefined) throw new ServerError(5787906, "Missing value for 'n'");
  if (inputValue === undefined) throw new ServerError(5787907, "Missing value for 'input'");
  const count = countOf(nValue, context);
  const sign = name === "$minN" ? 1 : -1;
  const isExtreme = name === "$minN" || name === "$maxN";
  return {
    argument: compileExpression(inputValue, context),
    create: () => {
      const values: Value[] = [];
      return {
        add(value) {
          if (!isExtreme || !isNullish(value)) values.push(value ?? null);
        },
        result: () => {
          if (isExtreme) values.sort((a, b) => compareValues(a, b, context.collation) * sign);
          return name === "$lastN" ? values.slice(-count()) : values.slice(0, count());
        },
      };
    },
  };
}

export function isAccumulator(name: string): boolean {
  return (
    name === "$count" ||
    simple[name] !== undefined ||
    /^\$(top|bottom)N?$|^\$(first|last|min|max)N$/.test(name)
  );
}

/**
 * Compiles `{<accumulator>: operand}` of a `$group` field.
 * @throws ServerError 15952 for an unknown one
 */
export function compileAccumulator(
  name: string,
  operand: Value,
  context: ExpressionContext,
): CompiledAccumulator {
  if (/^\$(top|bottom)N?$/.test(name)) return ranked(name, operand, context);
  if (/^\$(first|last|min|max)N$/.test(name)) return several(name, operand, context);
  if (name === "$count") {
    if (!(operand instanceof Map) || operand.size > 0)
      throw new ServerError("TypeMismatch", "$count takes no arguments, i.e. $count:{}");
    const one = new Int32(1);
    return { argument: () => one, create: () => new Sum() };
  }
  const make = simple[name];
  if (make === undefined) throw new ServerError(15952, `unknown group operator '${name}'`);
  if (Array.isArray(operand)) {
    if (operand.length !== 1) throw new ServerError(40237, `The ${name} accumulator is a unary operator`);
    return { argument: compileExpression(operand[0]!, context), create: () => make(context.collation) };
  }
  return { argument: compileExpression(operand, context), create: () => make(context.collation) };
}
