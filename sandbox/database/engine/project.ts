/** Projections of `find` and `$project`. */
import {
  type Cell,
  compileExpression,
  type ExpressionContext,
  makeContext,
  splitFieldPath,
  withVariables,
} from "./aggregate/expression.ts";
import "./aggregate/operators/index.ts";
import { ProjectionNode } from "./aggregate/projection-tree.ts";
import { toNumber } from "./arithmetic.ts";
import type { Collator } from "./compare.ts";
import { describeValue } from "./describe.ts";
import { ServerError } from "./errors.ts";
import { compileElement, compileFilter, type MatchDetails } from "./match/index.ts";
import { isTruthy } from "./match/leaf-operators.ts";
import { type Document, isNumber, type Value } from "./value.ts";

export interface ProjectionOptions {
  collation?: Collator;
  let?: Document;
  now?: Value;
  clusterTime?: Value;
  variables?: ReadonlyMap<string, Cell>;
  /** the query of the find: the positional `$` shows the element it matched */
  query?: Document;
}

export type Projection = (document: Document) => Document;

type Mode = "inclusion" | "exclusion";

interface Field {
  path: string;
  value: Value;
}

/** A field with `$slice`, applied to the projected document in place. */
interface Slice {
  path: string[];
  skip: number | undefined;
  limit: number;
}

const isFlag = (value: Value): boolean => typeof value === "boolean" || isNumber(value);

function isOperator(value: Value): boolean {
  if (!(value instanceof Map) || value.size === 0) return false;
  return [...value.keys()][0]!.startsWith("$");
}

/** Flattens nested documents: `{a: {b: 1}}` is `{"a.b": 1}`. */
function flatten(specification: Document, prefix: string, into: Field[]): void {
  for (const [name, value] of specification) {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    if (value instanceof Map && !isOperator(value)) {
      if (value.size === 0)
        throw new ServerError(
          51270,
          "An empty sub-projection is not a valid value. Found empty object at path",
        );
      flatten(value, path, into);
    } else into.push({ path, value });
  }
}

class Builder {
  mode: Mode | undefined;
  idExcluded = false;
  idIncluded = false;
  readonly node = new ProjectionNode();
  readonly slices: Slice[] = [];
  positional: string[] | undefined;
  private readonly paths = new Set<string>();
  private readonly context: ExpressionContext;
  private readonly options: ProjectionOptions;
  private readonly find: boolean;
  private usesElemMatch = false;

  constructor(options: ProjectionOptions, find: boolean) {
    const context = makeContext(options);
    this.context = options.variables === undefined ? context : withVariables(context, options.variables);
    this.options = options;
    this.find = find;
  }

  add({ path, value }: Field): void {
    if (path.endsWith(".$") || path === "$" || path.includes(".$.")) this.addPositional(path, value);
    else if (isFlag(value)) this.addFlag(path, isTruthy(value));
    else if (this.find && isOperator(value) && this.addFindOperator(path, value as Document)) return;
    else this.addComputed(path, value);
  }

  private claim(path: string): string[] {
    const parts = splitFieldPath(path);
    if (this.paths.has(path)) throw new ServerError(31250, `Path collision at ${path}`);
    for (const known of this.paths) {
      if (known.startsWith(`${path}.`)) throw new ServerError(31250, `Path collision at ${path}`);
      if (path.startsWith(`${known}.`)) {
        throw new ServerError(
          31249,
          `Path collision at ${path} remaining portion ${path.slice(known.length + 1)}`,
        );
      }
    }
    this.paths.add(path);
    return parts;
  }

  private want(mode: Mode, path: string): void {
    if (this.mode === undefined) this.mode = mode;
    else if (this.mode !== mode) {
      throw mode === "inclusion"
        ? new ServerError(31253, `Cannot do inclusion on field ${path} in exclusion projection`)
        : new ServerError(31254, `Cannot do exclusion on field ${path} in inclusion projection`);
    }
  }

  private addFlag(path: string, include: boolean): void {
    const parts = this.claim(path);
    if (path === "_id") {
      if (include) this.idIncluded = true;
      else this.idExcluded = true;
      return;
    }
    this.want(include ? "inclusion" : "exclusion", path);
    this.node.addLeaf(parts);
  }

  private addComputed(path: string, value: Value): void {
    const parts = this.claim(path);
    if (this.mode === "exclusion") {
      throw new ServerError(
        31252,
        `Bad projection specification, cannot use computed fields when parsing a spec in exclusion mode: ${describeValue(value)}`,
      );
    }
    this.mode = "inclusion";
    this.node.addComputed(parts, compileExpression(value, this.context));
  }

  /** `$slice`, `$elemMatch`, `$meta`; false for what is an expression like any other. */
  private addFindOperator(path: string, value: Document): boolean {
    const [[operator, operand]] = value as unknown as [[string, Value]];
    if (operator === "$elemMatch") {
      this.addElemMatch(path, operand);
      return true;
    }
    if (operator !== "$slice") return false;
    const numbers = Array.isArray(operand) ? operand : [operand];
    if (!isNumber(numbers[0])) return false;
    const [first, second] = numbers.map((number) =>
      isNumber(number) ? Math.trunc(toNumber(number)) : Number.NaN,
    );
    if (
      numbers.length > 2 ||
      (Array.isArray(operand) && numbers.length !== 2) ||
      (second !== undefined && !(second > 0))
    ) {
      throw new ServerError(28724, "First argument to $slice must be an array, but is of type: int");
    }
    const parts = this.claim(path);
    this.slices.push({
      path: parts,
      skip: second === undefined ? undefined : first!,
      limit: second ?? first!,
    });
    this.node.addLeaf(parts);
    return true;
  }

  private addElemMatch(path: string, operand: Value): void {
    if (path.includes("."))
      throw new ServerError(31275, "Cannot use $elemMatch projection on a nested field.");
    if (this.positional !== undefined)
      throw new ServerError(31256, "Cannot specify positional operator and $elemMatch.");
    if (!(operand instanceof Map))
      throw new ServerError(31274, `elemMatch: Invalid argument, object required, but got ${typeof operand}`);
    const parts = this.claim(path);
    this.usesElemMatch = true;
    if (this.mode === "exclusion") this.want("inclusion", path);
    this.mode = "inclusion";
    const matches = compileElement(operand, this.options);
    this.node.addComputed(parts, (root) => {
      const array = root.get(path);
      const found = Array.isArray(array)
        ? array.find((element) => isContainer(element, operand) && matches(element))
        : undefined;
      return found === undefined ? undefined : [found];
    });
  }

  private addPositional(path: string, value: Value): void {
    if (!this.find)
      throw new ServerError(31324, "Cannot use positional projection in aggregation projection");
    if (!path.endsWith(".$") || path.includes(".$.")) {
      throw new ServerError(
        31394,
        "As of 4.4, it's illegal to specify positional operator in the middle of a path.Positional projection may only be used " +
          "at the end, for example: a.b.$. If the query previously used a form like a.b.$.d, remove the parts following the '$' " +
          "and the results will be equivalent.",
      );
    }
    if (!isFlag(value) || !isTruthy(value))
      throw new ServerError(31395, "positional projection cannot be used with exclusion");
    if (this.positional !== undefined)
      throw new ServerError(31276, "Cannot specify more than one positional projection per query.");
    if (this.usesElemMatch)
      throw new ServerError(31256, "Cannot specify positional operator and $elemMatch.");
    const trimmed = path.slice(0, -2);
    this.want("inclusion", path);
    this.positional = this.claim(trimmed);
    this.node.addLeaf(this.positional);
  }
}

function isContainer(element: Value, operand: Document): boolean {
  return isOperator(operand) || element instanceof Map || Array.isArray(element);
}

function slice(array: Value[], { skip, limit }: Slice): Value[] {
  if (skip === undefined) return limit >= 0 ? array.slice(0, limit) : array.slice(limit);
  const from = skip >= 0 ? skip : Math.max(0, array.length + skip);
  return array.slice(from, from + limit);
}

/** Replaces what stands at a path, entering arrays; `change` gets arrays at its end. */
function sliceAt(value: Value, specification: Slice, from: number): Value {
  if (Array.isArray(value)) {
    return from === specification.path.length
      ? slice(value, specification)
      : value.map((element) => (element instanceof Map ? sliceAt(element, specification, from) : element));
  }
  if (!(value instanceof Map) || from === specification.path.length) return value;
  const name = specification.path[from]!;
  const current = value.get(name);
  if (current === undefined) return value;
  const changed = sliceAt(current, specification, from + 1);
  return changed === current ? value : new Map(value).set(name, changed);
}

/** Reduces the first array on the path to the element the query matched. */
function positionalAt(value: Value, path: string[], from: number, index: number | undefined): Value {
  if (Array.isArray(value)) {
    if (index === undefined || index >= value.length) {
      throw new ServerError(
        51246,
        "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array",
      );
    }
    return [value[index]!];
  }
  if (!(value instanceof Map) || from === path.length) return value;
  const name = path[from]!;
  const current = value.get(name);
  if (current === undefined) return value;
  return new Map(value).set(name, positionalAt(current, path, from + 1, index));
}

function build(specification: Document, options: ProjectionOptions, find: boolean): Builder {
  const fields: Field[] = [];
  flatten(specification, "", fields);
  const builder = new Builder(options, find);
  // The mode must be known before fields that fit any mode are placed.
  for (const field of fields) builder.add(field);
  builder.mode ??= builder.idIncluded ? "inclusion" : "exclusion";
  if (builder.slices.length > 0 && builder.mode === "exclusion")
    return rebuildForExclusion(fields, options, find);
  return builder;
}

/** `$slice` fields are kept in any mode: in an exclusion they aren't leaves. */
function rebuildForExclusion(fields: Field[], options: ProjectionOptions, find: boolean): Builder {
  const all = new Builder(options, find);
  for (const field of fields) all.add(field);
  const exclusion = new Builder(options, find);
  for (const field of fields) if (isFlag(field.value)) exclusion.add(field);
  exclusion.slices.push(...all.slices);
  exclusion.mode = "exclusion";
  return exclusion;
}

function finish(builder: Builder): Projection {
  const { node } = builder;
  if (builder.mode === "exclusion") {
    if (builder.idExcluded) node.addLeaf(["_id"]);
    return (document) => node.exclude(document);
  }
  if (!builder.idExcluded && !node.children.has("_id") && !node.computed.has("_id")) node.addLeaf(["_id"]);
  return (document) => node.compute(node.include(document), document);
}

/**
 * Compiles the projection of a `find`.
 * @throws ServerError 31249 … 31395 as the server
 */
export function compileProjection(specification: Document, options: ProjectionOptions = {}): Projection {
  if (specification.size === 0) return (document) => document;
  const builder = build(specification, options, true);
  const project = finish(builder);
  const { slices, positional } = builder;
  if (slices.length === 0 && positional === undefined) return project;
  const matches = positional === undefined ? undefined : compileFilter(options.query ?? new Map(), options);
  return (document) => {
    let result: Value = project(document);
    for (const specification of slices) result = sliceAt(result, specification, 0);
    if (matches !== undefined) {
      const details: MatchDetails = {};
      matches(document, details);
      result = positionalAt(result, positional!, 0, details.arrayIndex);
    }
    return result as Document;
  };
}

/**
 * Compiles a `$project` stage.
 * @throws ServerError 51272 … as the server
 */
export function compileProjectStage(specification: Document, options: ProjectionOptions): Projection {
  if (specification.size === 0) {
    throw new ServerError(
      51272,
      "Invalid $project :: caused by :: projection specification must have at least one field",
    );
  }
  return finish(build(specification, options, false));
}

/** Compiles a `$addFields` stage: every value is an expression. */
export function compileAddFields(specification: Document, context: ExpressionContext): Projection {
  const node = new ProjectionNode();
  const paths: string[] = [];
  const add = (document: Document, prefix: string): void => {
    for (const [name, value] of document) {
      const path = prefix === "" ? name : `${prefix}.${name}`;
      if (value instanceof Map && value.size > 0 && !isOperator(value)) {
        add(value, path);
        continue;
      }
      const collision = paths.find(
        (known) => known === path || known.startsWith(`${path}.`) || path.startsWith(`${known}.`),
      );
      if (collision !== undefined)
        throw new ServerError(
          40176,
          `Invalid $addFields :: caused by :: specification contains two conflicting paths. Cannot specify both '${path}' and '${collision}'`,
        );
      paths.push(path);
      node.addComputed(splitFieldPath(path), compileExpression(value, context));
    }
  };
  add(specification, "");
  return (document) => node.compute(document, document);
}
