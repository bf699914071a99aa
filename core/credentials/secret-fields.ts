/** What stands in a user's secret, and how a rotation changes it. Nothing here ever prints a value. */
import { randomBytes } from "node:crypto";
import { sha256Of } from "../sha256.ts";

export type SecretFields = Readonly<Record<string, string>>;

/** What DMS reads of an endpoint's secret. AWS DMS user guide, "Using secrets to access endpoints". */
export const endpointSecretKeys = ["username", "password", "host", "port"] as const;

/**
 * A new password: 43 characters of A–Z, a–z, 0–9, `_` and `-`, 256 random bits. DocumentDB takes 8 to 100 printable
 * ASCII characters without `/`, `"` and `@`, and needs no escaping of these in a connection string.
 */
export function newPassword(): string {
  return randomBytes(32).toString("base64url");
}

/** The user a secret logs in as: its `username`, or the one in its `uri`. */
export function usernameOf(fields: SecretFields): string | undefined {
  if (fields.username) return fields.username;
  const named = /^mongodb(?:\+srv)?:\/\/([^:@/]+)(?::[^@/]*)?@/.exec(fields.uri ?? "")?.[1];
  return named === undefined ? undefined : decodeURIComponent(named);
}

/** The same secret for another login: `username`, `password` and the login inside `uri`; every other field stays. */
export function withLogin(
  fields: SecretFields,
  login: { readonly username: string; readonly password: string },
): SecretFields {
  const { username, password } = login;
  if (!fields.uri) return { ...fields, username, password };
  const written = `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  const uri = fields.uri.replace(
    /^(mongodb(?:\+srv)?:\/\/)(?:[^@/]*@)?/,
    (_, scheme: string) => `${scheme}${written}`,
  );
  return { ...fields, username, password, uri };
}

/** The user that takes turns with `username`: `dms` and `dms_b`. */
export function alternateName(username: string): string {
  return username.endsWith("_b") ? username.slice(0, -2) : `${username}_b`;
}

/**
 * The id of the secret's version that an operation makes: the same for every try of it, so that Secrets Manager keeps
 * one version however often the request is sent (ClientRequestToken, 32 to 64 characters).
 */
export function versionIdOf(operationId: string, account: string): string {
  return sha256Of(`${operationId}\n${account}`);
}

/** True when both name one secret: by name, by ARN, or by ARN without the six characters Secrets Manager adds. */
export function isSameSecret(one: string, other: string): boolean {
  const names = namesIn(other);
  return namesIn(one).some((name) => names.includes(name));
}

/** A name stays; an ARN gives its name, and the name without what may be the suffix. */
function namesIn(secret: string): string[] {
  const inArn = /^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:(.+)$/.exec(secret)?.[1];
  return inArn === undefined ? [secret] : [inArn, inArn.replace(/-[A-Za-z0-9]{6}$/, "")];
}
