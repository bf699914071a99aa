/** aws_s3_bucket */
import { randomBytes } from "node:crypto";
import type { Context, Resource } from "../../resource.ts";
import { sameValue, text, type Values } from "../../values.ts";
import { AwsFailure } from "../client.ts";
import { allTags, readTags } from "../tags.ts";
import { escaped, isMissing, s3 } from "./api.ts";

function tagElements(values: Values): string {
  return Object.entries(allTags(values))
    .map(([key, value]) => `<Tag><Key>${escaped(key)}</Key><Value>${escaped(value)}</Value></Tag>`)
    .join("");
}

/** In us-east-1 AWS would let an owner make a bucket again: the provider looks first. */
async function isThere(bucket: string, values: Values, context: Context): Promise<boolean> {
  try {
    await s3(context, values, { operation: "HeadBucket", method: "HEAD", bucket });
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function putTags(bucket: string, values: Values, context: Context): Promise<void> {
  const tags = tagElements(values);
  const call = { bucket, setting: "tagging" };
  if (tags === "") await s3(context, values, { operation: "DeleteBucketTagging", method: "DELETE", ...call });
  else
    await s3(context, values, {
      operation: "PutBucketTagging",
      method: "PUT",
      body: `<Tagging><TagSet>${tags}</TagSet></Tagging>`,
      ...call,
    });
}

function unescaped(value: string): string {
  return value
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}

async function tagsOf(bucket: string, state: Values, context: Context): Promise<Record<string, string>> {
  try {
    const xml = await s3(context, state, {
      operation: "GetBucketTagging",
      method: "GET",
      bucket,
      setting: "tagging",
    });
    const pairs = xml.matchAll(/<Tag><Key>([^<]*)<\/Key><Value>([^<]*)<\/Value><\/Tag>/g);
    return Object.fromEntries([...pairs].map(([, key, value]) => [unescaped(key!), unescaped(value!)]));
  } catch (error) {
    if (error instanceof AwsFailure && error.code === "NoSuchTagSet") return {};
    throw error;
  }
}

/** `force_destroy`: every version and marker goes first. */
async function empty(bucket: string, state: Values, context: Context): Promise<void> {
  for (;;) {
    const xml = await s3(context, state, {
      operation: "ListObjectVersions",
      method: "GET",
      bucket,
      query: { versions: "" },
    });
    const found = [...xml.matchAll(/<Key>([^<]*)<\/Key>[\s\S]*?<VersionId>([^<]*)<\/VersionId>/g)];
    if (found.length === 0) return;
    for (const [, key, versionId] of found)
      await s3(context, state, {
        operation: "DeleteObject",
        method: "DELETE",
        bucket,
        key: unescaped(key!),
        query: { versionId: versionId! },
      });
  }
}

export const bucket: Resource = {
  rules: {
    source: "github.com/hashicorp/terraform-provider-aws internal/service/s3/bucket.go",
    forceNew: ["bucket", "bucket_prefix", "object_lock_enabled"],
    defaults: { force_destroy: false },
    conflicts: [["bucket", "bucket_prefix"]],
    pattern: {
      bucket: [
        {
          pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
          says: "must be 3 to 63 lowercase letters, digits, dots and hyphens",
        },
      ],
    },
  },
  async create({ planned }, context) {
    const name =
      text(planned.bucket) ??
      `${text(planned.bucket_prefix) ?? "terraform-"}${randomBytes(13).toString("hex")}`;
    if (context.region === "us-east-1" && (await isThere(name, planned, context)))
      throw new Error(`creating S3 Bucket (${name}): BucketAlreadyExists`);
    // Since 6.23 a bucket is made with its tags, in one call (hashicorp/terraform-provider-aws#45251).
    const tags = tagElements(planned);
    const body = tags && `<CreateBucketConfiguration><Tags>${tags}</Tags></CreateBucketConfiguration>`;
    await s3(context, planned, { operation: "CreateBucket", method: "PUT", bucket: name, body });
    return { id: name, bucket: name };
  },
  async read(state, context) {
    const name = String(state.id);
    try {
      await s3(context, state, {
        operation: "GetBucketLocation",
        method: "GET",
        bucket: name,
        query: { location: "" },
      });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    const region = text(state.region) ?? context.region;
    return {
      id: name,
      bucket: name,
      arn: `arn:aws:s3:::${name}`,
      bucket_domain_name: `${name}.s3.amazonaws.com`,
      bucket_regional_domain_name: `${name}.s3.${region}.amazonaws.com`,
      bucket_region: region,
      bucket_prefix: state.bucket_prefix ?? "",
      hosted_zone_id: "Z3AQBSTGFYJSTF",
      object_lock_enabled: state.object_lock_enabled === true,
      ...readTags(await tagsOf(name, state, context), state, context),
    };
  },
  async update({ prior, planned }, context) {
    if (!sameValue(prior.tags_all, planned.tags_all)) await putTags(String(prior.id), planned, context);
    return undefined;
  },
  async delete(state, context) {
    const name = String(state.id);
    try {
      if (state.force_destroy === true) await empty(name, state, context);
      await s3(context, state, { operation: "DeleteBucket", method: "DELETE", bucket: name });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  },
};
