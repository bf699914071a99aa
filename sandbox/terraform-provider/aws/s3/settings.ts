/** The types that are one subresource of a bucket each: written as S3's documents, compared with what stands there. */
import type { Context, Resource, Rules } from "../../resource.ts";
import type { Block, Value, Values } from "../../values.ts";
import { blocks, element, isMissing, s3, textElement } from "./api.ts";

interface Setting {
  readonly setting: string;
  readonly operation: string;
  readonly document: (values: Values) => string;
  readonly rules?: Partial<Rules>;
}

const source = "github.com/hashicorp/terraform-provider-aws internal/service/s3";

function rule(values: Values): string {
  const [expiration] = blocks(values, "expiration");
  const [noncurrent] = blocks(values, "noncurrent_version_expiration");
  const [abort] = blocks(values, "abort_incomplete_multipart_upload");
  const [filter] = blocks(values, "filter");
  const transitions = blocks(values, "transition")
    .map(
      (each) =>
        `<Transition>${element("Days", each.days)}${element("StorageClass", each.storage_class)}</Transition>`,
    )
    .join("");
  const [tag] = filter ? blocks(filter, "tag") : [];
  const picks = tag
    ? `<Tag>${textElement("Key", tag.key)}${textElement("Value", tag.value)}</Tag>`
    : textElement("Prefix", filter?.prefix ?? values.prefix);
  return `<Rule>${textElement("ID", values.id)}<Filter>${picks}</Filter>${element("Status", values.status)}${transitions}${
    expiration
      ? `<Expiration>${element("Days", expiration.days)}${element("Date", expiration.date)}${element("ExpiredObjectDeleteMarker", expiration.expired_object_delete_marker)}</Expiration>`
      : ""
  }${
    noncurrent
      ? `<NoncurrentVersionExpiration>${element("NoncurrentDays", noncurrent.noncurrent_days)}${element("NewerNoncurrentVersions", noncurrent.newer_noncurrent_versions)}</NoncurrentVersionExpiration>`
      : ""
  }${
    abort
      ? `<AbortIncompleteMultipartUpload>${element("DaysAfterInitiation", abort.days_after_initiation)}</AbortIncompleteMultipartUpload>`
      : ""
  }</Rule>`;
}

function encryptionRule(values: Values): string {
  const [byDefault] = blocks(values, "apply_server_side_encryption_by_default");
  const algorithm = byDefault
    ? `<ApplyServerSideEncryptionByDefault>${element("SSEAlgorithm", byDefault.sse_algorithm)}${element("KMSMasterKeyID", byDefault.kms_master_key_id)}</ApplyServerSideEncryptionByDefault>`
    : "";
  return `<Rule>${algorithm}${element("BucketKeyEnabled", values.bucket_key_enabled)}</Rule>`;
}

const settings = {
  aws_s3_bucket_versioning: {
    setting: "versioning",
    operation: "BucketVersioning",
    document: (values) =>
      `<VersioningConfiguration>${element("Status", blocks(values, "versioning_configuration")[0]?.status)}</VersioningConfiguration>`,
    rules: { oneOf: { "versioning_configuration.status": ["Enabled", "Suspended", "Disabled"] } },
  },
  aws_s3_bucket_lifecycle_configuration: {
    setting: "lifecycle",
    operation: "BucketLifecycleConfiguration",
    document: (values) =>
      `<LifecycleConfiguration>${blocks(values, "rule").map(rule).join("")}</LifecycleConfiguration>`,
    rules: { oneOf: { "rule.status": ["Enabled", "Disabled"] } },
  },
  aws_s3_bucket_server_side_encryption_configuration: {
    setting: "encryption",
    operation: "BucketEncryption",
    document: (values) =>
      `<ServerSideEncryptionConfiguration>${blocks(values, "rule").map(encryptionRule).join("")}</ServerSideEncryptionConfiguration>`,
    rules: {
      oneOf: {
        "rule.apply_server_side_encryption_by_default.sse_algorithm": ["AES256", "aws:kms", "aws:kms:dsse"],
      },
    },
  },
  aws_s3_bucket_public_access_block: {
    setting: "publicAccessBlock",
    operation: "PublicAccessBlock",
    document: (values) =>
      `<PublicAccessBlockConfiguration>${element("BlockPublicAcls", values.block_public_acls)}${element("IgnorePublicAcls", values.ignore_public_acls)}${element("BlockPublicPolicy", values.block_public_policy)}${element("RestrictPublicBuckets", values.restrict_public_buckets)}</PublicAccessBlockConfiguration>`,
    rules: {
      defaults: {
        block_public_acls: false,
        block_public_policy: false,
        ignore_public_acls: false,
        restrict_public_buckets: false,
      },
    },
  },
  aws_s3_bucket_ownership_controls: {
    setting: "ownershipControls",
    operation: "BucketOwnershipControls",
    document: (values) =>
      `<OwnershipControls><Rule>${element("ObjectOwnership", blocks(values, "rule")[0]?.object_ownership)}</Rule></OwnershipControls>`,
    rules: {
      oneOf: { "rule.object_ownership": ["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"] },
    },
  },
  aws_s3_bucket_policy: {
    setting: "policy",
    operation: "BucketPolicy",
    document: (values) => String(values.policy),
    rules: { json: ["policy"] },
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** Every argument but the bucket emptied: so a plan shows them all as to be set again. */
function emptied(state: Values, block: Block): Values {
  const kept = ["id", "bucket", "region", "expected_bucket_owner", "timeouts"];
  const blank = (name: string): Value => (block.block_types?.[name] ? [] : null);
  return Object.fromEntries(
    Object.keys(state)
      .filter((name) => !kept.includes(name))
      .map((name) => [name, blank(name)]),
  );
}

function bucketSetting({ setting, operation, document, rules }: Setting): Resource {
  const put = async (values: Values, context: Context) => {
    const bucket = String(values.bucket);
    await s3(context, values, {
      operation: `Put${operation}`,
      method: "PUT",
      bucket,
      setting,
      body: document(values),
    });
    return { id: bucket };
  };
  return {
    rules: { source, ...rules, forceNew: ["bucket", "expected_bucket_owner"] },
    create: ({ planned }, context) => put(planned, context),
    update: ({ planned }, context) => put(planned, context),
    async read(state, context) {
      const bucket = String(state.id).split(",")[0]!;
      try {
        const found = await s3(context, state, {
          operation: `Get${operation}`,
          method: "GET",
          bucket,
          setting,
        });
        const values = { id: bucket, bucket };
        if (setting === "policy") return { ...values, policy: found };
        // Documents are kept as they were put: another text is somebody else's, and the plan sets ours again.
        return found === document({ ...state, bucket })
          ? values
          : { ...values, ...emptied(state, context.block) };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async delete(state, context) {
      const bucket = String(state.bucket);
      try {
        if (setting === "versioning") return;
        await s3(context, state, { operation: `Delete${operation}`, method: "DELETE", bucket, setting });
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

export const bucketSettingTypes: Readonly<Record<string, Resource>> = Object.fromEntries(
  Object.entries(settings).map(([type, setting]) => [type, bucketSetting(setting)]),
);
