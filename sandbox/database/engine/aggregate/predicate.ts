import type { Collator } from "../compare.ts";
import { isTruthy } from "../match/leaf-operators.ts";
import type { Document, Value } from "../value.ts";
import { type Cell, compileExpression, makeContext, withVariables } from "./expression.ts";
import "./operators/index.ts";

export interface PredicateContext {
  collation?: Collator;
  let?: Document;
  now?: Value;
  clusterTime?: Value;
  /** variables of an enclosing pipeline */
  variables?: ReadonlyMap<string, Cell>;
}

/** Compiles `$expr`: the document matches when the expression is true for it. */
export function compileExpressionPredicate(
  expression: Value,
  context: PredicateContext,
): (document: Document) => boolean {
  const made = makeContext(context);
  const scope = context.variables === undefined ? made : withVariables(made, context.variables);
  const evaluate = compileExpression(expression, scope);
  return (document) => isTruthy(evaluate(document));
}
