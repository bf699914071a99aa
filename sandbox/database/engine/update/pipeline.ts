import { compilePipeline } from "../aggregate/index.ts";
import { ServerError } from "../errors.ts";
import type { FilterContext } from "../match/index.ts";
import type { Document, Value } from "../value.ts";

const allowed = new Set(["$addFields", "$set", "$project", "$unset", "$replaceRoot", "$replaceWith"]);

/**
 * Compiles an update given as pipeline: a function from the old document to the new one.
 * @throws ServerError InvalidOptions for a stage that updates don't allow
 */
export function compilePipelineUpdate(
  stages: Value[],
  context: FilterContext,
): (document: Document) => Document {
  const none = (): never => {
    throw new ServerError("InvalidOptions", "other collections can't be read within an update");
  };
  const run = compilePipeline(stages, { ...context, db: "", collection: none });
  for (const stage of stages) {
    const [name] = (stage as Document).keys();
    if (!allowed.has(name!))
      throw new ServerError("InvalidOptions", `${name} is not allowed to be used within an update`);
  }
  return (document) => {
    const [result] = run([document]);
    return result!;
  };
}
