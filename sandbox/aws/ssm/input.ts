import { AwsError } from "../service.ts";

export type Input = Readonly<Record<string, unknown>>;

/** A field of a request as text; missing is a ValidationException, as the service words it. */
export function text(input: Input, name: string): string {
  const value = input[name];
  if (typeof value === "string" && value !== "") return value;
  throw new AwsError(
    "ValidationException",
    `1 validation error detected: Value at '${name[0]!.toLowerCase()}${name.slice(1)}' failed to satisfy constraint: Member must not be null`,
  );
}

export function optionalText(input: Input, name: string): string | undefined {
  return input[name] === undefined ? undefined : text(input, name);
}

export function integer(input: Input, name: string, fallback: number, low: number, high: number): number {
  const value = input[name] ?? fallback;
  if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) return value;
  throw new AwsError(
    "ValidationException",
    `Value ${JSON.stringify(value)} at '${name}' failed to satisfy constraint: between ${low} and ${high}`,
  );
}

export function list(input: Input, name: string): readonly unknown[] {
  const value = input[name] ?? [];
  if (Array.isArray(value)) return value;
  throw new AwsError("SerializationException", `expected ${name} as a list`);
}

/** Filters come as `{Key|key, Values|valueSet|value}` in the different calls. */
export function filters(input: Input, name: string): { key: string; values: string[] }[] {
  return list(input, name).map((entry) => {
    const filter = entry as Record<string, unknown>;
    const values = filter.Values ?? filter.valueSet ?? filter.value ?? [];
    return { key: String(filter.Key ?? filter.key), values: [values].flat().map(String) };
  });
}

/** One page of a list: `NextToken` is the position to go on from. */
export function page<T>(
  input: Input,
  items: readonly T[],
  sizeMax: number,
): { items: readonly T[]; next: string | undefined } {
  const size = integer(input, "MaxResults", sizeMax, 1, Math.max(sizeMax, 1000));
  const from = Number(input.NextToken ?? 0);
  if (!Number.isInteger(from) || from < 0)
    throw new AwsError("InvalidNextToken", "The specified token is not valid.");
  return {
    items: items.slice(from, from + size),
    next: from + size < items.length ? String(from + size) : undefined,
  };
}
