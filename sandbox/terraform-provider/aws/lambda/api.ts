import type { Context } from "../../resource.ts";
import { text, type Values } from "../../values.ts";
import { AwsFailure } from "../client.ts";

export type Answer = Readonly<Record<string, unknown>>;

/** One call of Lambda's REST API below `/2015-03-31/functions`. */
export async function lambda(
  context: Context,
  values: Values,
  operation: string,
  method: string,
  path: string,
  input?: object,
): Promise<Answer> {
  const { body } = await context.aws.send({
    service: "lambda",
    operation,
    method,
    path: `/2015-03-31/functions${path}`,
    headers: { "content-type": "application/json" },
    ...(input ? { body: JSON.stringify(input) } : {}),
    region: text(values.region) ?? context.region,
  });
  const answer = Buffer.from(body).toString();
  return answer === "" ? {} : (JSON.parse(answer) as Answer);
}

/** Runs a function and gives its answer's text. Throws with it when the function failed. */
export async function invoke(
  context: Context,
  values: Values,
  name: string,
  payload: string,
): Promise<string> {
  const answer = await context.aws.send({
    service: "lambda",
    operation: "Invoke",
    path: `/2015-03-31/functions/${name}/invocations`,
    headers: { "content-type": "application/json" },
    body: payload,
    region: text(values.region) ?? context.region,
  });
  const result = Buffer.from(answer.body).toString();
  if (answer.headers.get("x-amz-function-error"))
    throw new Error(`invoking Lambda Function (${name}): ${result}`);
  return result;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof AwsFailure && error.code === "ResourceNotFoundException";
}
