import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultCredentials } from "./identity.ts";
import { type AwsOptions, type AwsServer, startAws } from "./server.ts";

/** The AWS variables that lead SDK clients to an endpoint. */
export function awsVariables(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: defaultCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: defaultCredentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** Sets environment variables until disposed, then puts the old ones back. */
export function withVariables(variables: Readonly<Record<string, string>>): Disposable {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    },
  };
}

export interface TestAws extends AsyncDisposable {
  readonly url: string;
  readonly dir: string;
  /** A call to `/_sandbox/…`; gives the answer's JSON. Throws on any status but 2xx. */
  control(method: string, path: string, body?: object): Promise<unknown>;
  /** Stops the server and starts it again on the same directory and port. */
  restart(): Promise<void>;
}

export interface TestAwsOptions extends Pick<AwsOptions, "observe"> {
  /** What it keeps at the start: a copy of this directory. */
  readonly from?: string;
}

/** The stand-in inside a test, on a free port and in a directory of its own, with the AWS variables set to it. */
export async function startTestAws({ from, ...more }: TestAwsOptions = {}): Promise<TestAws> {
  const dir = mkdtempSync(join(tmpdir(), "aws-stand-in-"));
  if (from !== undefined) cpSync(from, dir, { recursive: true });
  const options = { ...more, dir, port: 0, region: "us-east-1" };
  let server: AwsServer = await startAws(options);
  const variables = withVariables(awsVariables(server.url));
  return {
    url: server.url,
    dir,
    async control(method, path, body) {
      const answer = await fetch(`${server.url}/_sandbox/${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const json: unknown = await answer.json();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
      return json;
    },
    async restart() {
      await server.stop();
      server = await startAws(options);
    },
    async [Symbol.asyncDispose]() {
      variables[Symbol.dispose]();
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
