import { decode, queryPairs, requestTarget } from "../request-target.ts";

/** Where an S3 request points: bucket ("" for the service itself), key ("" for the bucket), query by name. */
export interface Target {
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
}

/** The bucket of a virtual-hosted request: `bucket.localhost`, `bucket.s3.localhost`, `bucket.s3.region.amazonaws.com`. */
function hostBucket(host: string): string {
  const name = host.replace(/:\d+$/, "");
  const match = /^(.+?)(?:\.s3(?:[.-][a-z0-9-]+)?)?(?:\.localhost|\.amazonaws\.com)$/.exec(name);
  return match === null || match[1] === "s3" ? "" : match[1]!;
}

const targets = new WeakMap<Request, Target>();

/** Reads bucket, key and query from a request, in path style or virtual-host style. Throws InvalidURI on a bad escape. */
export function targetOf(request: Request): Target {
  const known = targets.get(request);
  if (known !== undefined) return known;
  const { path, query } = requestTarget(request.url);
  let bucket = hostBucket(request.headers.get("host") ?? "");
  let rest = path.slice(1);
  if (bucket === "") {
    const slash = rest.indexOf("/");
    bucket = decode(slash < 0 ? rest : rest.slice(0, slash));
    rest = slash < 0 ? "" : rest.slice(slash + 1);
  }
  const target = { bucket, key: decode(rest), query: new Map(queryPairs(query)) };
  targets.set(request, target);
  return target;
}

/** Subresources of a bucket that are stored as given, by query name; the operation is `Get…`, `Put…`, `Delete…`. */
export const bucketSettings: Readonly<Record<string, string>> = {
  versioning: "BucketVersioning",
  lifecycle: "BucketLifecycleConfiguration",
  encryption: "BucketEncryption",
  policy: "BucketPolicy",
  publicAccessBlock: "PublicAccessBlock",
  tagging: "BucketTagging",
  cors: "BucketCors",
  ownershipControls: "BucketOwnershipControls",
  acl: "BucketAcl",
  logging: "BucketLogging",
  notification: "BucketNotificationConfiguration",
  requestPayment: "BucketRequestPayment",
  accelerate: "BucketAccelerateConfiguration",
  replication: "BucketReplication",
  "object-lock": "ObjectLockConfiguration",
  website: "BucketWebsite",
  policyStatus: "BucketPolicyStatus",
  "intelligent-tiering": "BucketIntelligentTieringConfiguration",
  analytics: "BucketAnalyticsConfiguration",
  inventory: "BucketInventoryConfiguration",
  metrics: "BucketMetricsConfiguration",
};

const verbs: Readonly<Record<string, string>> = { GET: "Get", PUT: "Put", DELETE: "Delete" };

/** The setting a bucket request is about, or undefined. */
export function settingOf(query: ReadonlyMap<string, string>): string | undefined {
  return Object.keys(bucketSettings).find((name) => query.has(name));
}

function bucketOperation(method: string, query: ReadonlyMap<string, string>): string {
  const setting = settingOf(query);
  if (setting !== undefined && verbs[method] !== undefined)
    return `${verbs[method]}${bucketSettings[setting]}`;
  if (method === "POST") return query.has("delete") ? "DeleteObjects" : "PostObject";
  if (method === "PUT") return "CreateBucket";
  if (method === "HEAD") return "HeadBucket";
  if (method === "DELETE") return "DeleteBucket";
  if (query.has("location")) return "GetBucketLocation";
  if (query.has("uploads")) return "ListMultipartUploads";
  if (query.has("versions")) return "ListObjectVersions";
  return query.get("list-type") === "2" ? "ListObjectsV2" : "ListObjects";
}

const uploadOperations: Readonly<Record<string, string>> = {
  GET: "ListParts",
  PUT: "UploadPart",
  POST: "CompleteMultipartUpload",
  DELETE: "AbortMultipartUpload",
};

const plainOperations: Readonly<Record<string, string>> = {
  GET: "GetObject",
  HEAD: "HeadObject",
  PUT: "PutObject",
  POST: "PostObject",
  DELETE: "DeleteObject",
};

function objectOperation(method: string, query: ReadonlyMap<string, string>, copies: boolean): string {
  if (query.has("uploadId")) {
    return method === "PUT" && copies ? "UploadPartCopy" : (uploadOperations[method] ?? "PostObject");
  }
  if (method === "POST" && query.has("uploads")) return "CreateMultipartUpload";
  if (query.has("tagging")) return `${verbs[method]}ObjectTagging`;
  if (method === "GET" && query.has("attributes")) return "GetObjectAttributes";
  for (const name of ["acl", "retention", "legal-hold", "torrent", "restore", "select"]) {
    if (query.has(name)) return `${verbs[method]}Object:${name}`;
  }
  return method === "PUT" && copies ? "CopyObject" : (plainOperations[method] ?? "PostObject");
}

/** S3's name for what a request does. */
export function operationOf(request: Request): string {
  const { bucket, key, query } = targetOf(request);
  if (bucket === "") return "ListBuckets";
  if (key === "") return bucketOperation(request.method, query);
  return objectOperation(request.method, query, request.headers.has("x-amz-copy-source"));
}
