import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { isPrecondition, StoreError } from "../store-error.ts";
import { S3ObjectStore } from "./object-store.ts";

const bucket = "roundtrip-faults";
const bytes = (value: string) => new TextEncoder().encode(value);

describe("S3 adapter under faults", () => {
  let aws: TestAws;
  let store: S3ObjectStore;

  beforeAll(async () => {
    aws = await startTestAws();
    await new S3Client({}).send(new CreateBucketCommand({ Bucket: bucket }));
    store = new S3ObjectStore({ bucket });
  });
  afterEach(() => aws.control("DELETE", "faults"));
  afterAll(() => aws[Symbol.asyncDispose]());

  const arm = (operation: string, fault: object) =>
    aws.control("POST", "faults", { service: "s3", operation, ...fault });
  const fired = async () =>
    ((await aws.control("GET", "faults")) as { fired: number }[]).map((each) => each.fired);
  const failure = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(StoreError);
    return error as StoreError;
  };

  test("a conditional put whose reply was lost finds its own bytes and counts as done", async () => {
    await arm("PutObject", { when: "after", action: { reset: true } });
    const { etag } = await store.put("lost-reply", bytes("mine"), { ifNoneMatch: true });
    expect(await fired()).toEqual([1]);
    expect((await store.head("lost-reply"))?.etag).toBe(etag);
  });

  test("an If-Match put whose reply was lost counts as done", async () => {
    const { etag } = await store.put("lost-match", bytes("one"));
    await arm("PutObject", { when: "after", action: { reset: true } });
    const { etag: next } = await store.put("lost-match", bytes("two"), { ifMatch: etag });
    expect((await store.head("lost-match"))?.etag).toBe(next);
  });

  test("a 409 conflict is tried again", async () => {
    await arm("PutObject", { action: { status: 409, code: "ConditionalRequestConflict" } });
    await store.put("conflict", bytes("x"), { ifNoneMatch: true });
    expect(await fired()).toEqual([1]);
  });

  test("a 409 that stays is a lost condition, after bounded tries", async () => {
    await arm("PutObject", {
      times: "unlimited",
      action: { status: 409, code: "ConditionalRequestConflict" },
    });
    expect(isPrecondition(await failure(store.put("conflicts", bytes("x"), { ifNoneMatch: true })))).toBe(
      true,
    );
    expect(await fired()).toEqual([4]);
  });

  test("503 that passes is ridden out; 503 that stays is unavailable, after bounded tries", async () => {
    await arm("PutObject", { times: 2, action: { status: 503, code: "SlowDown" } });
    await store.put("slow", bytes("x"));
    await aws.control("DELETE", "faults");
    await arm("PutObject", { times: "unlimited", action: { status: 503, code: "SlowDown" } });
    const error = await failure(store.put("slow", bytes("x")));
    expect(error.storeKind).toBe("unavailable");
    expect(error.message).toContain(`s3://${bucket}/slow`);
    expect(error.message).toContain("SlowDown");
    expect((await fired())[0]).toBeLessThanOrEqual(4);
  }, 30_000);

  test("an error inside a 200 answer is no success, for put and for get", async () => {
    await store.put("poisoned", bytes("good"));
    await arm("PutObject", { times: "unlimited", action: { okWithError: "InternalError" } });
    expect((await failure(store.put("poisoned", bytes("x")))).storeKind).toBe("unavailable");
    await arm("GetObject", { times: "unlimited", action: { okWithError: "InternalError" } });
    expect((await failure(store.get("poisoned"))).storeKind).toBe("unavailable");
  }, 30_000);

  test("delete: a passing error inside the 200 answer is tried again, a denial is not", async () => {
    await store.put("doomed", bytes("x"));
    await arm("DeleteObjects", { action: { okWithError: "InternalError" } });
    await store.delete(["doomed"]);
    expect(await store.head("doomed")).toBeUndefined();
    await aws.control("DELETE", "faults");
    await store.put("kept", bytes("x"));
    await arm("DeleteObjects", { times: "unlimited", action: { okWithError: "AccessDenied" } });
    const error = await failure(store.delete(["kept"]));
    expect(error.storeKind).toBe("denied");
    expect(error.message).toContain("kept");
    expect(await fired()).toEqual([1]);
  });

  test("a bucket that denies, and a bucket that isn't there, are named", async () => {
    await arm("PutObject", { times: "unlimited", action: { status: 403, code: "AccessDenied" } });
    const denied = await failure(store.put("locked", bytes("x")));
    expect([denied.storeKind, denied.kind]).toEqual(["denied", "denied"]);
    await aws.control("DELETE", "faults");
    const missing = new S3ObjectStore({ bucket: "roundtrip-nowhere" });
    const calls = [
      () => missing.put("a", bytes("x")),
      () => missing.get("a"),
      () => missing.head("a"),
      () => missing.delete(["a"]),
    ];
    for (const call of calls) {
      const error = await failure(call());
      expect(error.storeKind).toBe("missing-bucket");
      expect(error.message).toContain("roundtrip-nowhere");
    }
  });

  test("a stalled S3 fails in bounded time instead of hanging", async () => {
    const impatient = new S3ObjectStore({ bucket, requestTimeoutMs: 200, attemptsMax: 2 });
    await arm("PutObject", { times: "unlimited", action: { delayMs: 5_000 } });
    const started = performance.now();
    expect((await failure(impatient.put("stalled", bytes("x")))).storeKind).toBe("unavailable");
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  test("a multipart upload survives a lost reply to any of its requests", async () => {
    const body = randomBytes(17 << 20);
    async function* stream() {
      yield body;
    }
    for (const operation of ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]) {
      await arm(operation, { when: "after", action: { reset: true } });
      const key = `multipart/${operation}`;
      await store.upload(key, stream(), { ifNoneMatch: true });
      expect(Buffer.from((await store.get(key))!.body).equals(body)).toBe(true);
      expect(await fired()).toEqual([1]);
      await aws.control("DELETE", "faults");
    }
  }, 60_000);

  test("an error inside CompleteMultipartUpload's 200 answer ends in failure or in the whole object", async () => {
    async function* stream() {
      yield randomBytes(9 << 20);
    }
    await arm("CompleteMultipartUpload", { times: "unlimited", action: { okWithError: "InternalError" } });
    expect((await failure(store.upload("half", stream()))).storeKind).toBe("unavailable");
    expect(await store.head("half")).toBeUndefined();
  }, 30_000);

  test("a failed upload leaves no parts behind", async () => {
    async function* stream() {
      yield randomBytes(17 << 20);
    }
    await arm("UploadPart", { times: "unlimited", action: { status: 403, code: "AccessDenied" } });
    expect((await failure(store.upload("aborted", stream()))).storeKind).toBe("denied");
    const { Uploads } = await new S3Client({}).send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: "aborted" }),
    );
    expect(Uploads ?? []).toEqual([]);
  });
});
