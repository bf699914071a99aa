import { type Input, optionalText, textList } from "../input.ts";
import { AwsError, type RequestContext } from "../service.ts";
import { date } from "./describe.ts";
import { dayMs } from "./life.ts";
import type { Secret, SecretStore } from "./store.ts";
import { addVersion, chooseVersion } from "./versions.ts";

export function update(store: SecretStore, secret: Secret, input: Input, context: RequestContext): object {
  const now = context.now().getTime();
  return store.atomically(() => {
    store.save({
      ...secret,
      description: optionalText(input, "Description") ?? secret.description,
      kmsKeyId: optionalText(input, "KmsKeyId") ?? secret.kmsKeyId,
      changed: now,
    });
    const version = addVersion(store, secret, input, ["AWSCURRENT"], now);
    return { ARN: secret.arn, Name: secret.name, VersionId: version?.id };
  });
}

export function putValue(store: SecretStore, secret: Secret, input: Input, context: RequestContext): object {
  const now = context.now().getTime();
  const stages = textList(input, "VersionStages");
  return store.atomically(() => {
    // The very first version is current, whatever stages it is given.
    const first = store.versions(secret.arn).length === 0;
    const wanted =
      stages.length === 0 ? ["AWSCURRENT"] : first ? [...new Set([...stages, "AWSCURRENT"])] : stages;
    const version = addVersion(store, secret, input, wanted, now);
    if (version === undefined)
      throw new AwsError("InvalidRequestException", "You must provide either SecretString or SecretBinary.");
    store.save({ ...secret, changed: now });
    return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: version.stages };
  });
}

export function getValue(store: SecretStore, secret: Secret, input: Input, context: RequestContext): object {
  const version = chooseVersion(store, secret, input);
  const day = Math.floor(context.now().getTime() / dayMs) * dayMs;
  if (secret.accessed !== day) store.save({ ...secret, accessed: day });
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    SecretString: version.text ?? undefined,
    SecretBinary: version.binary ?? undefined,
    VersionStages: version.stages,
    CreatedDate: date(version.created),
  };
}
