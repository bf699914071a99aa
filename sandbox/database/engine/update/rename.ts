import { identicalValues } from "../compare.ts";
import { describeElement } from "../describe.ts";
import { ServerError } from "../errors.ts";
import type { Document, Value } from "../value.ts";
import type { Step } from "./log.ts";
import { type ApplyState, type Leaf, REMOVED } from "./node.ts";

function isDynamic(parts: string[]): boolean {
  return parts.some((part) => part === "$" || /^\$\[.*\]$/.test(part));
}

function checkPaths(source: string, operand: Value): string {
  const shown = describeElement(source, operand);
  if (typeof operand !== "string")
    throw new ServerError("BadValue", `The 'to' field for $rename must be a string: ${shown}`);
  if (operand.includes("\0")) {
    throw new ServerError("BadValue", "The 'to' field for $rename cannot contain an embedded null byte");
  }
  if (source === operand)
    throw new ServerError("BadValue", `The source and target field for $rename must differ: ${shown}`);
  if (`${operand}.`.startsWith(`${source}.`) || `${source}.`.startsWith(`${operand}.`)) {
    throw new ServerError(
      "BadValue",
      `The source and target field for $rename must not be on the same path: ${shown}`,
    );
  }
  if (isDynamic(source.split("."))) {
    throw new ServerError("BadValue", `The source field for $rename may not be dynamic: ${source}`);
  }
  if (isDynamic(operand.split("."))) {
    throw new ServerError("BadValue", `The destination field for $rename may not be dynamic: ${operand}`);
  }
  return operand;
}

function idOf(document: Document): string {
  const id = document.get("_id");
  return id === undefined ? "no id" : describeElement("_id", id);
}

/** The value at the source path; undefined when it isn't there. */
function sourceValue(document: Document, source: string): Value | undefined {
  const parts = source.split(".");
  let current: Value = document;
  let arrayName: string | undefined;
  for (const [index, part] of parts.entries()) {
    if (current instanceof Map) {
      const next = current.get(part);
      if (next === undefined) return undefined;
      current = next;
    } else if (Array.isArray(current) && /^[0-9]+$/.test(part)) {
      arrayName = parts[index - 1];
      const next: Value | undefined = current[Number(part)];
      if (next === undefined) return undefined;
      current = next;
    } else {
      const name = parts[index - 1]!;
      throw new ServerError(
        "PathNotViable",
        `cannot use the part (${name} of ${source}) to traverse the element ({${describeElement(name, current)}})`,
      );
    }
  }
  if (arrayName === undefined) return current;
  throw new ServerError(
    "BadValue",
    `The source field cannot be an array element, '${source}' in doc with ${idOf(document)} has an array field called '${arrayName}'`,
  );
}

function checkTarget(document: Document, path: Step[]): void {
  let current: Value | undefined = document;
  for (const [index, part] of path.entries()) {
    if (Array.isArray(current)) {
      throw new ServerError(
        "BadValue",
        `The destination field cannot be an array element, '${path.join(".")}' in doc with ${idOf(document)} ` +
          `has an array field called '${path[index - 1]}'`,
      );
    }
    current = current instanceof Map ? current.get(String(part)) : undefined;
  }
}

/** The two halves of `$rename`: what sets the target and what takes the source out. */
export function renameLeaves(source: string, operand: Value): { from: Leaf; to: Leaf; target: string } {
  const target = checkPaths(source, operand);
  const read = (path: Step[], state: ApplyState): Value | undefined => {
    const value = sourceValue(state.root, source);
    if (value !== undefined) checkTarget(state.root, path);
    return value;
  };
  return {
    target,
    from: { kind: "leaf", operator: "$rename", ignoresNonViable: true, update: () => REMOVED },
    to: {
      kind: "leaf",
      operator: "$rename",
      create: read,
      update: (existing, path, state) => {
        const value = read(path, state);
        return value === undefined || identicalValues(value, existing) ? existing : value;
      },
    },
  };
}
