import { ServerError } from "../errors.ts";
import type { FilterContext } from "../match/index.ts";
import type { Document, Value } from "../value.ts";

/** Compiles an update given as pipeline. */
export function compilePipelineUpdate(
  _stages: Value[],
  _context: FilterContext,
): (document: Document) => Document {
  throw new ServerError("NotImplemented", "pipeline updates");
}
