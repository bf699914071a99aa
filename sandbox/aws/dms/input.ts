/** Reading requests: fields, filters and pages. */
import { invalidValue } from "./faults.ts";

export type Input = Readonly<Record<string, unknown>>;

/** A field that must be there and be text. */
export function text(input: Input, name: string): string {
  const value = input[name];
  if (typeof value !== "string" || value === "")
    throw invalidValue(`The parameter ${name} must be provided and must not be blank.`);
  return value;
}

export function optionalText(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null || value === "") return undefined;
  return text(input, name);
}

export function optionalNumber(input: Input, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw invalidValue(`Invalid parameter ${name}: expected a number.`);
  return value;
}

export function record(input: Input, name: string): Record<string, unknown> {
  const value = input[name];
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? { ...(value as Record<string, unknown>) }
    : {};
}

/** DMS stores identifiers in lower case; letters, digits and hyphens, a letter first. */
export function identifier(input: Input, name: string): string {
  const value = text(input, name);
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/i.test(value) || value.length > 255) {
    throw invalidValue(
      `The parameter ${name} must begin with a letter, contain only ASCII letters, digits and hyphens, and not end with a hyphen or contain two consecutive hyphens: ${value}`,
    );
  }
  return value.toLowerCase();
}

interface Filter {
  readonly Name: string;
  readonly Values: readonly string[];
}

/**
 * The items a request's `Filters` admit: every filter must match one of its values.
 * @param properties for each filter name the property of an item
 */
export function filtered<Item>(
  input: Input,
  items: readonly Item[],
  properties: Readonly<Record<string, (item: Item) => string>>,
): Item[] {
  const filters = ((input.Filters ?? []) as readonly Filter[]).map(({ Name, Values }) => {
    const property = properties[Name];
    if (!property) throw invalidValue(`Unrecognized filter name: ${Name}`);
    return { property, values: new Set(Values) };
  });
  return items.filter((item) => filters.every(({ property, values }) => values.has(property(item))));
}

export function hasFilters(input: Input): boolean {
  return Array.isArray(input.Filters) && input.Filters.length > 0;
}

/** One page of a listing and the marker of the next. The marker is an offset no client may rely on. */
export function page<Item>(
  input: Input,
  items: readonly Item[],
  limits: { least: number; most: number; usual: number } = { least: 20, most: 100, usual: 100 },
): { items: Item[]; Marker?: string } {
  const size = optionalNumber(input, "MaxRecords") ?? limits.usual;
  if (size < limits.least || size > limits.most) {
    throw invalidValue(`MaxRecords must be between ${limits.least} and ${limits.most}, got ${size}.`);
  }
  const marker = optionalText(input, "Marker");
  const start =
    marker === undefined ? 0 : Number(Buffer.from(marker, "base64url").toString().replace("offset:", ""));
  if (!Number.isInteger(start) || start < 0) throw invalidValue("The marker is invalid.");
  const end = start + size;
  if (end >= items.length) return { items: items.slice(start) };
  return { items: items.slice(start, end), Marker: Buffer.from(`offset:${end}`).toString("base64url") };
}

/** The last part of an ARN, as DMS makes them up. */
export function randomArn(context: { region: string; account: string }, kind: string): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const random = crypto.getRandomValues(new Uint8Array(26));
  const name = [...random].map((byte) => letters[byte % 32]).join("");
  return `arn:aws:dms:${context.region}:${context.account}:${kind}:${name}`;
}
