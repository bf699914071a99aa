import type { DataSource } from "../../resource.ts";
import { text } from "../../values.ts";
import { secretsManager, tagsOf } from "./api.ts";

function isoDate(seconds: unknown): string | null {
  return typeof seconds === "number" ? new Date(seconds * 1000).toISOString() : null;
}

export const secretData: DataSource = {
  rules: { source: "secretsmanager/secret_data_source.go", exactlyOne: [["arn", "name"]] },
  async read(config, context) {
    const SecretId = text(config.arn) ?? text(config.name);
    const found = await secretsManager(context, config, "DescribeSecret", { SecretId });
    const policy = await secretsManager(context, config, "GetResourcePolicy", { SecretId });
    return {
      id: String(found.ARN),
      arn: String(found.ARN),
      name: String(found.Name),
      description: (found.Description as string | undefined) ?? "",
      kms_key_id: (found.KmsKeyId as string | undefined) ?? "",
      policy: (policy.ResourcePolicy as string | undefined) ?? "",
      created_date: isoDate(found.CreatedDate),
      last_changed_date: isoDate(found.LastChangedDate),
      tags: tagsOf(found),
    };
  },
};

export const secretVersionData: DataSource = {
  async read(config, context) {
    const version = text(config.version_id);
    const stage = text(config.version_stage) ?? "AWSCURRENT";
    const found = await secretsManager(context, config, "GetSecretValue", {
      SecretId: config.secret_id,
      ...(version ? { VersionId: version } : { VersionStage: stage }),
    });
    return {
      id: `${String(config.secret_id)}|${version ?? stage}`,
      arn: String(found.ARN),
      created_date: isoDate(found.CreatedDate),
      secret_string: (found.SecretString as string | undefined) ?? "",
      secret_binary: (found.SecretBinary as string | undefined) ?? "",
      version_id: String(found.VersionId),
      version_stages: (found.VersionStages ?? []) as string[],
    };
  },
};
