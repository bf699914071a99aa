import { isSameSecret } from "../credentials/secret-fields.ts";
import type { Check } from "../failback/documents.ts";
import type { ReplicationEndpoint, TaskLink } from "./ports.ts";

/**
 * Each target endpoint of the tasks reads its login from the secret that is rotated. One with user and password in
 * clear text would go on with the old ones, or fail.
 */
export function secretChecks(
  endpoints: readonly ReplicationEndpoint[],
  links: readonly TaskLink[],
  secret: string,
): Check[] {
  const targets = [...new Set(links.map(({ targetEndpointArn }) => targetEndpointArn))];
  return targets.map((arn) => {
    const endpoint = endpoints.find((each) => each.arn === arn);
    const found = endpoint?.secret;
    const ok = found !== undefined && isSameSecret(found, secret);
    const got = !endpoint
      ? "no such endpoint"
      : found
        ? `secret ${found}`
        : "user and password in clear text";
    return {
      name: `target endpoint ${endpoint?.id ?? arn} reads secret ${secret}`,
      ok,
      expected: `SecretsManagerSecretId ${secret}`,
      got,
      ...(ok ? {} : { wayOut: wayOut(endpoint, secret) }),
    };
  });
}

function wayOut(endpoint: ReplicationEndpoint | undefined, secret: string): string {
  if (!endpoint) return "run apply, so that tasks and endpoints are as tasks.yaml says";
  return `pause the endpoint's tasks (tasks-pause), set secrets_manager_arn to ${secret} and take username, password, server_name and port out of endpoint ${endpoint.id} in Terraform, apply, resume; then run this again`;
}

/**
 * No endpoint and no running task needs a user any more: none names it in clear text, and each running task on the
 * secret was started after the secret had got its new user, because DMS logs in when a task starts.
 */
export function unusedChecks(
  found: {
    readonly endpoints: readonly ReplicationEndpoint[];
    readonly links: readonly TaskLink[];
    readonly runningArns: ReadonlySet<string>;
  },
  old: { readonly username: string; readonly secret: string; readonly promotedAt: Date },
): Check[] {
  const inClear = found.endpoints.filter(({ username }) => username === old.username).map(({ id }) => id);
  const clear: Check = {
    name: `no endpoint names ${old.username}`,
    ok: inClear.length === 0,
    expected: "none",
    got: inClear.join(", ") || "none",
    ...(inClear.length > 0 ? { wayOut: "let these endpoints read their login from a secret first" } : {}),
  };
  const onSecret = new Set(
    found.endpoints.filter(({ secret }) => secret && isSameSecret(secret, old.secret)).map(({ arn }) => arn),
  );
  const running = found.links.filter(
    ({ targetEndpointArn, taskArn }) => onSecret.has(targetEndpointArn) && found.runningArns.has(taskArn),
  );
  // DMS tells times in whole seconds, and the promotion may lie in the same one.
  const since = Math.floor(old.promotedAt.getTime() / 1000) * 1000;
  return [clear, ...running.map((link) => startedSince(link, since, old.username))];
}

function startedSince({ taskId, startedAt }: TaskLink, since: number, username: string): Check {
  const ok = startedAt !== undefined && startedAt.getTime() >= since;
  return {
    name: `DMS task ${taskId} has logged in anew`,
    ok,
    expected: `started after ${new Date(since).toISOString()}, when the secret got its new user`,
    got: startedAt ? `runs since ${startedAt.toISOString()}` : "DMS doesn't say since when it runs",
    ...(ok
      ? {}
      : {
          wayOut: `it may still be logged in as ${username}: run tasks-pause and tasks-resume for ${taskId}, then this again`,
        }),
  };
}
