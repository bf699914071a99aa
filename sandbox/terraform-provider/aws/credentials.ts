import { text, type Values } from "../values.ts";
import type { Credentials } from "./client.ts";

/** Where the key pair comes from: the provider's configuration, the environment, a container's endpoint. */
export function credentialsOf(config: Values): () => Promise<Credentials> {
  const { env } = process;
  const accessKeyId = text(config.access_key) ?? env.AWS_ACCESS_KEY_ID;
  const secretAccessKey = text(config.secret_key) ?? env.AWS_SECRET_ACCESS_KEY;
  const sessionToken = text(config.token) ?? env.AWS_SESSION_TOKEN;
  if (accessKeyId && secretAccessKey) {
    const fixed = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
    return async () => fixed;
  }
  const address = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  if (!address)
    throw new Error(
      "No valid credential sources found: expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_CONTAINER_CREDENTIALS_FULL_URI",
    );
  let asked: Promise<Credentials> | undefined;
  return () => {
    asked ??= fromContainer(address);
    return asked;
  };
}

async function fromContainer(address: string): Promise<Credentials> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`credentials of ${address}: expected status 200, got ${answer.status}`);
  const { AccessKeyId, SecretAccessKey, Token } = (await answer.json()) as Record<string, string>;
  return {
    accessKeyId: AccessKeyId!,
    secretAccessKey: SecretAccessKey!,
    ...(Token ? { sessionToken: Token } : {}),
  };
}
