import { ServerError } from "../../errors.ts";
import { compileSort } from "../../sort.ts";
import { compileExpression, splitFieldPath } from "../expression.ts";
import type { StageCompiler } from "../pipeline.ts";
import { withPath } from "./basic.ts";
import { partitionsOf } from "./series.ts";
import { fail, type WindowContext } from "./window-frame.ts";
import { compileFunction } from "./window-functions.ts";

const setWindowFields: StageCompiler = (specification, { expressions, collation }) => {
  if (!(specification instanceof Map))
    throw fail("the $setWindowFields stage specification must be an object");
  for (const field of specification.keys()) {
    if (!["partitionBy", "sortBy", "output"].includes(field))
      throw new ServerError(40415, `BSON field '$setWindowFields.${field}' is an unknown field.`);
  }
  const [partitionBy, sortBy, output] = ["partitionBy", "sortBy", "output"].map((field) =>
    specification.get(field),
  );
  if (!(output instanceof Map))
    throw new ServerError(40414, "BSON field '$setWindowFields.output' is missing but a required field");
  const sorter = sortBy instanceof Map && sortBy.size > 0 ? compileSort(sortBy, collation) : undefined;
  const [only, more] = sorter?.parts ?? [];
  const sortExpression =
    only !== undefined && more === undefined ? compileExpression(`$${only.field}`, expressions) : undefined;
  const context: WindowContext = { expressions, sorter, sortBy: sortExpression };
  const fields = [...output].map(([name, value]) => ({
    path: splitFieldPath(name),
    evaluate: compileFunction(value, context),
  }));
  const by = partitionBy === undefined ? undefined : compileExpression(partitionBy, expressions);
  return function* run(input) {
    for (const partition of partitionsOf(input, by)) {
      if (sorter !== undefined) partition.sort((a, b) => sorter.compare(a, b));
      const columns = fields.map(({ evaluate }) => evaluate(partition));
      for (const [index, document] of partition.entries()) {
        let result = document;
        fields.forEach(({ path }, column) => {
          result = withPath(result, path, columns[column]![index]);
        });
        yield result;
      }
    }
  };
};

export const windowStages: Record<string, StageCompiler> = { $setWindowFields: setWindowFields };
