/** IAM and KMS. */
import { text } from "../../values.ts";
import { type StoredType, stored } from "./resource.ts";

const source = "github.com/hashicorp/terraform-provider-aws internal/service/iam";
const namePattern = (lengthMax: number) => ({
  name: [
    { pattern: /^[\w+=,.@-]*$/, says: "must match [\\w+=,.@-]" },
    { pattern: new RegExp(`^.{1,${lengthMax}}$`), says: `must be 1 to ${lengthMax} characters` },
  ],
});
const arn = (account: string, kind: string, path: unknown, name: string) =>
  `arn:aws:iam::${account}:${kind}${text(path as string) ?? "/"}${name}`;
const now = () => new Date().toISOString().replace(/\.\d+/, "");

const role: StoredType = {
  rules: {
    source: `${source}/role.go`,
    forceNew: ["name", "name_prefix", "path"],
    defaults: { force_detach_policies: false, max_session_duration: 3600, path: "/" },
    between: { max_session_duration: [3600, 43_200] },
    json: ["assume_role_policy"],
    conflicts: [["name", "name_prefix"]],
    pattern: namePattern(64),
  },
  id: (values, made) => made.name(values),
  computed: ({ path }, id, { account, random }) => ({
    name: id,
    arn: arn(account, "role", path, id),
    create_date: now(),
    unique_id: `AROA${random(17).toUpperCase()}`,
    managed_policy_arns: [],
  }),
};

const policy: StoredType = {
  rules: {
    source: `${source}/policy.go`,
    forceNew: ["name", "name_prefix", "path", "description"],
    defaults: { path: "/" },
    json: ["policy"],
    conflicts: [["name", "name_prefix"]],
    pattern: namePattern(128),
  },
  id: (values, made) => arn(made.account, "policy", values.path, made.name(values)),
  computed: (_values, id, { random }) => ({
    arn: id,
    name: id.slice(id.lastIndexOf("/") + 1),
    policy_id: `ANPA${random(17).toUpperCase()}`,
    attachment_count: 0,
  }),
};

const rolePolicy: StoredType = {
  rules: {
    source: `${source}/role_policy.go`,
    forceNew: ["name", "name_prefix", "role"],
    json: ["policy"],
    conflicts: [["name", "name_prefix"]],
  },
  // PutRolePolicy replaces the one that is there.
  isPut: true,
  id: (values, made) => `${String(values.role)}:${made.name(values)}`,
  computed: (_values, id) => ({ name: id.slice(id.indexOf(":") + 1) }),
};

const attachment: StoredType = {
  rules: { source: `${source}/role_policy_attachment.go`, forceNew: ["role", "policy_arn"] },
  // AttachRolePolicy of what is attached changes nothing.
  isPut: true,
  id: ({ role: name, policy_arn: policyArn }) => `${String(name)}/${String(policyArn)}`,
};

const instanceProfile: StoredType = {
  rules: {
    source: `${source}/instance_profile.go`,
    forceNew: ["name", "name_prefix", "path"],
    defaults: { path: "/" },
    conflicts: [["name", "name_prefix"]],
    pattern: namePattern(128),
  },
  id: (values, made) => made.name(values),
  computed: ({ path }, id, { account, random }) => ({
    name: id,
    arn: arn(account, "instance-profile", path, id),
    create_date: now(),
    unique_id: `AIPA${random(17).toUpperCase()}`,
  }),
};

const oidcProvider: StoredType = {
  rules: { source: `${source}/openid_connect_provider.go`, forceNew: ["url"] },
  id: ({ url }, { account }) =>
    `arn:aws:iam::${account}:oidc-provider/${String(url).replace(/^https:\/\//, "")}`,
  computed: (_values, id) => ({ arn: id, thumbprint_list: [] }),
};

const kmsKey: StoredType = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/kms/key.go",
    forceNew: ["customer_master_key_spec", "key_usage", "multi_region", "custom_key_store_id", "xks_key_id"],
    defaults: {
      bypass_policy_lockout_safety_check: false,
      customer_master_key_spec: "SYMMETRIC_DEFAULT",
      is_enabled: true,
      key_usage: "ENCRYPT_DECRYPT",
    },
    between: { deletion_window_in_days: [7, 30], rotation_period_in_days: [90, 2560] },
    json: ["policy"],
  },
  id: (_values, { random }) => {
    const digits = random(32);
    return [8, 12, 16, 20, 32]
      .map((end, index, all) => digits.slice(index ? all[index - 1] : 0, end))
      .join("-");
  },
  computed: (_values, id, { region, account }) => ({
    arn: `arn:aws:kms:${region}:${account}:key/${id}`,
    key_id: id,
    multi_region: false,
    rotation_period_in_days: 365,
  }),
};

const kmsAlias: StoredType = {
  rules: { source: "internal/service/kms/alias.go", forceNew: ["name", "name_prefix"] },
  id: (values, made) => made.name(values),
  computed: (values, id, { region, account }) => ({
    name: id,
    arn: `arn:aws:kms:${region}:${account}:${id}`,
    target_key_arn: String(values.target_key_id),
  }),
};

export const identityTypes = {
  aws_iam_role: stored(role),
  aws_iam_policy: stored(policy),
  aws_iam_role_policy: stored(rolePolicy),
  aws_iam_role_policy_attachment: stored(attachment),
  aws_iam_instance_profile: stored(instanceProfile),
  aws_iam_openid_connect_provider: stored(oidcProvider),
  aws_kms_key: stored(kmsKey),
  aws_kms_alias: stored(kmsAlias),
};
