import { randomBytes, randomUUID } from "node:crypto";
import {
  flag,
  type Input,
  objectList,
  optionalNumber,
  optionalText,
  pageOf,
  requiredText,
  tagList,
  tagsOf,
  textList,
} from "../input.ts";
import {
  AwsError,
  type JsonService,
  type RequestContext,
  type Service,
  type ServiceContext,
} from "../service.ts";
import { randomPassword } from "./random-password.ts";
import { type Secret, SecretStore } from "./store.ts";
import { addVersion, chooseVersion, moveStage } from "./versions.ts";

const dayMs = 86_400_000;

function stagesById(store: SecretStore, secret: Secret): Record<string, readonly string[]> {
  return Object.fromEntries(
    store
      .versions(secret.arn)
      .filter(({ stages }) => stages.length > 0)
      .map(({ id, stages }) => [id, stages]),
  );
}

function date(milliseconds: number | null): Date | undefined {
  return milliseconds === null ? undefined : new Date(milliseconds);
}

function described(secret: Secret): Record<string, unknown> {
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description ?? undefined,
    KmsKeyId: secret.kmsKeyId ?? undefined,
    CreatedDate: date(secret.created),
    LastChangedDate: date(secret.changed),
    LastAccessedDate: date(secret.accessed),
    DeletedDate: date(secret.deleted),
    Tags: tagList(secret.tags),
  };
}

function createSecret(store: SecretStore, input: Input, context: RequestContext): object {
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

function deleteSecret(store: SecretStore, secret: Secret, input: Input, context: RequestContext): object {
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

function update(store: SecretStore, secret: Secret, input: Input, context: RequestContext): object {
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

function putValue(store: SecretStore, secret: Secret, input: Input, context: RequestContext): object {
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

function getValue(store: SecretStore, secret: Secret, input: Input, context: RequestContext): object {
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

function list(store: SecretStore, input: Input, context: RequestContext): object {
  const all = store
    .all(context.now().getTime())
    .filter((secret) => secret.deletion === null || flag(input, "IncludePlannedDeletion"));
  const chosen = objectList(input, "Filters").reduce((rest, filter) => {
    const key = requiredText(filter, "Key");
    const values = textList(filter, "Values");
    return rest.filter((secret) =>
      values.some((value) => fieldsOf(secret, key).some((field) => field.startsWith(value))),
    );
  }, all);
  const { page, NextToken } = pageOf(chosen, input, 100);
  return {
    SecretList: page.map((secret) => ({
      ...described(secret),
      SecretVersionsToStages: stagesById(store, secret),
    })),
    NextToken,
  };
}

function fieldsOf(secret: Secret, key: string): string[] {
  switch (key) {
    case "name":
      return [secret.name];
    case "description":
      return [secret.description ?? ""];
    case "tag-key":
      return Object.keys(secret.tags);
    case "tag-value":
      return Object.values(secret.tags);
    case "all":
      return [secret.name, secret.description ?? "", ...Object.entries(secret.tags).flat()];
    default:
      throw new AwsError("InvalidParameterException", `the stand-in has no filter ${key}`);
  }
}

type OnSecret = (store: SecretStore, secret: Secret, input: Input, context: RequestContext) => object;

/** Operations refused while the secret is marked for deletion. */
const onLiving: Readonly<Record<string, OnSecret>> = {
  GetSecretValue: getValue,
  PutSecretValue: putValue,
  UpdateSecret: update,
  UpdateSecretVersionStage: (store, secret, input) => {
    const to = optionalText(input, "MoveToVersionId");
    const from = optionalText(input, "RemoveFromVersionId");
    const stage = requiredText(input, "VersionStage");
    const holder = store.versions(secret.arn).find((version) => version.stages.includes(stage));
    if (holder !== undefined && holder.id !== to && holder.id !== from) {
      throw new AwsError(
        "InvalidParameterException",
        `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder.id}.`,
      );
    }
    store.atomically(() => moveStage(store, secret.arn, stage, to));
    return { ARN: secret.arn, Name: secret.name };
  },
  TagResource: (store, secret, input) => {
    store.save({ ...secret, tags: { ...secret.tags, ...tagsOf(input) } });
    return {};
  },
  UntagResource: (store, secret, input) => {
    const removed = textList(input, "TagKeys");
    store.save({
      ...secret,
      tags: Object.fromEntries(Object.entries(secret.tags).filter(([key]) => !removed.includes(key))),
    });
    return {};
  },
  PutResourcePolicy: (store, secret, input) => {
    store.save({ ...secret, policy: requiredText(input, "ResourcePolicy") });
    return { ARN: secret.arn, Name: secret.name };
  },
  DeleteResourcePolicy: (store, secret) => {
    store.save({ ...secret, policy: null });
    return { ARN: secret.arn, Name: secret.name };
  },
};

const onAny: Readonly<Record<string, OnSecret>> = {
  DescribeSecret: (store, secret) => ({
    ...described(secret),
    VersionIdsToStages: stagesById(store, secret),
  }),
  DeleteSecret: deleteSecret,
  RestoreSecret: (store, secret) => {
    store.save({ ...secret, deletion: null, deleted: null });
    return { ARN: secret.arn, Name: secret.name };
  },
  ListSecretVersionIds: (store, secret, input) => ({
    ARN: secret.arn,
    Name: secret.name,
    Versions: store
      .versions(secret.arn)
      .filter(({ stages }) => stages.length > 0 || flag(input, "IncludeDeprecated"))
      .map(({ id, stages, created }) => ({
        VersionId: id,
        VersionStages: stages,
        CreatedDate: date(created),
      })),
  }),
  GetResourcePolicy: (_store, secret) => ({
    ARN: secret.arn,
    Name: secret.name,
    ResourcePolicy: secret.policy ?? undefined,
  }),
};

class SecretsManager implements JsonService {
  readonly kind = "json";
  readonly name = "secretsmanager";
  readonly targetPrefix = "secretsmanager";
  readonly operations: JsonService["operations"];
  private store!: SecretStore;

  constructor() {
    this.operations = {
      CreateSecret: (input, context) =>
        createSecret(this.store, { ClientRequestToken: randomUUID(), ...input }, context),
      ListSecrets: (input, context) => list(this.store, input, context),
      GetRandomPassword: (input) => randomPassword(input),
      ...this.bind(onLiving, true),
      ...this.bind(onAny, false),
    };
  }

  start({ db }: ServiceContext): void {
    this.store = new SecretStore(db);
  }

  private bind(operations: Readonly<Record<string, OnSecret>>, living: boolean): JsonService["operations"] {
    return Object.fromEntries(
      Object.entries(operations).map(([name, operation]) => [
        name,
        (input: Input, context: RequestContext) =>
          operation(this.store, this.secret(input, context, living), input, context),
      ]),
    );
  }

  private secret(input: Input, context: RequestContext, living: boolean): Secret {
    const secret = this.store.find(requiredText(input, "SecretId"), context.now().getTime());
    if (secret === undefined)
      throw new AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
    if (living && secret.deletion !== null) {
      throw new AwsError(
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    }
    return secret;
  }
}

/** Secrets Manager: versions with staging labels, deletion with a recovery window in which the name stays taken. */
export function create(): Service[] {
  return [new SecretsManager()];
}
