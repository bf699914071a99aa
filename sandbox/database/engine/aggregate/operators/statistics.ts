import { arrayAccumulators, simpleAccumulator } from "../accumulators.ts";
import { compileOperands, type OperatorCompiler } from "../expression.ts";

/** `$sum`, `$avg`, `$min` … as expressions: over one array, or over several operands. */
const overOperands: OperatorCompiler = (operand, context, name) => {
  const operands = compileOperands(name, operand, context, 0, Infinity);
  return (root) => {
    const accumulator = simpleAccumulator(name, context.collation);
    for (const expression of operands) {
      const value = expression(root);
      if (operands.length === 1 && Array.isArray(value))
        for (const element of value) accumulator.add(element, root);
      else accumulator.add(value, root);
    }
    return accumulator.result();
  };
};

export const statisticsOperators: Record<string, OperatorCompiler> = Object.fromEntries(
  arrayAccumulators.map((name) => [name, overOperands]),
);
