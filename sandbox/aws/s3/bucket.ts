import { AwsError, type RequestContext } from "../service.ts";
import { childrenOf, childText, parseXml } from "../xml.ts";
import { xmlBody, xmlResponse } from "./documents.ts";
import type { Bucket } from "./schema.ts";
import type { Store } from "./store.ts";
import { bucketSettings, settingOf, type Target } from "./target.ts";

const owner = {
  ID: "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a",
  DisplayName: "sandbox",
};
const namespace = `xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`;

/** What a setting that was never put answers: a document, or the code and text of its error. */
const unset: Readonly<
  Record<string, { readonly body: string } | { readonly code: string; readonly message: string }>
> = {
  versioning: { body: `<VersioningConfiguration ${namespace}/>` },
  lifecycle: { code: "NoSuchLifecycleConfiguration", message: "The lifecycle configuration does not exist" },
  encryption: {
    body: `<ServerSideEncryptionConfiguration ${namespace}><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>`,
  },
  policy: { code: "NoSuchBucketPolicy", message: "The bucket policy does not exist" },
  publicAccessBlock: {
    code: "NoSuchPublicAccessBlockConfiguration",
    message: "The public access block configuration was not found",
  },
  tagging: { code: "NoSuchTagSet", message: "The TagSet does not exist" },
  cors: { code: "NoSuchCORSConfiguration", message: "The CORS configuration does not exist" },
  ownershipControls: {
    body: `<OwnershipControls ${namespace}><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>`,
  },
  acl: {
    body: `<AccessControlPolicy ${namespace}><Owner><ID>${owner.ID}</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>${owner.ID}</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`,
  },
  logging: { body: `<BucketLoggingStatus ${namespace}/>` },
  notification: { body: `<NotificationConfiguration ${namespace}/>` },
  requestPayment: {
    body: `<RequestPaymentConfiguration ${namespace}><Payer>BucketOwner</Payer></RequestPaymentConfiguration>`,
  },
  accelerate: { body: `<AccelerateConfiguration ${namespace}/>` },
  replication: {
    code: "ReplicationConfigurationNotFoundError",
    message: "The replication configuration was not found",
  },
  "object-lock": {
    code: "ObjectLockConfigurationNotFoundError",
    message: "Object Lock configuration does not exist for this bucket",
  },
  website: {
    code: "NoSuchWebsiteConfiguration",
    message: "The specified bucket does not have a website configuration",
  },
};

export function listBuckets(store: Store): Response {
  const buckets = store.db.query<Bucket, []>("SELECT * FROM s3_buckets ORDER BY name").all();
  return xmlResponse({
    ListAllMyBucketsResult: {
      Owner: owner,
      Buckets: {
        Bucket: buckets.map(({ name, created }) => ({ Name: name, CreationDate: new Date(created) })),
      },
    },
  });
}

export async function createBucket(
  request: Request,
  { bucket: name }: Target,
  store: Store,
  context: RequestContext,
): Promise<Response> {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes("..")) {
    throw new AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, { BucketName: name });
  }
  const text = await request.text();
  const body = text.trim() === "" ? undefined : parseXml(text);
  const region = body && childText(body, "LocationConstraint");
  const tags = /<Tags>(.*)<\/Tags>/s.exec(text)?.[1];
  const existing = store.db.query<Bucket, [string]>("SELECT * FROM s3_buckets WHERE name = ?").get(name);
  // Only us-east-1 lets an owner create a bucket again, and not with tags.
  if (existing !== null && (context.region !== "us-east-1" || tags !== undefined)) {
    throw new AwsError(
      "BucketAlreadyOwnedByYou",
      "Your previous request to create the named bucket succeeded and you already own it.",
      409,
    );
  }
  store.db.run("INSERT OR IGNORE INTO s3_buckets VALUES (?, ?, ?, '')", [
    name,
    context.now().getTime(),
    region || "us-east-1",
  ]);
  if (tags !== undefined) saveSetting(name, "tagging", `<Tagging><TagSet>${tags}</TagSet></Tagging>`, store);
  return new Response(null, { headers: { location: `/${name}` } });
}

export function headBucket({ bucket }: Target, store: Store): Response {
  return new Response(null, { headers: { "x-amz-bucket-region": store.bucket(bucket).region } });
}

export function getBucketLocation({ bucket }: Target, store: Store): Response {
  const { region } = store.bucket(bucket);
  return xmlResponse({ LocationConstraint: region === "us-east-1" ? "" : region });
}

export function deleteBucket({ bucket: name }: Target, store: Store): Response {
  store.bucket(name);
  if (store.versionPage(name, "", 0, 1).length > 0) {
    throw new AwsError("BucketNotEmpty", "The bucket you tried to delete is not empty", 409, {
      BucketName: name,
    });
  }
  const uploads = store.db.query("SELECT id FROM s3_uploads WHERE bucket = ? LIMIT 1").get(name);
  if (uploads !== null)
    throw new AwsError("BucketNotEmpty", "The bucket has uploads in progress", 409, { BucketName: name });
  store.db.transaction(() => {
    store.db.run("DELETE FROM s3_buckets WHERE name = ?", [name]);
    store.db.run("DELETE FROM s3_settings WHERE bucket = ?", [name]);
  })();
  return new Response(null, { status: 204 });
}

/** Get, put or delete of a bucket's subresource: stored and given back as it came. */
export async function bucketSetting(
  request: Request,
  { bucket: name, query }: Target,
  store: Store,
): Promise<Response> {
  const bucket = store.bucket(name);
  const setting = settingOf(query)!;
  if (request.method === "GET") return getSetting(bucket, setting, store);
  if (request.method === "DELETE") {
    store.db.run("DELETE FROM s3_settings WHERE bucket = ? AND setting = ?", [name, setting]);
    return new Response(null, { status: 204 });
  }
  if (setting === "versioning") {
    const status = childText(await xmlBody(request.clone() as Request), "Status");
    if (status !== "Enabled" && status !== "Suspended")
      throw new AwsError("MalformedXML", "expected Status Enabled or Suspended", 400);
    store.db.run("UPDATE s3_buckets SET versioning = ? WHERE name = ?", [status, name]);
  }
  const body = await request.text();
  if (setting === "policy") checkPolicy(body);
  else if (body !== "") checkDocument(body, setting);
  saveSetting(name, setting, body, store);
  return new Response(null, { status: setting === "policy" ? 204 : 200 });
}

function saveSetting(bucket: string, setting: string, body: string, store: Store): void {
  store.db.run("INSERT OR REPLACE INTO s3_settings VALUES (?, ?, ?, ?)", [
    bucket,
    setting,
    body,
    setting === "policy" ? "application/json" : "application/xml",
  ]);
}

function getSetting(bucket: Bucket, setting: string, store: Store): Response {
  const stored = store.setting(bucket.name, setting);
  if (stored !== undefined) return new Response(stored.body, { headers: { "content-type": stored.type } });
  const answer = unset[setting];
  if (answer === undefined)
    throw new AwsError("NotImplemented", `the stand-in has no Get${bucketSettings[setting]}`, 501);
  if ("code" in answer) throw new AwsError(answer.code, answer.message, 404, { BucketName: bucket.name });
  return new Response(answer.body, { headers: { "content-type": "application/xml" } });
}

function checkPolicy(body: string): void {
  try {
    const policy = JSON.parse(body) as { Statement?: unknown };
    if (policy.Statement !== undefined) return;
  } catch {
    // Answered below: what isn't JSON and what has no Statement is the same error.
  }
  throw new AwsError("MalformedPolicy", "This policy contains invalid Json or has no Statement", 400);
}

function checkDocument(body: string, setting: string): void {
  let root: ReturnType<typeof parseXml>;
  try {
    root = parseXml(body);
  } catch {
    throw new AwsError("MalformedXML", "The XML you provided was not well-formed", 400);
  }
  if (setting === "lifecycle" && childrenOf(root, "Rule").length === 0) {
    throw new AwsError("MalformedXML", "expected at least one Rule", 400);
  }
}
