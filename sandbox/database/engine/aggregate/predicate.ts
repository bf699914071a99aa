import { ServerError } from "../errors.ts";
import type { Document, Value } from "../value.ts";
export function compileExpressionPredicate(
  _expression: Value,
  _context: { let?: Document },
): (document: Document) => boolean {
  throw new ServerError("NotImplemented", "$expr");
}
