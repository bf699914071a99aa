import type { Context } from "../../resource.ts";
import { text, type Values } from "../../values.ts";
import { AwsFailure } from "../client.ts";

export type Answer = Readonly<Record<string, unknown>>;

export function secretsManager(
  context: Context,
  values: Values,
  operation: string,
  input: object,
): Promise<Answer> {
  const region = text(values.region) ?? context.region;
  return context.aws.json("secretsmanager", `secretsmanager.${operation}`, input, region);
}

/** Gone, or marked for deletion: both are "not there" to Terraform. */
export function isGone(error: unknown): boolean {
  if (!(error instanceof AwsFailure)) return false;
  if (error.code === "ResourceNotFoundException") return true;
  return error.code === "InvalidRequestException" && /marked for deletion|was deleted/.test(error.message);
}

/** The answer, undefined when the secret is gone. */
export async function unlessGone(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

export function tagsOf(answer: Answer): Record<string, string> {
  const list = (answer.Tags ?? []) as { Key: string; Value: string }[];
  return Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
}
