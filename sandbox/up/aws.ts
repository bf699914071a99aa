import { join } from "node:path";
import { StandIn } from "./stand-in.ts";

export interface AwsReady {
  readonly url: string;
  readonly pid: number;
}

export interface AwsOptions {
  readonly dir: string;
  readonly region?: string;
}

export type AwsHandle = StandIn<AwsReady>;

/** Starts the AWS stand-in; the same folder gets the same port again, so addresses outlive a restart. */
export function startAws({ dir, region = "us-east-1" }: AwsOptions): Promise<AwsHandle> {
  return StandIn.start({
    name: "aws",
    script: "aws/main.ts",
    parameters: ["--dir", dir, "--port", "0", "--region", region],
    logFile: join(dir, "..", "aws.log"),
  });
}

/** Calls `/_sandbox/<path>` of the AWS stand-in: faults, journal, settings, instances. Throws with its answer on failure. */
export async function steerAws<Answer>(
  url: string,
  path: string,
  body?: object,
  method = body ? "POST" : "GET",
): Promise<Answer> {
  const answer = await fetch(`${url}/_sandbox/${path}`, {
    method,
    ...(body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} /_sandbox/${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

/**
 * The environment in which the AWS SDK talks to the stand-in with the credentials of an instance's role, fetched as on
 * a real machine and not written down anywhere.
 */
export function awsEnvironment(url: string, role: string, region = "us-east-1"): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: region,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/_sandbox/credentials/role/${role}`,
  };
}
