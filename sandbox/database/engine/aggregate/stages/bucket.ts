/** `$bucket`, `$bucketAuto`. */
import { toNumber } from "../../arithmetic.ts";
import { compareValues } from "../../compare.ts";
import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { exactInteger } from "../../match/numbers.ts";
import { Double, Int32, isNumber, type Value } from "../../value.ts";
import {
  compileExpression,
  constantOf,
  type Expression,
  type ExpressionContext,
  typeNameOf,
} from "../expression.ts";
import type { StageCompiler } from "../pipeline.ts";
import { compileField, groupStage, type OutputField, outputOf } from "./group.ts";

function outputFields(output: Value | undefined, context: ExpressionContext): OutputField[] {
  if (output === undefined) return [compileField("count", new Map([["$sum", new Int32(1)]]), context)];
  if (!(output instanceof Map))
    throw new ServerError(
      40196,
      `The $bucket 'output' field must be an object, but found type: ${typeNameOf(output)}.`,
    );
  return [...output].map(([name, value]) => compileField(name, value, context));
}

function boundariesOf(value: Value | undefined, context: ExpressionContext): Value[] {
  if (!Array.isArray(value))
    throw new ServerError(
      40200,
      `The $bucket 'boundaries' field must be an array, but found type: ${typeNameOf(value)}.`,
    );
  const boundaries = value.map((boundary) => {
    const constant = constantOf(compileExpression(boundary, context));
    if (constant === undefined)
      throw new ServerError(
        40191,
        `The $bucket 'boundaries' field must be an array of constant values, but found value: ${describeValue(boundary)}.`,
      );
    return constant;
  });
  if (boundaries.length < 2)
    throw new ServerError(
      40192,
      `The $bucket 'boundaries' field must have at least 2 values, but found ${boundaries.length} value(s).`,
    );
  for (let i = 1; i < boundaries.length; i++) {
    const [low, high] = [boundaries[i - 1]!, boundaries[i]!];
    if (typeNameOf(low) !== typeNameOf(high) && !(isNumber(low) && isNumber(high))) {
      throw new ServerError(
        40193,
        `All values in the the 'boundaries' option to $bucket must have the same type. Found conflicting types ${typeNameOf(low)} and ${typeNameOf(high)}.`,
      );
    }
    if (compareValues(low, high, context.collation) >= 0) {
      throw new ServerError(
        40194,
        `The 'boundaries' option to $bucket must be sorted, but elements ${i - 1} and ${i} are not in ascending order (${describeValue(low)} is not less than ${describeValue(high)}).`,
      );
    }
  }
  return boundaries;
}

const bucket: StageCompiler = (specification, { expressions, collation }) => {
  if (!(specification instanceof Map))
    throw new ServerError(
      40201,
      `Argument to $bucket stage must be an object, but found type: ${typeNameOf(specification)}.`,
    );
  for (const field of specification.keys()) {
    if (!["groupBy", "boundaries", "default", "output"].includes(field))
      throw new ServerError(40197, `Unrecognized option to $bucket: ${field}.`);
  }
  const groupBy = specification.get("groupBy");
  if (groupBy === undefined || !specification.has("boundaries"))
    throw new ServerError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  const boundaries = boundariesOf(specification.get("boundaries"), expressions);
  const defaultValue = specification.get("default");
  const otherwise =
    defaultValue === undefined ? undefined : constantOf(compileExpression(defaultValue, expressions));
  if (defaultValue !== undefined && otherwise === undefined)
    throw new ServerError(
      40195,
      `The $bucket 'default' field must be a constant, but found: ${describeValue(defaultValue)}.`,
    );
  if (
    otherwise !== undefined &&
    compareValues(otherwise, boundaries[0]!, collation) >= 0 &&
    compareValues(otherwise, boundaries.at(-1)!, collation) < 0
  ) {
    throw new ServerError(
      40199,
      "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
    );
  }
  const expression = compileExpression(groupBy, expressions);
  const idOf: Expression = (document) => {
    const value = expression(document) ?? null;
    for (let i = 0; i < boundaries.length - 1; i++) {
      if (
        compareValues(value, boundaries[i]!, collation) >= 0 &&
        compareValues(value, boundaries[i + 1]!, collation) < 0
      )
        return boundaries[i];
    }
    if (otherwise === undefined)
      throw new ServerError(
        40066,
        "$switch could not find a matching branch for an input, and no default was specified.",
      );
    return otherwise;
  };
  const grouped = groupStage(idOf, outputFields(specification.get("output"), expressions), collation);
  return function* run(input) {
    yield* [...grouped(input)].sort((a, b) => compareValues(a.get("_id")!, b.get("_id")!, collation));
  };
};

const series: Record<string, number[]> = {
  R5: [10, 16, 25, 40, 63, 100],
  R10: [100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000],
  R20: [
    100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900, 1000,
  ],
  R40: [
    100, 106, 112, 118, 125, 132, 140, 150, 160, 170, 180, 190, 200, 212, 224, 236, 250, 265, 280, 300, 315,
    335, 355, 375, 400, 425, 450, 475, 500, 530, 560, 600, 630, 670, 710, 750, 800, 850, 900, 950, 1000,
  ],
  R80: [
    103, 109, 115, 122, 128, 136, 145, 155, 165, 175, 185, 195, 206, 218, 230, 243, 258, 272, 290, 307, 325,
    345, 365, 387, 412, 437, 462, 487, 515, 545, 575, 615, 650, 690, 730, 775, 825, 875, 925, 975, 1030,
  ],
  "1-2-5": [10, 20, 50, 100],
  E6: [10, 15, 22, 33, 47, 68, 100],
  E12: [10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82, 100],
  E24: [10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91, 100],
};

/** The next (or previous) number of a preferred series that isn't equal to the value. */
function rounded(value: number, granularity: string, up: boolean): number {
  if (value === 0) return 0;
  if (granularity === "POWERSOF2") {
    const exponent = Math.log2(value);
    return up ? 2 ** (Math.floor(exponent) + 1) : 2 ** (Math.ceil(exponent) - 1);
  }
  const base = series[granularity]!;
  let multiplier = 1;
  while (value >= base.at(-1)! * multiplier) multiplier *= 10;
  while (value < base[0]! * multiplier) multiplier /= 10;
  const scaled = base.map((step) => step * multiplier);
  if (up) return scaled.find((step) => step > value) ?? base[1]! * multiplier * 10;
  return scaled.findLast((step) => step < value) ?? (base.at(-2)! * multiplier) / 10;
}

interface AutoOptions {
  groupBy: Expression;
  buckets: number;
  fields: OutputField[];
  granularity?: string;
}

function autoOptions(specification: Value, context: ExpressionContext): AutoOptions {
  if (!(specification instanceof Map))
    throw new ServerError(
      40240,
      `The argument to $bucketAuto must be an object, but found type: ${typeNameOf(specification)}.`,
    );
  for (const field of specification.keys()) {
    if (!["groupBy", "buckets", "output", "granularity"].includes(field))
      throw new ServerError(40245, `Unrecognized option to $bucketAuto: ${field}.`);
  }
  const [groupBy, buckets, granularity] = ["groupBy", "buckets", "granularity"].map((field) =>
    specification.get(field),
  );
  if (groupBy === undefined || buckets === undefined)
    throw new ServerError(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified");
  const wanted = isNumber(buckets) ? exactInteger(buckets) : undefined;
  if (!isNumber(buckets))
    throw new ServerError(
      40241,
      `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeNameOf(buckets)}.`,
    );
  if (wanted === undefined)
    throw new ServerError(
      40242,
      `The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found ${describeValue(buckets)}.`,
    );
  if (wanted <= 0n)
    throw new ServerError(
      40243,
      `The $bucketAuto 'buckets' field must be greater than 0, but found: ${wanted}.`,
    );
  if (
    granularity !== undefined &&
    (typeof granularity !== "string" || (granularity !== "POWERSOF2" && series[granularity] === undefined))
  ) {
    throw new ServerError(40257, `Unknown rounding granularity '${String(granularity)}'`);
  }
  return {
    groupBy: compileExpression(groupBy, context),
    buckets: Number(wanted),
    fields: outputFields(specification.get("output"), context),
    granularity: granularity as string | undefined,
  };
}

const bucketAuto: StageCompiler = (specification, { expressions, collation }) => {
  const { groupBy, buckets, fields, granularity } = autoOptions(specification, expressions);
  return function* run(input) {
    const rows = Array.from(input, (document) => ({ document, key: groupBy(document) ?? null }));
    rows.sort((a, b) => compareValues(a.key, b.key, collation));
    const size = Math.max(1, Math.round(rows.length / buckets));
    let from = 0;
    let minimum: Value | undefined;
    for (let made = 0; made < buckets && from < rows.length; made++) {
      let to = made === buckets - 1 ? rows.length : Math.min(rows.length, from + size);
      while (to < rows.length && compareValues(rows[to]!.key, rows[to - 1]!.key, collation) === 0) to++;
      let maximum: Value = to < rows.length ? rows[to]!.key : rows.at(-1)!.key;
      let low: Value = minimum ?? rows[from]!.key;
      if (granularity !== undefined) {
        if (minimum === undefined) low = new Double(rounded(numberOf(rows[from]!.key), granularity, false));
        maximum = new Double(rounded(numberOf(rows[to - 1]!.key), granularity, true));
        while (to < rows.length && compareValues(rows[to]!.key, maximum) < 0) to++;
      }
      const accumulators = fields.map(({ accumulator }) => accumulator.create());
      for (const { document } of rows.slice(from, to)) {
        accumulators.forEach((accumulator, index) => {
          accumulator.add(fields[index]!.accumulator.argument(document), document);
        });
      }
      yield outputOf(
        new Map([
          ["min", low],
          ["max", maximum],
        ]),
        fields,
        accumulators,
      );
      minimum = maximum;
      from = to;
    }
  };
};

function numberOf(value: Value): number {
  if (!isNumber(value))
    throw new ServerError(
      40258,
      `$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: ${typeNameOf(value)}`,
    );
  if (toNumber(value) < 0)
    throw new ServerError(40260, "$bucketAuto can specify a 'granularity' with non-negative numbers only");
  return toNumber(value);
}

export const bucketStages: Record<string, StageCompiler> = { $bucket: bucket, $bucketAuto: bucketAuto };
