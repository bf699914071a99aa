import { AwsError } from "../service.ts";

export type Input = Readonly<Record<string, string>>;

/** `InstanceId.1`, `InstanceId.2` … in their order. */
export function listOf(input: Input, name: string): string[] {
  const values: string[] = [];
  for (let index = 1; input[`${name}.${index}`] !== undefined; index++)
    values.push(input[`${name}.${index}`]!);
  return values;
}

/** `Tag.1.Key`, `Tag.1.Value` … */
export function tagsOf(input: Input, prefix: string): Record<string, string> {
  const tags: Record<string, string> = {};
  for (let index = 1; input[`${prefix}.${index}.Key`] !== undefined; index++) {
    tags[input[`${prefix}.${index}.Key`]!] = input[`${prefix}.${index}.Value`] ?? "";
  }
  return tags;
}

/** `Filter.1.Name`, `Filter.1.Value.1` … */
export function filtersOf(input: Input): { name: string; values: string[] }[] {
  const filters: { name: string; values: string[] }[] = [];
  for (let index = 1; input[`Filter.${index}.Name`] !== undefined; index++) {
    filters.push({ name: input[`Filter.${index}.Name`]!, values: listOf(input, `Filter.${index}.Value`) });
  }
  return filters;
}

export function required(input: Input, name: string): string {
  const value = input[name];
  if (value === undefined || value === "") {
    throw new AwsError("MissingParameter", `The request must contain the parameter ${name}`);
  }
  return value;
}

export function flag(text: string | undefined): boolean {
  return text === "true";
}
