import { flag, type Input, objectList, pageOf, requiredText, tagList, textList } from "../input.ts";
import { AwsError, type RequestContext } from "../service.ts";
import type { Secret, SecretStore } from "./store.ts";

export function stagesById(store: SecretStore, secret: Secret): Record<string, readonly string[]> {
  return Object.fromEntries(
    store
      .versions(secret.arn)
      .filter(({ stages }) => stages.length > 0)
      .map(({ id, stages }) => [id, stages]),
  );
}

export function date(milliseconds: number | null): Date | undefined {
  return milliseconds === null ? undefined : new Date(milliseconds);
}

export function described(secret: Secret): Record<string, unknown> {
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

export function list(store: SecretStore, input: Input, context: RequestContext): object {
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
