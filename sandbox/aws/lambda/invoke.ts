import { randomUUID } from "node:crypto";
import type { Identities } from "../identity.ts";
import { optionalNumber, requiredText } from "../input.ts";
import { AwsError, type ServiceContext } from "../service.ts";
import { functionArn } from "./configuration.ts";
import { invoke, type Outcome } from "./run.ts";
import type { LambdaFunction } from "./store.ts";

const payloadBytesMax = 6 * 1024 * 1024;
const sessionMs = 3_600_000;

/** How a call is run: at once, or queued for whoever doesn't wait. */
export interface Calls {
  now(event: string): Promise<Outcome>;
  later(event: string): void;
}

/** Runs a function on the request's event and answers with its result, its failure, and the tail of its log; or queues it. */
export async function invokeFunction(request: Request, calls: Calls): Promise<Response> {
  const type = request.headers.get("x-amz-invocation-type") ?? "RequestResponse";
  if (type === "DryRun") return new Response(null, { status: 204 });
  if (type !== "RequestResponse" && type !== "Event")
    throw new AwsError("InvalidParameterValueException", `there is no invocation type ${type}`, 400);
  const event = (await request.text()) || "{}";
  if (event.length > payloadBytesMax) {
    throw new AwsError(
      "RequestEntityTooLargeException",
      `Request must be smaller than ${payloadBytesMax} bytes for the InvokeFunction operation`,
      413,
    );
  }
  try {
    JSON.parse(event);
  } catch {
    throw new AwsError("InvalidRequestContentException", "Could not parse request body into json", 400);
  }
  if (type === "Event") {
    calls.later(event);
    return new Response(null, { status: 202 });
  }
  const outcome = await calls.now(event);
  const headers: Record<string, string> = {
    "x-amz-executed-version": "$LATEST",
    "content-type": "application/json",
  };
  if (outcome.error !== undefined) headers["x-amz-function-error"] = outcome.error;
  if (request.headers.get("x-amz-log-type") === "Tail") {
    headers["x-amz-log-result"] = Buffer.from(outcome.log.slice(-4096)).toString("base64");
  }
  return new Response(outcome.payload, { headers });
}

/** Runs a function once, in its own environment. */
export function runFunction(
  found: LambdaFunction,
  event: string,
  identities: Identities,
  context: ServiceContext,
  { requestId = randomUUID(), signal }: { requestId?: string; signal?: AbortSignal } = {},
): Promise<Outcome> {
  const { settings } = found;
  return invoke({
    functionName: found.name,
    arn: functionArn(found.name, context),
    handler: requiredText(settings, "Handler"),
    root: found.root,
    timeoutSeconds: optionalNumber(settings, "Timeout") ?? 3,
    memoryMegabytes: optionalNumber(settings, "MemorySize") ?? 128,
    variables: variables(found, identities, context),
    event,
    requestId,
    ...(signal ? { signal } : {}),
  });
}

/** The environment of a handler: its own variables, its role's keys, and the way back to this stand-in. */
function variables(
  found: LambdaFunction,
  identities: Identities,
  context: ServiceContext,
): Record<string, string> {
  const own =
    (found.settings.Environment as { Variables?: Record<string, string> } | undefined)?.Variables ?? {};
  const session = identities.createSession(
    requiredText(found.settings, "Role"),
    found.name,
    context.now().getTime() + sessionMs,
  );
  return {
    AWS_ENDPOINT_URL: context.url(),
    ...own,
    AWS_REGION: context.region,
    AWS_DEFAULT_REGION: context.region,
    AWS_LAMBDA_FUNCTION_NAME: found.name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_ACCESS_KEY_ID: session.accessKeyId,
    AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
    AWS_SESSION_TOKEN: session.sessionToken ?? "",
    LAMBDA_TASK_ROOT: found.root,
  };
}
