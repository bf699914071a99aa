/** aws_secretsmanager_secret */
import { randomBytes } from "node:crypto";
import type { Change, Context, Resource } from "../../resource.ts";
import { sameValue, text, type Values } from "../../values.ts";
import { readTags, tagChanges, tagList } from "../tags.ts";
import { waitFor } from "../wait.ts";
import { isGone, secretsManager, tagsOf, unlessGone } from "./api.ts";

async function update({ prior, planned }: Change, context: Context): Promise<Values | undefined> {
  const SecretId = prior.arn;
  const changed = (name: string) => !sameValue(prior[name], planned[name]);
  if (changed("description") || changed("kms_key_id"))
    await secretsManager(context, prior, "UpdateSecret", {
      SecretId,
      Description: planned.description ?? "",
      KmsKeyId: planned.kms_key_id ?? undefined,
    });
  if (changed("policy") && text(planned.policy))
    await secretsManager(context, prior, "PutResourcePolicy", { SecretId, ResourcePolicy: planned.policy });
  if (changed("policy") && !text(planned.policy))
    await secretsManager(context, prior, "DeleteResourcePolicy", { SecretId });
  const { add, remove } = tagChanges(prior, planned);
  if (remove.length > 0) await secretsManager(context, prior, "UntagResource", { SecretId, TagKeys: remove });
  if (add.length > 0) await secretsManager(context, prior, "TagResource", { SecretId, Tags: add });
  return undefined;
}

export const secret: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/secretsmanager/secret.go",
    forceNew: ["name", "name_prefix"],
    defaults: { force_overwrite_replica_secret: false, recovery_window_in_days: 30 },
    json: ["policy"],
    conflicts: [["name", "name_prefix"]],
    pattern: {
      name: [
        {
          pattern: /^[0-9A-Za-z/_+=.@-]{1,512}$/,
          says: "must be 1 to 512 alphanumeric characters or any of /_+=.@-",
        },
      ],
    },
    check: ({ recovery_window_in_days: days }) =>
      typeof days === "number" && days !== 0 && (days < 7 || days > 30)
        ? [
            {
              path: "recovery_window_in_days",
              says: `expected 0 or a value in the range (7 - 30), got ${days}`,
            },
          ]
        : [],
  },
  async create({ planned }, context) {
    const prefix = text(planned.name_prefix) ?? "terraform-";
    const name = text(planned.name) ?? `${prefix}${randomBytes(13).toString("hex")}`;
    const created = await secretsManager(context, planned, "CreateSecret", {
      Name: name,
      Description: planned.description ?? undefined,
      KmsKeyId: planned.kms_key_id ?? undefined,
      Tags: tagList(planned),
    });
    const id = String(created.ARN);
    if (text(planned.policy))
      await secretsManager(context, planned, "PutResourcePolicy", {
        SecretId: id,
        ResourcePolicy: planned.policy,
      });
    return { id, arn: id };
  },
  async read(state, context) {
    const SecretId = state.id;
    const found = await unlessGone(secretsManager(context, state, "DescribeSecret", { SecretId }));
    if (!found || found.DeletedDate !== undefined) return undefined;
    const policy = await secretsManager(context, state, "GetResourcePolicy", { SecretId });
    return {
      id: String(found.ARN),
      arn: String(found.ARN),
      name: String(found.Name),
      name_prefix: state.name_prefix ?? "",
      description: (found.Description as string | undefined) ?? state.description ?? null,
      kms_key_id: (found.KmsKeyId as string | undefined) ?? null,
      policy: (policy.ResourcePolicy as string | undefined) ?? "",
      ...readTags(tagsOf(found), state, context),
    };
  },
  update,
  async delete(state, context) {
    const days = state.recovery_window_in_days;
    const window =
      days === 0 ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: days ?? undefined };
    try {
      await secretsManager(context, state, "DeleteSecret", { SecretId: state.id, ...window });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    await waitFor(`waiting for secret ${state.name} to be deleted`, async () => {
      const found = await unlessGone(
        secretsManager(context, state, "DescribeSecret", { SecretId: state.id }),
      );
      return found === undefined || found.DeletedDate !== undefined ? true : undefined;
    });
  },
};
