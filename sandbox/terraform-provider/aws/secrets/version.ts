/** aws_secretsmanager_secret_version */
import { randomUUID } from "node:crypto";
import type { Change, Context, Resource } from "../../resource.ts";
import { elements, isUnknown, text, type Values } from "../../values.ts";
import { isGone, secretsManager, unlessGone } from "./api.ts";

const current = "AWSCURRENT";

/** The two parts of the id, `<secret>|<version>`. */
function parts(state: Values): { SecretId: string; VersionId: string } {
  const [SecretId, VersionId] = String(state.id).split("|");
  if (!SecretId || !VersionId)
    throw new Error(`unexpected format of ID (${state.id}), expected SecretID|VersionID`);
  return { SecretId, VersionId };
}

function stagesOf(values: Values): string[] {
  return elements(values.version_stages).filter((each) => typeof each === "string");
}

async function versions(
  context: Context,
  state: Values,
): Promise<{ VersionId: string; VersionStages: string[] }[]> {
  const { SecretId } = parts(state);
  const listed = await secretsManager(context, state, "ListSecretVersionIds", { SecretId });
  return (listed.Versions ?? []) as { VersionId: string; VersionStages: string[] }[];
}

async function update({ prior, planned }: Change, context: Context): Promise<Values | undefined> {
  const { SecretId, VersionId } = parts(prior);
  const before = stagesOf(prior);
  const after = stagesOf(planned);
  for (const VersionStage of after.filter((stage) => !before.includes(stage))) {
    const all = VersionStage === current ? await versions(context, prior) : [];
    const holder = all.find(({ VersionStages }) => VersionStages.includes(current));
    await secretsManager(context, prior, "UpdateSecretVersionStage", {
      SecretId,
      VersionStage,
      MoveToVersionId: VersionId,
      ...(holder ? { RemoveFromVersionId: holder.VersionId } : {}),
    });
  }
  for (const VersionStage of before.filter((stage) => !after.includes(stage) && stage !== current))
    await secretsManager(context, prior, "UpdateSecretVersionStage", {
      SecretId,
      VersionStage,
      RemoveFromVersionId: VersionId,
    });
  return undefined;
}

export const secretVersion: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/secretsmanager/secret_version.go",
    forceNew: ["secret_id", "secret_binary", "secret_string", "secret_string_wo_version"],
    conflicts: [["secret_string", "secret_binary", "secret_string_wo"]],
    check: ({ secret_string_wo: value, secret_string_wo_version: version }) =>
      (value === null) === (version === null)
        ? []
        : [
            {
              path: value === null ? "secret_string_wo_version" : "secret_string_wo",
              says: "secret_string_wo and secret_string_wo_version must be specified together",
            },
          ],
  },
  async create({ planned, config }, context) {
    const binary = text(planned.secret_binary);
    const stages = isUnknown(planned.version_stages) ? [] : stagesOf(planned);
    const put = await secretsManager(context, planned, "PutSecretValue", {
      SecretId: planned.secret_id,
      ClientRequestToken: randomUUID(),
      SecretString: text(planned.secret_string) ?? text(config.secret_string_wo),
      SecretBinary: binary,
      ...(stages.length > 0 ? { VersionStages: stages } : {}),
    });
    const version = String(put.VersionId);
    return {
      id: `${planned.secret_id}|${version}`,
      version_id: version,
      has_secret_string_wo: text(config.secret_string_wo) === undefined ? null : true,
    };
  },
  async read(state, context) {
    const found = await unlessGone(secretsManager(context, state, "GetSecretValue", parts(state)));
    if (!found) return undefined;
    return {
      arn: String(found.ARN),
      secret_id: parts(state).SecretId,
      version_id: String(found.VersionId),
      version_stages: (found.VersionStages ?? []) as string[],
      secret_binary: (found.SecretBinary as string | undefined) ?? state.secret_binary ?? null,
      secret_string:
        state.has_secret_string_wo === true ? null : ((found.SecretString as string | undefined) ?? null),
    };
  },
  update,
  async delete(state, context) {
    // AWSCURRENT can't be taken away: such a version stays until the secret goes, as with the real provider.
    for (const VersionStage of stagesOf(state).filter((stage) => stage !== current)) {
      const { SecretId, VersionId } = parts(state);
      try {
        await secretsManager(context, state, "UpdateSecretVersionStage", {
          SecretId,
          VersionStage,
          RemoveFromVersionId: VersionId,
        });
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
  },
};
