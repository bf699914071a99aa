/** Query filters: parsed once into closures. */

import type { Cell } from "../aggregate/expression.ts";
import { compileExpressionPredicate } from "../aggregate/predicate.ts";
import { regExp } from "../codec.ts";
import type { Collator } from "../compare.ts";
import { ServerError } from "../errors.ts";
import { type BSONRegExp, BsonType, type Document, isNumber, typeOf, type Value } from "../value.ts";
import { compileComparison, compileIn } from "./compare-operators.ts";
import { compileGeo, isGeoOperator } from "./geo.ts";
import { compileJsonSchema } from "./json-schema.ts";
import {
  type BitOperator,
  checkIsOne,
  compileBits,
  compileMod,
  compileSize,
  compileType,
  isTruthy,
} from "./leaf-operators.ts";
import { anyAtPath, type MatchDetails, type Path, parsePath, type ValueTest } from "./path.ts";
import { compileRegex } from "./regex.ts";

export type { MatchDetails } from "./path.ts";

export interface FilterContext {
  collation?: Collator;
  /** values of the variables `$$name` in `$expr` */
  let?: Document;
  /** what `$$NOW` and `$$CLUSTER_TIME` give */
  now?: Value;
  clusterTime?: Value;
  /** variables of an enclosing pipeline, for `$expr` */
  variables?: ReadonlyMap<string, Cell>;
}

/** Whether a document matches; with `details` it also gives the array element for the positional `$`. */
export type Predicate = (document: Document, details?: MatchDetails) => boolean;

interface Scope extends FilterContext {
  /** false under `$elemMatch`, where operators on whole documents aren't allowed */
  top: boolean;
  /** true for operators on an array element itself: an element that is an array isn't entered */
  onElement?: boolean;
}

const always: Predicate = () => true;
const never: Predicate = () => false;
const pathless = new Set([
  "$and",
  "$or",
  "$nor",
  "$expr",
  "$jsonSchema",
  "$where",
  "$text",
  "$comment",
  "$alwaysTrue",
  "$alwaysFalse",
  "$sampleRate",
  "$ref",
  "$id",
  "$db",
]);

/**
 * Compiles a query filter.
 * @throws ServerError BadValue, FailedToParse, TypeMismatch … as the server's parser
 */
export function compileFilter(filter: Document, context: FilterContext = {}): Predicate {
  return compileDocument(filter, { ...context, top: true });
}

function compileDocument(filter: Document, scope: Scope): Predicate {
  const predicates: Predicate[] = [];
  for (const [name, value] of filter) {
    if (name.startsWith("$")) predicates.push(compilePathless(name, value, scope));
    else compileField(name, value, scope, predicates);
  }
  return conjunction(predicates);
}

function conjunction(predicates: Predicate[]): Predicate {
  const needed = predicates.filter((predicate) => predicate !== always);
  if (needed.length === 0) return always;
  if (needed.length === 1) return needed[0]!;
  if (needed.length === 2) {
    const [first, second] = needed as [Predicate, Predicate];
    return (document, details) => first(document, details) && second(document, details);
  }
  return (document, details) => {
    for (const predicate of needed) if (!predicate(document, details)) return false;
    return true;
  };
}

function compileTree(operator: string, value: Value, scope: Scope): Predicate {
  if (!Array.isArray(value)) throw new ServerError("BadValue", `${operator} must be an array`);
  if (value.length === 0) throw new ServerError("BadValue", "$and/$or/$nor must be a nonempty array");
  const children = value.map((element) => {
    if (!(element instanceof Map))
      throw new ServerError("BadValue", "$or/$and/$nor entries need to be full objects");
    return compileDocument(element, scope);
  });
  switch (operator) {
    case "$and":
      return conjunction(children);
    case "$or":
      return (document, details) => {
        for (const child of children) if (child(document, details)) return true;
        return false;
      };
    default:
      return (document) => {
        for (const child of children) if (child(document)) return false;
        return true;
      };
  }
}

function compilePathless(operator: string, value: Value, scope: Scope): Predicate {
  switch (operator) {
    case "$and":
    case "$or":
    case "$nor":
      return compileTree(operator, value, scope);
    case "$comment":
      return always;
    case "$expr":
      if (!scope.top)
        throw new ServerError("BadValue", "$expr can only be applied to the top-level document");
      return compileExpressionPredicate(value, scope);
    case "$jsonSchema":
      if (!(value instanceof Map)) throw new ServerError("TypeMismatch", "$jsonSchema must be an object");
      return compileJsonSchema(value);
    case "$where":
      if (!scope.top)
        throw new ServerError("BadValue", "$where can only be applied to the top-level document");
      throw new ServerError("BadValue", "no globalScriptEngine in $where parsing");
    case "$text":
      if (!scope.top)
        throw new ServerError("BadValue", "$text can only be applied to the top-level document");
      throw new ServerError("IndexNotFound", "text index required for $text query");
    case "$alwaysTrue":
      checkIsOne(operator, value);
      return always;
    case "$alwaysFalse":
      checkIsOne(operator, value);
      return never;
    case "$sampleRate":
      return compileSampleRate(value);
    case "$ref":
    case "$id":
    case "$db":
      return onPath(
        operator,
        true,
        compileComparison("$eq", value, operator === "$id" ? scope.collation : undefined),
      );
    default:
      throw new ServerError(
        "BadValue",
        `unknown top level operator: ${operator}. If you have a field name that starts with a '$' symbol, ` +
          "consider using $getField or $setField.",
      );
  }
}

function compileSampleRate(value: Value): Predicate {
  if (!isNumber(value)) throw new ServerError("BadValue", "argument to $sampleRate must be a numeric type");
  const rate = Number(value.toString());
  if (!(rate >= 0 && rate <= 1))
    throw new ServerError("BadValue", "numeric argument to $sampleRate must be in [0, 1]");
  return () => Math.random() < rate;
}

function onPath(name: string, enterLeaf: boolean, test: ValueTest): Predicate {
  const path: Path = parsePath(name);
  if (path.names.length === 1 && !enterLeaf) return (document, details) => test(document.get(name), details);
  if (path.names.length === 1) {
    return (document, details) => {
      const value = document.get(name);
      return Array.isArray(value) ? anyAtPath(document, path, 0, true, test, details) : test(value, details);
    };
  }
  return (document, details) => anyAtPath(document, path, 0, enterLeaf, test, details);
}

function negate(predicate: Predicate): Predicate {
  return (document) => !predicate(document);
}

/** Whether `value` holds operators: a document that begins with `$` and is no DBRef. */
export function isOperatorDocument(value: Value, incompleteReferences = false): value is Document {
  if (!(value instanceof Map) || value.size === 0) return false;
  const [first] = value.keys();
  if (!first!.startsWith("$")) return false;
  const hasReference = value.has("$ref");
  const hasId = value.has("$id");
  return !(incompleteReferences ? hasReference || hasId || value.has("$db") : hasReference && hasId);
}

function compileField(name: string, value: Value, scope: Scope, into: Predicate[]): void {
  if (isOperatorDocument(value)) compileOperators(name, value, scope, into);
  else if (typeOf(value) === BsonType.RegExp) into.push(onPath(name, true, compileRegex(value)));
  else into.push(onPath(name, true, compileComparison("$eq", value, scope.collation)));
}

function compileOperators(name: string, operators: Document, scope: Scope, into: Predicate[]): void {
  const [first] = operators.keys();
  if (isGeoOperator(first!)) {
    into.push(onPath(name, false, compileGeo(operators)));
    return;
  }
  for (const [operator, operand] of operators)
    into.push(compileOperator(name, operator, operand, operators, scope));
}

function compileOperator(
  name: string,
  operator: string,
  operand: Value,
  context: Document,
  scope: Scope,
): Predicate {
  const leaf = (test: ValueTest) => onPath(name, !scope.onElement, test);
  switch (operator) {
    case "$eq":
      return leaf(compileComparison("$eq", operand, scope.collation));
    case "$lt":
    case "$lte":
    case "$gt":
    case "$gte":
      if (typeOf(operand) === BsonType.RegExp) {
        throw new ServerError("BadValue", `Can't have RegEx as arg to predicate over field '${name}'.`);
      }
      return leaf(compileComparison(operator, operand, scope.collation));
    case "$ne":
      if (typeOf(operand) === BsonType.RegExp)
        throw new ServerError("BadValue", "Can't have regex as arg to $ne.");
      return negate(leaf(compileComparison("$eq", operand, scope.collation)));
    case "$in":
      return leaf(compileIn(operand, scope.collation));
    case "$nin":
      return negate(leaf(compileIn(operand, scope.collation, "$nin")));
    case "$exists": {
      const exists = leaf((value) => value !== undefined);
      return isTruthy(operand) ? exists : negate(exists);
    }
    case "$type":
      return leaf(compileType(operand));
    case "$mod":
      return leaf(compileMod(operand));
    case "$size":
      return onPath(name, false, compileSize(operand));
    case "$not":
      return compileNot(name, operand, scope);
    default:
      return compileRareOperator(name, operator, operand, context, scope);
  }
}

function compileRareOperator(
  name: string,
  operator: string,
  operand: Value,
  context: Document,
  scope: Scope,
): Predicate {
  switch (operator) {
    case "$regex":
      return onPath(name, !scope.onElement, compileRegex(regexOf(context)));
    case "$options":
      if (!context.has("$regex")) throw new ServerError("BadValue", "$options needs a $regex");
      return always;
    case "$all":
      return compileAll(name, operand, scope);
    case "$elemMatch":
      return compileElemMatch(name, operand, scope);
    case "$bitsAllSet":
    case "$bitsAllClear":
    case "$bitsAnySet":
    case "$bitsAnyClear":
      return onPath(name, !scope.onElement, compileBits(operator as BitOperator, operand));
    case "$geoWithin":
    case "$within":
    case "$geoIntersects":
      return onPath(name, false, compileGeo(new Map([[operator, operand]])));
    case "$near":
    case "$nearSphere":
    case "$geoNear":
      throw new ServerError("BadValue", "near must be first in: query");
    case "$comment":
      return always;
    case "$where":
      throw new ServerError("BadValue", "$where cannot be applied to a field");
    default:
      throw new ServerError("BadValue", `unknown operator: ${operator}`);
  }
}

/** The regular expression of `{$regex, $options}`, in whichever order they come. */
function regexOf(context: Document): Value {
  const operand = context.get("$regex")!;
  const given = context.get("$options");
  if (given !== undefined && typeof given !== "string")
    throw new ServerError("BadValue", "$options has to be a string");
  if (typeof operand === "string") return regExp(operand, given ?? "");
  if (typeOf(operand) !== BsonType.RegExp) throw new ServerError("BadValue", "$regex has to be a string");
  const own = operand as BSONRegExp;
  if (own.options !== "" && given !== undefined && given !== "") {
    const optionsFirst = [...context.keys()].indexOf("$options") < [...context.keys()].indexOf("$regex");
    throw new ServerError(optionsFirst ? 51074 : 51075, "options set in both $regex and $options");
  }
  return regExp(own.pattern, own.options || (given ?? ""));
}

function compileNot(name: string, operand: Value, scope: Scope): Predicate {
  if (typeOf(operand) === BsonType.RegExp)
    return negate(onPath(name, !scope.onElement, compileRegex(operand)));
  if (!(operand instanceof Map)) throw new ServerError("BadValue", "$not needs a regex or a document");
  if (operand.size === 0) throw new ServerError("BadValue", "$not cannot be empty");
  const predicates: Predicate[] = [];
  compileOperators(name, operand, scope, predicates);
  return negate(conjunction(predicates));
}

function compileAll(name: string, operand: Value, scope: Scope): Predicate {
  if (!Array.isArray(operand)) throw new ServerError("BadValue", "$all needs an array");
  const firstName = (value: Value | undefined) => (value instanceof Map ? [...value.keys()][0] : undefined);
  const predicates: Predicate[] = [];
  if (firstName(operand[0]) === "$elemMatch") {
    for (const element of operand) {
      if (firstName(element) !== "$elemMatch")
        throw new ServerError("BadValue", "$all/$elemMatch has to be consistent");
      predicates.push(compileElemMatch(name, (element as Document).get("$elemMatch")!, scope));
    }
    return conjunction(predicates);
  }
  for (const element of operand) {
    const first = firstName(element);
    const enterLeaf = !scope.onElement;
    if (typeOf(element) === BsonType.RegExp) predicates.push(onPath(name, enterLeaf, compileRegex(element)));
    else if (first?.startsWith("$") && !["$ref", "$id", "$db"].includes(first)) {
      throw new ServerError("BadValue", "no $ expressions in $all");
    } else predicates.push(onPath(name, enterLeaf, compileComparison("$eq", element, scope.collation)));
  }
  return predicates.length === 0 ? never : conjunction(predicates);
}

/** Gives an array as a document with its indexes as names: how `$elemMatch` sees nested arrays. */
function asDocument(value: Value): Document | undefined {
  if (value instanceof Map) return value;
  return Array.isArray(value) ? new Map(value.map((element, index) => [String(index), element])) : undefined;
}

/** The test `$elemMatch` makes on one array element. */
export function compileElement(operand: Value, context: FilterContext): (element: Value) => boolean {
  if (!(operand instanceof Map)) throw new ServerError("BadValue", "$elemMatch needs an Object");
  const scope: Scope = { ...context, top: false };
  const [first] = operand.keys();
  if (isOperatorDocument(operand, true) && !pathless.has(first!)) {
    const predicates: Predicate[] = [];
    compileOperators("element", operand, { ...scope, onElement: true }, predicates);
    const matches = conjunction(predicates);
    return (element) => matches(new Map([["element", element]]));
  }
  const matches = compileDocument(operand, scope);
  return (element) => {
    const document = asDocument(element);
    return document !== undefined && matches(document);
  };
}

function compileElemMatch(name: string, operand: Value, scope: Scope): Predicate {
  const matches = compileElement(operand, scope);
  return onPath(name, false, (value, details) => {
    if (!Array.isArray(value)) return false;
    const index = value.findIndex(matches);
    if (index >= 0 && details !== undefined) details.arrayIndex = index;
    return index >= 0;
  });
}
