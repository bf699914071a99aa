/** Values as Terraform has them, and the schemas that describe them. */

class Unknown {
  /** So that a value left in by mistake is seen in a message rather than read as an empty object. */
  toJSON(): string {
    return "(known after apply)";
  }
}

/** A value that isn't known before apply. */
export const unknown = new Unknown();

export type Value = null | boolean | number | string | Unknown | readonly Value[] | Values;
/** An object: a resource's state, a nested block, a map. */
export interface Values {
  readonly [name: string]: Value;
}

/** A type as Terraform's JSON writes it: `"string"`, `["set", "string"]`, `["object", {…}]`. */
export type Type = string | readonly [string, Type | Readonly<Record<string, Type>>];

export interface Attribute {
  readonly type: Type;
  readonly required?: boolean;
  readonly optional?: boolean;
  readonly computed?: boolean;
  readonly sensitive?: boolean;
  readonly write_only?: boolean;
  readonly deprecated?: boolean;
}

export type Nesting = "single" | "list" | "set" | "map";

export interface NestedBlock {
  readonly nesting_mode: Nesting;
  readonly min_items?: number;
  readonly max_items?: number;
  readonly block: Block;
}

export interface Block {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly block_types?: Readonly<Record<string, NestedBlock>>;
}

export interface Schema {
  readonly version: number;
  readonly block: Block;
}

export function isUnknown(value: Value | undefined): value is Unknown {
  return value === unknown;
}

export function isObject(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isUnknown(value);
}

/** The elements of a list or set; none for null and unknown. */
export function elements(value: Value | undefined): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : [];
}

/** Text of an attribute, undefined for null, unknown and anything else. */
export function text(value: Value | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function canonical(value: Value | undefined): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isObject(value)) return value ?? null;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, canonical(value[key])]),
  );
}

/** Whether two values are the same; `unordered` for sets, whose elements have no order. */
export function sameValue(left: Value | undefined, right: Value | undefined, unordered = false): boolean {
  if (unordered && Array.isArray(left) && Array.isArray(right)) {
    const sorted = (values: readonly Value[]) => values.map((each) => JSON.stringify(canonical(each))).sort();
    return JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
  }
  return JSON.stringify(canonical(left)) === JSON.stringify(canonical(right));
}

export function isSet(type: Type): boolean {
  return Array.isArray(type) && type[0] === "set";
}

/** An object with every attribute and block of its schema: what is missing is null, or empty for repeated blocks. */
export function conform(block: Block, values: Values): Values {
  const result: Record<string, Value> = {};
  for (const name of Object.keys(block.attributes ?? {})) result[name] = values[name] ?? null;
  for (const [name, nested] of Object.entries(block.block_types ?? {})) {
    const value = values[name];
    const each = (item: Value) => (isObject(item) ? conform(nested.block, item) : item);
    if (isUnknown(value)) result[name] = value;
    else if (nested.nesting_mode === "single") result[name] = each(value ?? null);
    else if (nested.nesting_mode === "map")
      result[name] = isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, each(item)]))
        : {};
    else result[name] = elements(value).map(each);
  }
  return result;
}
