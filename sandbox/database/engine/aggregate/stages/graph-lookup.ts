/** `$graphLookup`. */
import { toNumber } from "../../arithmetic.ts";
import { ServerError } from "../../errors.ts";
import { compileFilter } from "../../match/index.ts";
import { type Document, isNumber, Long, type Value } from "../../value.ts";
import { compileExpression, splitFieldPath, typeNameOf, valueAtPath } from "../expression.ts";
import type { StageCompiler } from "../pipeline.ts";
import { filterOptions, withPath } from "./basic.ts";
import { JoinIndex, keyText } from "./join-index.ts";

interface GraphOptions {
  from: string;
  as: string[];
  startWith: Value;
  connectFrom: string[];
  connectTo: string;
  maxDepth: number;
  depthField?: string[];
  filter?: Document;
}

function graphOptions(specification: Value): GraphOptions {
  if (!(specification instanceof Map))
    throw new ServerError(
      "FailedToParse",
      `the $graphLookup stage specification must be an object, but found ${typeNameOf(specification)}`,
    );
  const text = (field: string): string => {
    const value = specification.get(field);
    if (value === undefined)
      throw new ServerError(
        40105,
        "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
      );
    if (typeof value !== "string")
      throw new ServerError(40103, `expected string as argument for ${field}, found: ${typeNameOf(value)}`);
    return value;
  };
  for (const field of specification.keys()) {
    if (
      ![
        "from",
        "as",
        "startWith",
        "connectFromField",
        "connectToField",
        "maxDepth",
        "depthField",
        "restrictSearchWithMatch",
      ].includes(field)
    ) {
      throw new ServerError(40104, `Unknown argument to $graphLookup: ${field}`);
    }
  }
  const maxDepth = specification.get("maxDepth");
  if (maxDepth !== undefined && !isNumber(maxDepth))
    throw new ServerError(40100, `maxDepth must be numeric, found type: ${typeNameOf(maxDepth)}`);
  if (maxDepth !== undefined && toNumber(maxDepth) < 0)
    throw new ServerError(40101, `maxDepth requires a nonnegative argument, found: ${toNumber(maxDepth)}`);
  const filter = specification.get("restrictSearchWithMatch");
  if (filter !== undefined && !(filter instanceof Map))
    throw new ServerError(40185, `restrictSearchWithMatch must be an object, found ${typeNameOf(filter)}`);
  return {
    from: text("from"),
    as: splitFieldPath(text("as")),
    startWith: specification.get("startWith") ?? null,
    connectFrom: splitFieldPath(text("connectFromField")),
    connectTo: text("connectToField"),
    maxDepth: maxDepth === undefined ? Infinity : toNumber(maxDepth),
    depthField: specification.has("depthField") ? splitFieldPath(text("depthField")) : undefined,
    filter,
  };
}

const graphLookup: StageCompiler = (specification, context) => {
  const options = graphOptions(specification);
  const start = compileExpression(options.startWith, context.expressions);
  const matches =
    options.filter === undefined ? undefined : compileFilter(options.filter, filterOptions(context));
  return function* run(input) {
    let index: JoinIndex | undefined;
    for (const document of input) {
      index ??= new JoinIndex(
        [...context.collection(options.from)].filter((candidate) => matches?.(candidate) ?? true),
        options.connectTo,
      );
      yield withPath(document, options.as, traverse(index, start(document), options));
    }
  };
};

function traverse(
  index: JoinIndex,
  start: Value | undefined,
  { connectFrom, maxDepth, depthField }: GraphOptions,
): Document[] {
  const visited = new Set<string>();
  const found: Document[] = [];
  let frontier = start === undefined ? [] : Array.isArray(start) ? start : [start];
  for (let depth = 0; depth <= maxDepth && frontier.length > 0; depth++) {
    const next: Value[] = [];
    for (const document of index.find(frontier)) {
      const key = keyText(document.get("_id") ?? document);
      if (visited.has(key)) continue;
      visited.add(key);
      found.push(
        depthField === undefined ? document : withPath(document, depthField, Long.fromNumber(depth)),
      );
      const value = valueAtPath(document, connectFrom, 0);
      if (value !== undefined) next.push(...(Array.isArray(value) ? value : [value]));
    }
    frontier = next;
  }
  return found;
}

export const graphLookupStages: Record<string, StageCompiler> = { $graphLookup: graphLookup };
