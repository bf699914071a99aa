import { AwsError } from "../service.ts";
import type { DocumentContent, DocumentParameter } from "./document-content.ts";

export type Values = Readonly<Record<string, readonly string[]>>;

function refuse(message: string): never {
  throw new AwsError("InvalidParameters", message);
}

/**
 * Checks what SendCommand was given against the document and fills in the defaults. Values come as lists, also for
 * String. Throws InvalidParameters.
 */
export function resolveParameters(
  content: DocumentContent,
  given: Values,
): Record<string, string | readonly string[]> {
  for (const name of Object.keys(given))
    if (!(name in content.parameters)) refuse(`document does not support parameters: ${name}`);
  const resolved: Record<string, string | readonly string[]> = {};
  for (const [name, definition] of Object.entries(content.parameters)) {
    const values =
      given[name] ?? (definition.default === undefined ? undefined : [definition.default].flat());
    if (values === undefined) return refuse(`Parameter ${name} is required but no value was given`);
    if (!Array.isArray(values) || !values.every((value) => typeof value === "string"))
      refuse(`Parameter ${name}: expected a list of strings`);
    checkValues(name, definition, values);
    resolved[name] = definition.type === "String" ? values[0]! : values;
  }
  return resolved;
}

function checkValues(name: string, definition: DocumentParameter, values: readonly string[]): void {
  if (definition.type === "String" && values.length !== 1)
    refuse(`Parameter ${name} is a String: expected one value, got ${values.length}`);
  const {
    allowedValues,
    allowedPattern,
    minChars = 0,
    maxChars = Number.POSITIVE_INFINITY,
    minItems = 0,
    maxItems = Number.POSITIVE_INFINITY,
  } = definition;
  if (values.length < minItems || values.length > maxItems)
    refuse(`Parameter ${name}: ${values.length} items are not within its limits`);
  // Java's and Go's regular expressions look anywhere in the value: only a pattern that says ^…$ covers all of it.
  const pattern = allowedPattern ? new RegExp(allowedPattern, "u") : undefined;
  for (const value of values) {
    if (allowedValues && !allowedValues.includes(value))
      refuse(`Parameter ${name}: the value is not one of ${allowedValues.join(", ")}`);
    if (pattern && !pattern.test(value))
      refuse(`Parameter ${name}: the value does not match the allowed pattern ${allowedPattern}`);
    if (value.length < minChars || value.length > maxChars)
      refuse(`Parameter ${name}: ${value.length} characters are not within its limits`);
  }
}
