/** What happens without a request of anybody's: a bucket and a topic call functions, and a function's failures go to a topic. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import * as lambda from "@aws-sdk/client-lambda";
import * as s3 from "@aws-sdk/client-s3";
import { strToU8, zipSync } from "fflate";
import { AwsClient } from "../terraform-provider/aws/client.ts";
import { defaultCredentials } from "./identity.ts";
import { startTestAws, type TestAws } from "./test-server.ts";

const key = "failback/current.json";
const topic = "arn:aws:sns:us-east-1:123456789012:alarms";
const source = `
  export const handler = async (event) => {
    console.log("line of a log");
    if (event.fail === true) throw new RangeError("as told");
    return { seen: event.Records?.length ?? null };
  };`;

interface Called {
  readonly functionName: string;
  readonly event: string;
  readonly payload: string;
  readonly error?: string;
  readonly log: string;
}
interface Published {
  readonly topicArn: string;
  readonly message: string;
  readonly to: readonly { protocol: string; endpoint: string }[];
}

let aws: TestAws;
let functions: lambda.LambdaClient;
let buckets: s3.S3Client;
let arn: string;

async function until<Item>(what: string, look: () => Promise<Item | undefined>): Promise<Item> {
  for (const end = performance.now() + 10_000; performance.now() < end; await Bun.sleep(20)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`not seen within 10 s: ${what}`);
}

/** Runs of the function behind the first `after`, once there are `count`. */
const calls = (after: number, count: number) =>
  until(`${count} runs`, async () => {
    const called = ((await aws.control("GET", "invocations")) as Called[]).slice(after);
    return called.length >= count ? called : undefined;
  });
const runsSoFar = async () => ((await aws.control("GET", "invocations")) as Called[]).length;

const put = (Key: string, Body = "{}") =>
  buckets.send(new s3.PutObjectCommand({ Bucket: "bucket", Key, Body }));
const rule = (more: object = {}): s3.LambdaFunctionConfiguration => ({
  Id: "phase",
  LambdaFunctionArn: arn,
  Events: ["s3:ObjectCreated:*"],
  Filter: {
    Key: {
      FilterRules: [
        { Name: "prefix", Value: key },
        { Name: "suffix", Value: key },
      ],
    },
  },
  ...more,
});
const configure = (...LambdaFunctionConfigurations: s3.LambdaFunctionConfiguration[]) =>
  buckets.send(
    new s3.PutBucketNotificationConfigurationCommand({
      Bucket: "bucket",
      NotificationConfiguration: { LambdaFunctionConfigurations },
    }),
  );
const permit = (StatementId: string, Principal: string, SourceArn: string) =>
  functions.send(
    new lambda.AddPermissionCommand({
      FunctionName: "told",
      StatementId,
      Action: "lambda:InvokeFunction",
      Principal,
      SourceArn,
    }),
  );
const stored = (TypeName: string, ObjectId: string, Attributes: object) =>
  new AwsClient(aws.url, async () => defaultCredentials).json(
    "stored-objects",
    "StoredObjects.CreateObject",
    { TypeName, ObjectId, Attributes },
    "us-east-1",
  );
const publish = (Message: string, TopicArn = topic) =>
  new AwsClient(aws.url, async () => defaultCredentials).query(
    "sns",
    "2010-03-31",
    { Action: "Publish", TopicArn, Message, Subject: "a subject" },
    "us-east-1",
  );

beforeAll(async () => {
  aws = await startTestAws();
  functions = new lambda.LambdaClient({});
  buckets = new s3.S3Client({});
  await buckets.send(new s3.CreateBucketCommand({ Bucket: "bucket" }));
  const made = await functions.send(
    new lambda.CreateFunctionCommand({
      FunctionName: "told",
      Runtime: "nodejs22.x",
      Role: "arn:aws:iam::123456789012:role/lambda",
      Handler: "index.handler",
      Code: { ZipFile: zipSync({ "index.mjs": strToU8(source) }) },
    }),
  );
  arn = made.FunctionArn!;
  await stored("aws_sns_topic", topic, {});
  await stored("aws_sns_topic_subscription", "1", { topic_arn: topic, protocol: "lambda", endpoint: arn });
  await stored("aws_sns_topic_subscription", "2", {
    topic_arn: topic,
    protocol: "email",
    endpoint: "on-call@example.com",
  });
});
afterAll(() => aws[Symbol.asyncDispose]());
beforeEach(async () => {
  await aws.control("POST", "lambda", { retryDelaysMs: [10, 20] });
  await aws.control("POST", "notifications", {});
});

describe("a bucket that calls a function", () => {
  test("is refused until the function's policy lets it, then given back as put", async () => {
    await expect(configure(rule())).rejects.toMatchObject({
      name: "InvalidArgument",
      message: expect.stringContaining("Unable to validate"),
    });
    await permit("other-bucket", "s3.amazonaws.com", "arn:aws:s3:::other");
    await expect(configure(rule())).rejects.toMatchObject({ name: "InvalidArgument" });
    await permit("bucket", "s3.amazonaws.com", "arn:aws:s3:::bucket");
    await configure(rule());
    const found = await buckets.send(new s3.GetBucketNotificationConfigurationCommand({ Bucket: "bucket" }));
    expect(found.LambdaFunctionConfigurations).toEqual([rule()]);
  });

  test("two rules that would both call are refused, and a filter with two prefixes", async () => {
    await expect(configure(rule(), rule({ Id: "again" }))).rejects.toMatchObject({ name: "InvalidArgument" });
    const FilterRules = [
      { Name: "prefix", Value: "a" },
      { Name: "Prefix", Value: "b" },
    ] as s3.FilterRule[];
    await expect(configure(rule({ Filter: { Key: { FilterRules } } }))).rejects.toMatchObject({
      name: "InvalidArgument",
    });
  });

  test("calls for that very key, put or copied, and for no other", async () => {
    const before = await runsSoFar();
    for (const other of ["failback/current.jso", "a/failback/current.json", "failback/current.json.old"])
      await put(other);
    await put(key);
    await buckets.send(
      new s3.CopyObjectCommand({ Bucket: "bucket", Key: key, CopySource: "bucket/a/failback/current.json" }),
    );
    const called = await calls(before, 2);
    const records = called.map(
      ({ event }) => (JSON.parse(event) as { Records: Record<string, unknown>[] }).Records[0]!,
    );
    expect(records.map(({ eventName }) => eventName).sort()).toEqual([
      "ObjectCreated:Copy",
      "ObjectCreated:Put",
    ]);
    expect(records[0]).toMatchObject({
      eventSource: "aws:s3",
      s3: { bucket: { name: "bucket" }, object: { key } },
    });
    expect(called[0]).toMatchObject({
      functionName: "told",
      payload: '{"seen":1}',
      log: expect.stringContaining("line of a log"),
    });
  });

  test("calls twice, or late, when told to: S3 promises no more than once at least", async () => {
    const before = await runsSoFar();
    await aws.control("POST", "notifications", { copies: 2, delayMs: 300 });
    await put(key);
    expect(await runsSoFar()).toBe(before);
    const [one, two] = await calls(before, 2);
    expect(one!.event).toBe(two!.event);
  });

  test("writes a key into its event as a form does", async () => {
    const before = await runsSoFar();
    await configure(rule({ Filter: { Key: { FilterRules: [{ Name: "prefix", Value: "a b" }] } } }));
    await put("a b/ä+1.json");
    expect((await calls(before, 1))[0]!.event).toContain('"key":"a+b/%C3%A4%2B1.json"');
    await configure();
    expect(
      await buckets.send(new s3.GetBucketNotificationConfigurationCommand({ Bucket: "bucket" })),
    ).not.toHaveProperty("LambdaFunctionConfigurations");
  });
});

describe("a topic", () => {
  test("calls a subscribed function that lets it, and none that does not", async () => {
    const before = await runsSoFar();
    await publish("unheard");
    await permit("topic", "sns.amazonaws.com", topic);
    await publish("hello");
    const [called] = await calls(before, 1);
    expect(JSON.parse(called!.event)).toMatchObject({
      Records: [{ EventSource: "aws:sns", Sns: { TopicArn: topic, Message: "hello", Subject: "a subject" } }],
    });
    const published = (await aws.control("GET", "published")) as Published[];
    expect(published.map(({ message }) => message)).toEqual(["unheard", "hello"]);
    expect(published[0]!.to).toContainEqual({ protocol: "email", endpoint: "on-call@example.com" });
  });

  test("that isn't there takes nothing", async () => {
    await expect(publish("hello", `${topic}-2`)).rejects.toMatchObject({ code: "NotFound" });
  });
});

describe("a call nobody waits for", () => {
  const call = (event: object) =>
    functions.send(
      new lambda.InvokeCommand({
        FunctionName: "told",
        InvocationType: "Event",
        Payload: JSON.stringify(event),
      }),
    );

  test("is taken at once, tried three times when the function fails, then told to the failure destination", async () => {
    await functions.send(
      new lambda.PutFunctionEventInvokeConfigCommand({
        FunctionName: "told",
        MaximumRetryAttempts: 2,
        DestinationConfig: { OnFailure: { Destination: topic } },
      }),
    );
    await functions.send(new lambda.RemovePermissionCommand({ FunctionName: "told", StatementId: "topic" }));
    const before = await runsSoFar();
    expect((await call({ fail: true })).StatusCode).toBe(202);
    const told = await until("the record", async () => {
      const published = (await aws.control("GET", "published")) as Published[];
      return published.find(({ message }) => message.includes("RetriesExhausted"));
    });
    expect(await runsSoFar()).toBe(before + 3);
    expect(JSON.parse(told.message)).toMatchObject({
      version: "1.0",
      requestContext: {
        functionArn: `${arn}:$LATEST`,
        condition: "RetriesExhausted",
        approximateInvokeCount: 3,
      },
      requestPayload: { fail: true },
      responsePayload: { errorType: "RangeError", errorMessage: "as told" },
    });
  });

  test("ends with the stand-in: no function outlives it", async () => {
    await using own = await startTestAws();
    const client = new lambda.LambdaClient({});
    await client.send(
      new lambda.CreateFunctionCommand({
        FunctionName: "hangs",
        Runtime: "nodejs22.x",
        Role: "arn:aws:iam::123456789012:role/lambda",
        Handler: "index.handler",
        Timeout: 60,
        Code: {
          ZipFile: zipSync({
            "index.mjs": strToU8(`import { writeFileSync } from "node:fs";
              export const handler = async ({ file }) => {
                writeFileSync(file, String(process.pid));
                await new Promise((resolve) => setTimeout(resolve, 60_000));
              };`),
          }),
        },
      }),
    );
    await Bun.sleep(350);
    const file = `${own.dir}/pid`;
    await client.send(
      new lambda.InvokeCommand({
        FunctionName: "hangs",
        InvocationType: "Event",
        Payload: JSON.stringify({ file }),
      }),
    );
    const pid = await until(
      "the function",
      async () =>
        Number(
          await Bun.file(file)
            .text()
            .catch(() => ""),
        ) || undefined,
    );
    await own.restart();
    await until("its end", async () => {
      try {
        process.kill(pid, 0);
        return undefined;
      } catch {
        return true;
      }
    });
  });
});
