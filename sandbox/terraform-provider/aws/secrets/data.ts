import type { EphemeralResource } from "../../provider.ts";
import type { Context, DataSource } from "../../resource.ts";
import { text, type Values } from "../../values.ts";
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

async function readVersion(config: Values, context: Context): Promise<Values> {
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
}

export const secretVersionData: DataSource = { read: readVersion };

/** ephemeral "aws_secretsmanager_secret_version" (the registry's documentation; it is not in the schemas). */
export const secretVersionEphemeral: EphemeralResource = {
  schema: {
    version: 0,
    block: {
      attributes: {
        secret_id: { type: "string", required: true },
        ...Object.fromEntries(
          ["version_id", "version_stage", "region"].map((name) => [
            name,
            { type: "string", optional: true, computed: true },
          ]),
        ),
        arn: { type: "string", computed: true },
        created_date: { type: "string", computed: true },
        secret_binary: { type: "string", computed: true, sensitive: true },
        secret_string: { type: "string", computed: true, sensitive: true },
        version_stages: { type: ["list", "string"], computed: true },
      },
    },
  },
  open: (config, setup) => readVersion(config, { ...setup, type: "", block: {} }),
};
