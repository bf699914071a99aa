import { randomBytes } from "node:crypto";
import { flag, type Input, optionalNumber, optionalText, requiredText, tagsOf } from "../input.ts";
import { AwsError, type RequestContext } from "../service.ts";
import { date } from "./describe.ts";
import type { Secret, SecretStore } from "./store.ts";
import { addVersion } from "./versions.ts";

export const dayMs = 86_400_000;

export function createSecret(store: SecretStore, input: Input, context: RequestContext): object {
  const name = requiredText(input, "Name");
  const now = context.now().getTime();
  if (!/^[A-Za-z0-9/_+=.@!-]{1,512}$/.test(name)) {
    throw new AwsError(
      "ValidationException",
      "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
    );
  }
  const existing = store.find(name, now);
  if (existing?.deletion != null) {
    throw new AwsError(
      "InvalidRequestException",
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  }
  return store.atomically(() => {
    if (existing !== undefined) {
      const token = optionalText(input, "ClientRequestToken");
      const same = store.versions(existing.arn).find((version) => version.id === token);
      if (same !== undefined && same.text === (optionalText(input, "SecretString") ?? null)) {
        return { ARN: existing.arn, Name: name, VersionId: same.id };
      }
      throw new AwsError(
        "ResourceExistsException",
        `The operation failed because the secret ${name} already exists.`,
      );
    }
    const suffix = randomBytes(8).toString("base64url").replaceAll(/[-_]/g, "x").slice(0, 6);
    const secret: Secret = {
      arn: `arn:aws:secretsmanager:${context.region}:${context.account}:secret:${name}-${suffix}`,
      name,
      description: optionalText(input, "Description") ?? null,
      kmsKeyId: optionalText(input, "KmsKeyId") ?? null,
      tags: tagsOf(input),
      policy: null,
      created: now,
      changed: now,
      accessed: null,
      deletion: null,
      deleted: null,
    };
    store.save(secret);
    const version = addVersion(store, secret, input, ["AWSCURRENT"], now);
    return { ARN: secret.arn, Name: name, VersionId: version?.id };
  });
}

export function deleteSecret(
  store: SecretStore,
  secret: Secret,
  input: Input,
  context: RequestContext,
): object {
  const now = context.now().getTime();
  const force = flag(input, "ForceDeleteWithoutRecovery");
  const days = optionalNumber(input, "RecoveryWindowInDays");
  if (force && days !== undefined) {
    throw new AwsError(
      "InvalidParameterException",
      "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
    );
  }
  if (days !== undefined && (days < 7 || days > 30)) {
    throw new AwsError(
      "InvalidParameterException",
      "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
    );
  }
  if (force) store.remove(secret.arn);
  else store.save({ ...secret, deleted: now, deletion: now + (days ?? 30) * dayMs });
  return { ARN: secret.arn, Name: secret.name, DeletionDate: date(force ? now : now + (days ?? 30) * dayMs) };
}
