import { join } from "node:path";
import type { Events } from "../events.ts";
import {
  AwsError,
  type ControlRoutes,
  type RequestContext,
  type RestService,
  type Service,
  type ServiceContext,
} from "../service.ts";
import { deleteObjects, failedWithOk, objectTagging } from "./batch.ts";
import { Blobs } from "./blobs.ts";
import {
  bucketSetting,
  createBucket,
  deleteBucket,
  getBucketLocation,
  headBucket,
  listBuckets,
} from "./bucket.ts";
import { completeUpload } from "./complete.ts";
import { copyObject } from "./copy.ts";
import { listObjects, listObjectsV2 } from "./list.ts";
import { listObjectVersions } from "./list-versions.ts";
import { abortUpload, createUpload } from "./multipart.ts";
import { announce, checkNotification, type Delivery } from "./notifications.ts";
import { deleteObject, putObject } from "./objects.ts";
import { uploadPart, uploadPartCopy } from "./parts.ts";
import { getObject } from "./read.ts";
import { Store } from "./store.ts";
import { operationOf, settingOf, type Target, targetOf } from "./target.ts";
import { listParts, listUploads } from "./uploads.ts";

type Handler = (
  request: Request,
  target: Target,
  store: Store,
  context: RequestContext,
) => Promise<Response> | Response;

const handlers: Readonly<Record<string, Handler>> = {
  ListBuckets: (_request, _target, store) => listBuckets(store),
  CreateBucket: createBucket,
  HeadBucket: (_request, target, store) => headBucket(target, store),
  DeleteBucket: (_request, target, store) => deleteBucket(target, store),
  GetBucketLocation: (_request, target, store) => getBucketLocation(target, store),
  ListObjects: (_request, target, store) => listObjects(target, store),
  ListObjectsV2: (_request, target, store) => listObjectsV2(target, store),
  ListObjectVersions: (_request, target, store) => listObjectVersions(target, store),
  PutObject: putObject,
  GetObject: getObject,
  HeadObject: getObject,
  DeleteObject: (_request, target, store, context) => deleteObject(target, store, context),
  DeleteObjects: deleteObjects,
  CopyObject: copyObject,
  CreateMultipartUpload: createUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  CompleteMultipartUpload: completeUpload,
  AbortMultipartUpload: (_request, target, store) => abortUpload(target, store),
  ListParts: (_request, target, store) => listParts(target, store),
  ListMultipartUploads: (_request, target, store) => listUploads(target, store),
  GetObjectTagging: objectTagging,
  PutObjectTagging: objectTagging,
  DeleteObjectTagging: objectTagging,
};

/** S3: objects as files below the stand-in's directory, everything about them in sqlite. */
class S3Service implements RestService {
  readonly kind = "rest";
  readonly name = "s3";
  readonly errors = "xml";
  private store: Store | undefined;
  private readonly delivery: Delivery = { copies: 1, delayMs: 0 };

  constructor(private readonly events: Events) {}

  readonly control: ControlRoutes = {
    notifications: async (request) => {
      const { copies = 1, delayMs = 0 } = (await request.json()) as Partial<Delivery>;
      return Object.assign(this.delivery, { copies, delayMs });
    },
  };

  start({ db, dir }: ServiceContext): void {
    this.store = new Store(db, new Blobs(join(dir, "s3")));
  }

  operation(request: Request): { name: string; key: string } {
    const { bucket, key } = targetOf(request);
    return { name: operationOf(request), key: key === "" ? bucket : `${bucket}/${key}` };
  }

  failedWithOk(request: Request, code: string): Promise<Response> {
    return failedWithOk(request, operationOf(request), code);
  }

  async handle(request: Request, context: RequestContext): Promise<Response> {
    const store = this.store;
    if (store === undefined) throw new AwsError("ServiceUnavailable", "S3 isn't up yet", 503);
    const target = targetOf(request);
    const operation = operationOf(request);
    if (target.key === "" && settingOf(target.query) !== undefined) {
      if (operation === "PutBucketNotificationConfiguration")
        checkNotification(await (request.clone() as Request).text(), target.bucket, this.events);
      return bucketSetting(request, target, store);
    }
    const handler = handlers[operation];
    if (handler === undefined) throw new AwsError("NotImplemented", `the stand-in has no ${operation}`, 501);
    const response = await handler(request, target, store, context);
    const object = { ...target, version: response.headers.get("x-amz-version-id") };
    if (response.ok) announce(operation, object, store, this.events, this.delivery, context);
    return response;
  }
}

export function create(events: Events): Service[] {
  return [new S3Service(events)];
}
