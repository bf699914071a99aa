import { describeElement } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import type { Value } from "../../value.ts";
import { type Cell, typeNameOf } from "../expression.ts";
import { compilePipeline, type Stage, type StageCompiler, type StageContext } from "../pipeline.ts";

/** Context of a pipeline inside: the outer variables and further ones. */
export function subContext(context: StageContext, cells: [string, Cell][]): StageContext {
  return { ...context, variables: new Map([...context.expressions.variables, ...cells]), sources: undefined };
}

const unionWith: StageCompiler = (specification, context) => {
  let source: { collection: string; database?: string } | undefined;
  let stages: Value[] = [];
  if (typeof specification === "string") source = { collection: specification };
  else if (specification instanceof Map) {
    for (const [field, value] of specification) {
      if (field === "coll" && typeof value === "string") source = { ...source, collection: value };
      else if (field === "db" && typeof value === "string")
        source = { collection: source?.collection ?? "", database: value };
      else if (field === "pipeline" && Array.isArray(value)) stages = value;
      else throw new ServerError(40415, `BSON field '$unionWith.${field}' is an unknown field.`);
    }
  } else
    throw new ServerError(
      "FailedToParse",
      `the $unionWith stage specification must be an object or string, but found ${typeNameOf(specification)}`,
    );
  const inner: Stage = compilePipeline(stages, subContext(context, []), "$unionWith");
  return function* run(input) {
    yield* input;
    yield* inner(source === undefined ? [] : context.collection(source.collection, source.database));
  };
};

const facet: StageCompiler = (specification, context) => {
  if (!(specification instanceof Map))
    throw new ServerError(
      40169,
      `the $facet specification must be a non-empty object, but found: ${describeElement("$facet", specification)}`,
    );
  if (specification.size === 0)
    throw new ServerError(
      40169,
      "the $facet specification must be a non-empty object, but found: $facet: {}",
    );
  const facets = [...specification].map(([name, stages]): [string, Stage] => {
    if (name.startsWith("$") || name.includes("."))
      throw new ServerError(16410, `invalid field name for a facet: ${name}`);
    if (!Array.isArray(stages))
      throw new ServerError(
        40170,
        `arguments to $facet must be arrays, ${name} is type ${typeNameOf(stages)}`,
      );
    return [name, compilePipeline(stages, subContext(context, []), "$facet")];
  });
  return function* run(input) {
    const documents = [...input];
    yield new Map(facets.map(([name, stage]): [string, Value] => [name, [...stage(documents)]]));
  };
};

export const subPipelineStages: Record<string, StageCompiler> = { $unionWith: unionWith, $facet: facet };
