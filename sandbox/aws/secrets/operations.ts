import { flag, type Input, optionalText, requiredText, tagsOf, textList } from "../input.ts";
import { AwsError, type RequestContext } from "../service.ts";
import { date, described, stagesById } from "./describe.ts";
import { deleteSecret } from "./life.ts";
import type { Secret, SecretStore } from "./store.ts";
import { getValue, putValue, update } from "./values.ts";
import { moveStage } from "./versions.ts";

export type OnSecret = (store: SecretStore, secret: Secret, input: Input, context: RequestContext) => object;

/** Operations refused while the secret is marked for deletion. */
export const onLiving: Readonly<Record<string, OnSecret>> = {
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

export const onAny: Readonly<Record<string, OnSecret>> = {
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
