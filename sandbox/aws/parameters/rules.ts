import { AwsError } from "../service.ts";

const standardBytesMax = 4096;
const advancedBytesMax = 8192;
const levelsMax = 15;

/** Throws ValidationException or HierarchyLevelLimitExceededException for a name Parameter Store doesn't take. */
export function checkName(name: string): void {
  if (
    !/^[a-zA-Z0-9_.\-/]{1,1011}$/.test(name) ||
    (name.includes("/") && !name.startsWith("/")) ||
    name.endsWith("/") ||
    name.includes("//")
  ) {
    throw new AwsError(
      "ValidationException",
      `Parameter name: can't be "${name}". It can be letters, digits and . - _, divided by / and then beginning with /.`,
    );
  }
  if (/^\/aws/i.test(name) && name.lastIndexOf("/") > 0) {
    throw new AwsError("AccessDeniedException", `No access to reserved parameter name: ${name}.`);
  }
  if (/^\/?(aws|ssm)/i.test(name)) {
    throw new AwsError(
      "ValidationException",
      `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`,
    );
  }
  if (name.split("/").length - 1 > levelsMax) {
    throw new AwsError(
      "HierarchyLevelLimitExceededException",
      `a hierarchy can have at most ${levelsMax} levels`,
    );
  }
}

/** The tier a value ends up in. Sizes are of the text in bytes. */
export function tierOf(requested: string, value: string): string {
  const size = Buffer.byteLength(value);
  if (value === "") throw new AwsError("ValidationException", "Parameter value: can't be empty.");
  if (size > advancedBytesMax) {
    throw new AwsError(
      "ValidationException",
      `Advanced tier parameters support a maximum parameter value of ${advancedBytesMax} characters.`,
    );
  }
  if (size <= standardBytesMax) return requested === "Advanced" ? "Advanced" : "Standard";
  if (requested === "Standard") {
    throw new AwsError(
      "ValidationException",
      `Standard tier parameters support a maximum parameter value of ${standardBytesMax} characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.`,
    );
  }
  return "Advanced";
}

/** Throws ParameterPatternMismatchException; InvalidAllowedPatternException where the pattern itself is wrong. */
export function checkPattern(pattern: string | undefined, value: string): void {
  if (pattern === undefined || pattern === "") return;
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${pattern})$`, "s");
  } catch {
    throw new AwsError("InvalidAllowedPatternException", `the pattern ${pattern} isn't a regular expression`);
  }
  if (!expression.test(value)) {
    throw new AwsError(
      "ParameterPatternMismatchException",
      `Parameter value, cannot be validated against allowedPattern: ${pattern}`,
    );
  }
}
