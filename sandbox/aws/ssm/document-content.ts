import { parse as parseYaml } from "yaml";
import { AwsError } from "../service.ts";

export interface DocumentParameter {
  readonly type: "String" | "StringList";
  readonly description?: string;
  readonly default?: string | readonly string[];
  readonly allowedValues?: readonly string[];
  readonly allowedPattern?: string;
  readonly interpolationType?: "ENV_VAR" | "TEXT";
  readonly minChars?: number;
  readonly maxChars?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export interface DocumentStep {
  readonly action: "aws:runShellScript";
  readonly name: string;
  readonly precondition?: Readonly<Record<string, readonly string[]>>;
  readonly inputs: {
    readonly runCommand: readonly string[];
    readonly workingDirectory?: string;
    readonly timeoutSeconds?: string | number;
    readonly onFailure?: "exit" | "successAndExit";
    readonly finallyStep?: boolean;
  };
}

export interface DocumentContent {
  readonly schemaVersion: "2.0" | "2.2";
  readonly description?: string;
  readonly parameters: Readonly<Record<string, DocumentParameter>>;
  readonly mainSteps: readonly DocumentStep[];
}

const contentBytesMax = 64 * 1024;
const stepFields = new Set(["action", "name", "inputs", "precondition", "isEnd", "nextStep", "description"]);
const parameterFields = new Set([
  "type",
  "description",
  "default",
  "allowedValues",
  "allowedPattern",
  "interpolationType",
  "minChars",
  "maxChars",
  "minItems",
  "maxItems",
  "displayType",
]);

function refuse(message: string): never {
  throw new AwsError("InvalidDocumentContent", message);
}

/**
 * Reads the content of a Command document (schema 2.2, JSON or YAML) and refuses what the service would refuse, and
 * what the agent would silently leave alone (a parameter name that isn't letters and digits).
 */
export function parseDocument(text: string, format: "JSON" | "YAML"): DocumentContent {
  if (Buffer.byteLength(text) > contentBytesMax)
    throw new AwsError(
      "MaxDocumentSizeExceeded",
      `The size limit of a document is ${contentBytesMax / 1024} KB.`,
    );
  const value = readText(text, format);
  const version = value.schemaVersion;
  if (version !== "2.2" && version !== "2.0") {
    throw new AwsError(
      "InvalidDocumentSchemaVersion",
      `The stand-in runs Command documents of schema 2.2, got ${JSON.stringify(version)}.`,
    );
  }
  const parameters = readParameters(value.parameters ?? {});
  const mainSteps = readSteps(value.mainSteps);
  refuseUnknownReferences(mainSteps, parameters);
  return {
    schemaVersion: version,
    description: value.description as string | undefined,
    parameters,
    mainSteps,
  };
}

function readText(text: string, format: "JSON" | "YAML"): Record<string, unknown> {
  let value: unknown;
  try {
    value = format === "JSON" ? JSON.parse(text) : parseYaml(text);
  } catch (cause) {
    return refuse(`${format} not well-formed. ${(cause as Error).message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return refuse("expected an object at the top");
  return value as Record<string, unknown>;
}

function readParameters(value: unknown): Record<string, DocumentParameter> {
  const parameters = value as Record<string, DocumentParameter>;
  for (const [name, parameter] of Object.entries(parameters)) {
    if (!/^[a-zA-Z0-9]+$/.test(name))
      refuse(`parameter ${name}: the agent only replaces names of letters and digits`);
    if (parameter.type !== "String" && parameter.type !== "StringList")
      refuse(`parameter ${name}: type ${parameter.type} is not one of String, StringList`);
    const unknown = Object.keys(parameter).find((field) => !parameterFields.has(field));
    if (unknown) refuse(`parameter ${name}: unknown property ${unknown}`);
    const { interpolationType } = parameter;
    if (interpolationType !== undefined && interpolationType !== "ENV_VAR" && interpolationType !== "TEXT")
      refuse(`parameter ${name}: interpolationType ${interpolationType}`);
    if (interpolationType === "ENV_VAR" && parameter.type !== "String")
      refuse(`parameter ${name}: ENV_VAR is documented for String only`);
    checkPattern(name, parameter);
  }
  return parameters;
}

function checkPattern(name: string, { allowedPattern, allowedValues, ...rest }: DocumentParameter): void {
  try {
    const pattern = allowedPattern === undefined ? undefined : new RegExp(allowedPattern, "u");
    checkDefault(name, rest.default, allowedValues, pattern);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    refuse(`parameter ${name}: allowedPattern does not compile: ${cause.message}`);
  }
}

function checkDefault(
  name: string,
  value: DocumentParameter["default"],
  allowed: readonly string[] | undefined,
  pattern: RegExp | undefined,
): void {
  for (const item of value === undefined ? [] : [value].flat()) {
    if (allowed && !allowed.includes(item)) refuse(`parameter ${name}: the default is not in allowedValues`);
    if (pattern && !pattern.test(item))
      refuse(`parameter ${name}: the default does not match allowedPattern`);
  }
}

function readSteps(value: unknown): DocumentStep[] {
  if (!Array.isArray(value) || value.length === 0) return refuse("mainSteps: expected at least one step");
  const names = new Set<string>();
  for (const step of value as DocumentStep[]) {
    if (step.action !== "aws:runShellScript")
      refuse(`step ${step.name}: the stand-in runs aws:runShellScript only, got ${step.action}`);
    if (!/^[a-zA-Z0-9_]+$/.test(step.name ?? ""))
      refuse(`step name ${JSON.stringify(step.name)}: letters, digits and _`);
    if (names.has(step.name)) refuse(`step name ${step.name} is used twice`);
    names.add(step.name);
    const unknown = Object.keys(step).find((field) => !stepFields.has(field));
    if (unknown) refuse(`step ${step.name}: unknown property ${unknown}`);
    const lines: unknown = step.inputs?.runCommand;
    if (!Array.isArray(lines) || !lines.every((line) => typeof line === "string"))
      refuse(`step ${step.name}: inputs.runCommand must be a list of strings`);
    const onFailure: unknown = step.inputs.onFailure;
    if (onFailure !== undefined && onFailure !== "exit" && onFailure !== "successAndExit")
      refuse(`step ${step.name}: onFailure ${onFailure}`);
  }
  return value as DocumentStep[];
}

function refuseUnknownReferences(
  steps: readonly DocumentStep[],
  parameters: Readonly<Record<string, DocumentParameter>>,
): void {
  for (const match of JSON.stringify(steps).matchAll(/\{\{\s*([^}\s]+)\s*\}\}/g)) {
    const name = match[1]!;
    if (!(name in parameters) && !name.startsWith("platform:"))
      refuse(`{{ ${name} }} is not among the document's parameters`);
  }
}
