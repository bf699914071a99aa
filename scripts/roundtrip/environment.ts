import Ajv2020 from "ajv/dist/2020.js";
import { RoundtripError } from "../../core/errors.ts";
import type { Environment } from "../../core/failback/documents.ts";
import type { Parameters } from "../../core/ports.ts";
import schema from "../../schemas/environment.schema.json" with { type: "json" };

/** Name of the SSM parameter that Terraform publishes an environment's identifiers in. */
export function environmentParameter(name: string): string {
  return `/roundtrip/${name}/environment`;
}

/** Reads and checks the published environment. Fails with kind `configuration`, naming the parameter. */
export async function loadEnvironment(parameters: Parameters, name: string): Promise<Environment> {
  const parameter = environmentParameter(name);
  const text = await parameters.get(parameter);
  const problem = (got: string, cause?: unknown) =>
    new RoundtripError(
      {
        kind: "configuration",
        what: `read the SSM parameter ${parameter}`,
        expected: "a document by schemas/environment.schema.json",
        got,
        wayOut: `apply the stack of environment ${name}, or check --env and the AWS account`,
      },
      { cause },
    );
  if (text === undefined) throw problem("no such parameter");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw problem("text that is not JSON", cause);
  }
  const validate = new Ajv2020({ allErrors: true }).compile<Environment>(schema);
  if (validate(value)) return value;
  throw problem((validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`).join("; "));
}
