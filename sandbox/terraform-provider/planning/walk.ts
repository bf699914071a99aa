import type { Path } from "../plugin/wire.ts";
import {
  type Attribute,
  type Block,
  elements,
  isObject,
  type Nesting,
  type Value,
  type Values,
} from "../values.ts";

export interface Place {
  /** Dotted, without positions: as rules name it. */
  readonly name: string;
  /** Absent inside a set, whose elements Terraform names by their whole value. */
  readonly path: Path | undefined;
  readonly attribute: Attribute;
  readonly value: Value;
}

/** Every attribute of an object, those of its nested blocks too. */
export function* places(
  block: Block,
  values: Values,
  name = "",
  path: Path | undefined = [],
): Generator<Place> {
  const named = (part: string) => (name === "" ? part : `${name}.${part}`);
  for (const [key, attribute] of Object.entries(block.attributes ?? {}))
    yield { name: named(key), path: path && [...path, key], attribute, value: values[key] ?? null };
  for (const [key, nested] of Object.entries(block.block_types ?? {}))
    for (const { item, at } of items(nested.nesting_mode, values[key], path && [...path, key]))
      yield* places(nested.block, item, named(key), at);
}

/** The blocks under one name, each with where it stands. */
function items(mode: Nesting, value: Value | undefined, path: Path | undefined): Item[] {
  if (mode === "single") return isObject(value) ? [{ item: value, at: path }] : [];
  const positions = mode === "list" ? path : undefined;
  return elements(value).flatMap((item, index) =>
    isObject(item) ? [{ item, at: positions && [...positions, index] }] : [],
  );
}

interface Item {
  readonly item: Values;
  readonly at: Path | undefined;
}

/** The value at a dotted name, taking the first of a list of blocks. */
export function valueAt(values: Values, name: string): Value {
  let value: Value = values;
  for (const part of name.split(".")) {
    const inside: Value = Array.isArray(value) ? (elements(value)[0] ?? null) : value;
    value = isObject(inside) ? (inside[part] ?? null) : null;
  }
  return value;
}

/** The path Terraform shows for a dotted name: into the first of each list of blocks. */
export function pathOf(block: Block, name: string): Path {
  const path: (string | number)[] = [];
  let inside: Block | undefined = block;
  for (const part of name.split(".")) {
    path.push(part);
    const nested: { nesting_mode: string; block: Block } | undefined = inside?.block_types?.[part];
    if (nested?.nesting_mode === "set") return path;
    if (nested?.nesting_mode === "list" && part !== name.split(".").at(-1)) path.push(0);
    inside = nested?.block;
  }
  return path;
}
