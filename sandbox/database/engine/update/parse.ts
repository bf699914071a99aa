/** Reads `{$set: {...}, ...}` into a tree. */
import { describeDocument, describeElement } from "../describe.ts";
import { ServerError } from "../errors.ts";
import type { FilterContext, Predicate } from "../match/index.ts";
import { type Document, typeName, type Value } from "../value.ts";
import { makeLeaf, type OperatorContext } from "./leaves.ts";
import { type ArrayNode, type Leaf, type Node, type ObjectNode, sortTree } from "./node.ts";
import { renameLeaves } from "./rename.ts";

const operators = new Set([
  "$set",
  "$setOnInsert",
  "$unset",
  "$inc",
  "$mul",
  "$min",
  "$max",
  "$rename",
  "$currentDate",
  "$push",
  "$pull",
  "$pullAll",
  "$pop",
  "$addToSet",
  "$bit",
]);

export interface ParsedUpdate {
  root: ObjectNode;
  usesPositional: boolean;
}

export interface ParseContext extends OperatorContext {
  filters: Map<string, Predicate>;
  filterContext: FilterContext;
}

const identifierPattern = /^\$\[(.*)\]$/s;

class TreeBuilder {
  readonly root: ObjectNode = { kind: "object", children: new Map() };
  readonly usedIdentifiers = new Set<string>();
  usesPositional = false;
  private readonly filters: Map<string, Predicate>;

  constructor(filters: Map<string, Predicate>) {
    this.filters = filters;
  }

  /** Puts a leaf at a path, making the nodes on the way. */
  add(path: string, leaf: Leaf): void {
    const parts = splitPath(path);
    this.checkDynamic(path, parts);
    let current: ObjectNode | ArrayNode = this.root;
    for (let i = 0; i < parts.length - 1; i++) {
      const wantsArray = identifierPattern.test(parts[i + 1]!);
      const child = this.childOf(current, parts[i]!);
      if (child === undefined) {
        const made: ObjectNode | ArrayNode = wantsArray
          ? { kind: "array", children: new Map(), filters: this.filters }
          : { kind: "object", children: new Map() };
        this.setChild(current, parts[i]!, made);
        current = made;
      } else if (child.kind === "leaf" || (child.kind === "array") !== wantsArray) {
        throw conflict(path, parts.slice(0, i + 1).join("."));
      } else current = child;
    }
    const last = parts.at(-1)!;
    if (this.childOf(current, last) !== undefined) throw conflict(path, path);
    this.setChild(current, last, leaf);
  }

  private childOf(node: ObjectNode | ArrayNode, part: string): Node | undefined {
    if (node.kind === "array") return node.children.get(identifierPattern.exec(part)![1]!);
    return part === "$" ? node.positional : node.children.get(part);
  }

  private setChild(node: ObjectNode | ArrayNode, part: string, child: Node): void {
    if (node.kind === "array") node.children.set(identifierPattern.exec(part)![1]!, child);
    else if (part === "$") node.positional = child;
    else node.children.set(part, child);
  }

  private checkDynamic(path: string, parts: string[]): void {
    const positions = parts.flatMap((part, index) => (part === "$" ? [index] : []));
    if (positions.length > 1) {
      throw new ServerError("BadValue", `Too many positional (i.e. '$') elements found in path '${path}'`);
    }
    if (positions[0] === 0) {
      throw new ServerError(
        "BadValue",
        `Cannot have positional (i.e. '$') element in the first position in path '${path}'`,
      );
    }
    if (positions.length > 0) this.usesPositional = true;
    parts.forEach((part, index) => {
      const identifier = identifierPattern.exec(part)?.[1];
      if (identifier === undefined) return;
      if (index === 0) {
        throw new ServerError(
          "BadValue",
          `Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`,
        );
      }
      if (identifier !== "" && !this.filters.has(identifier)) {
        throw new ServerError(
          "BadValue",
          `No array filter found for identifier '${identifier}' in path '${path}'`,
        );
      }
      this.usedIdentifiers.add(identifier);
    });
  }
}

function conflict(path: string, at: string): ServerError {
  return new ServerError(
    "ConflictingUpdateOperators",
    `Updating the path '${path}' would create a conflict at '${at}'`,
  );
}

/** Splits an update path, refusing empty field names. */
function splitPath(path: string): string[] {
  if (path === "") throw new ServerError("EmptyFieldName", "An empty update path is not valid.");
  const parts = path.split(".");
  if (parts.includes("")) {
    throw new ServerError(
      "EmptyFieldName",
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  }
  return parts;
}

function checkOperator(operator: string, fields: Value): Document {
  if (!operators.has(operator)) {
    throw new ServerError(
      "FailedToParse",
      `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
    );
  }
  if (fields instanceof Map) return fields;
  throw new ServerError(
    "FailedToParse",
    `Modifiers operate on fields but we found type ${typeName(fields)} instead. For example: ` +
      `{$mod: {<field>: ...}} not {${describeElement(operator, fields)}}`,
  );
}

/**
 * Parses an update with operators.
 * @throws ServerError FailedToParse, ConflictingUpdateOperators, EmptyFieldName, BadValue …
 */
export function parseOperators(update: Document, context: ParseContext): ParsedUpdate {
  const builder = new TreeBuilder(context.filters);
  for (const [operator, value] of update) {
    for (const [path, operand] of checkOperator(operator, value)) {
      if (operator === "$rename") {
        splitPath(path);
        const { from, to, target } = renameLeaves(path, operand);
        builder.add(path, from);
        builder.add(target, to);
      } else builder.add(path, makeLeaf(operator, path, operand, context));
    }
  }
  for (const identifier of context.filters.keys()) {
    if (builder.usedIdentifiers.has(identifier)) continue;
    throw new ServerError(
      "FailedToParse",
      `The array filter for identifier '${identifier}' was not used in the update ${describeDocument(update)}`,
    );
  }
  sortTree(builder.root);
  return { root: builder.root, usesPositional: builder.usesPositional };
}
