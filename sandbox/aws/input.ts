import { AwsError } from "./service.ts";

/** Fields of a JSON request, checked: AWS answers a wrong type with ValidationException. */
export type Input = Readonly<Record<string, unknown>>;

function wrong(name: string, expected: string, value: unknown): AwsError {
  return new AwsError(
    "ValidationException",
    `expected ${name} as ${expected}, got ${value === undefined ? "nothing" : typeof value}`,
  );
}

export function optionalText(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw wrong(name, "text", value);
  return value;
}

export function requiredText(input: Input, name: string): string {
  const value = optionalText(input, name);
  if (value === undefined || value === "") throw wrong(name, "text", undefined);
  return value;
}

export function flag(input: Input, name: string): boolean {
  const value = input[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw wrong(name, "true or false", value);
  return value;
}

export function optionalNumber(input: Input, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw wrong(name, "a number", value);
  return value;
}

export function textList(input: Input, name: string): string[] {
  const value = input[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((each) => typeof each !== "string"))
    throw wrong(name, "a list of texts", value);
  return value as string[];
}

export function objectList(input: Input, name: string): Input[] {
  const value = input[name];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((each) => each === null || typeof each !== "object")) {
    throw wrong(name, "a list of structures", value);
  }
  return value as Input[];
}

/** `[{Key, Value}]` as a record. */
export function tagsOf(input: Input, name = "Tags"): Record<string, string> {
  return Object.fromEntries(
    objectList(input, name).map((tag) => [requiredText(tag, "Key"), optionalText(tag, "Value") ?? ""]),
  );
}

export function tagList(tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** One page of a list; the token is the position. `max` is what the service allows and gives without MaxResults. */
export function pageOf<Item>(
  items: readonly Item[],
  input: Input,
  max: number,
): { page: Item[]; NextToken?: string } {
  const size = optionalNumber(input, "MaxResults") ?? max;
  if (size < 1 || size > max)
    throw new AwsError("ValidationException", `expected MaxResults between 1 and ${max}, got ${size}`);
  const token = optionalText(input, "NextToken");
  const start = token === undefined ? 0 : Number(token);
  if (!Number.isInteger(start) || start < 0)
    throw new AwsError("InvalidNextToken", "the specified token isn't valid");
  const end = start + size;
  return { page: items.slice(start, end), ...(end < items.length ? { NextToken: String(end) } : {}) };
}
