import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import * as lambda from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { startTestAws, type TestAws } from "../test-server.ts";
import { localDirectory } from "./code.ts";

/** A zip of deflated files, written by hand: the reader under test must not read its own writer's mistakes only, so sizes and offsets follow APPNOTE.TXT. */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const data = deflateRawSync(Buffer.from(text));
    const path = Buffer.from(name);
    const fields = Buffer.alloc(22);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(Bun.hash.crc32(text), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(Buffer.byteLength(text), 18);
    const lengths = Buffer.alloc(4);
    lengths.writeUInt16LE(path.length, 0);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, lengths, path, data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), fields, lengths, rest, path]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

const handlers = `
  exports.echo = async (event, context) => ({ event, name: context.functionName, region: process.env.AWS_REGION,
    secretName: process.env.SECRET_NAME, inherited: process.env.HOME ?? null });
  exports.fails = async () => { throw new RangeError("out of range"); };
  exports.callback = (event, context, callback) => setTimeout(() => callback(null, "later"), 10);
  exports.hangs = () => new Promise(() => setTimeout(() => {}, 60_000));
  exports.exits = () => process.exit(3);
  exports.logs = async () => { console.log("a line of log"); };`;

describe("Lambda", () => {
  let aws: TestAws;
  let client: lambda.LambdaClient;

  beforeAll(async () => {
    aws = await startTestAws();
    client = new lambda.LambdaClient({});
  });
  afterAll(() => aws[Symbol.asyncDispose]());

  async function create(
    FunctionName: string,
    Code: lambda.FunctionCode,
    more: Partial<lambda.CreateFunctionCommandInput> = {},
  ) {
    await client.send(
      new lambda.CreateFunctionCommand({
        FunctionName,
        Code,
        Runtime: "nodejs20.x",
        Role: "arn:aws:iam::123456789012:role/lambda",
        Handler: "index.echo",
        Environment: { Variables: { SECRET_NAME: "roundtrip/mongodb" } },
        ...more,
      }),
    );
    await lambda.waitUntilFunctionActiveV2(
      { client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 },
      { FunctionName },
    );
  }

  async function invoke(
    FunctionName: string,
    event: unknown = {},
    more: Partial<lambda.InvokeCommandInput> = {},
  ) {
    const answer = await client.send(
      new lambda.InvokeCommand({ FunctionName, Payload: JSON.stringify(event), ...more }),
    );
    const payload: unknown = answer.Payload?.length
      ? JSON.parse(answer.Payload.transformToString())
      : undefined;
    return { payload, error: answer.FunctionError, log: answer.LogResult };
  }

  const errorName = (work: Promise<unknown>) =>
    work.then(
      () => "none",
      (error: Error) => error.name,
    );

  test("a handler from a zip gets its event and only its own environment", async () => {
    await create("echo", { ZipFile: zip({ "index.js": handlers, "lib/unused.txt": "x" }) });
    const { payload, error } = await invoke("echo", { tf: { action: "create", prev_input: null } });
    expect(error).toBeUndefined();
    expect(payload).toEqual({
      event: { tf: { action: "create", prev_input: null } },
      name: "echo",
      region: "us-east-1",
      secretName: "roundtrip/mongodb",
      inherited: null,
    });
  });

  test("a new function is Pending and can't be invoked yet", async () => {
    const Code = { ZipFile: zip({ "index.js": handlers }) };
    const input = {
      FunctionName: "pending",
      Code,
      Runtime: "nodejs20.x",
      Role: "arn:aws:iam::123456789012:role/lambda",
      Handler: "index.echo",
    } as const;
    expect((await client.send(new lambda.CreateFunctionCommand(input))).State).toBe("Pending");
    expect(await errorName(invoke("pending"))).toBe("ResourceConflictException");
    expect(await errorName(client.send(new lambda.CreateFunctionCommand(input)))).toBe(
      "ResourceConflictException",
    );
  });

  test("failures are told from answers: thrown, timed out, exited, handler missing", async () => {
    const ZipFile = zip({ "index.js": handlers });
    const outcome = async (handler: string) => {
      await create(`f-${handler}`, { ZipFile }, { Handler: `index.${handler}`, Timeout: 1 });
      const { payload, error } = await invoke(`f-${handler}`);
      return [error, (payload as { errorType?: string } | null)?.errorType ?? payload];
    };
    expect(await outcome("fails")).toEqual(["Unhandled", "RangeError"]);
    expect(await outcome("hangs")).toEqual(["Unhandled", "Sandbox.Timedout"]);
    expect(await outcome("exits")).toEqual(["Unhandled", "Runtime.ExitError"]);
    expect(await outcome("nowhere")).toEqual(["Unhandled", "Runtime.HandlerNotFound"]);
    expect(await outcome("callback")).toEqual([undefined, "later"]);
  }, 60_000);

  test("the tail of the log comes with the answer when asked for", async () => {
    await create("logs", { ZipFile: zip({ "index.js": handlers }) }, { Handler: "index.logs" });
    const { log } = await invoke("logs", {}, { LogType: "Tail" });
    expect(Buffer.from(log!, "base64").toString()).toContain("a line of log");
  });

  test("code from S3 and from a local directory; an ES module; new code replaces the old", async () => {
    const s3 = new S3Client({});
    await s3.send(new CreateBucketCommand({ Bucket: "code" }));
    const Body = zip({ "index.mjs": "export const handler = async () => 'from S3';" });
    await s3.send(new PutObjectCommand({ Bucket: "code", Key: "function.zip", Body }));
    await create("from-s3", { S3Bucket: "code", S3Key: "function.zip" }, { Handler: "index.handler" });
    expect((await invoke("from-s3")).payload).toBe("from S3");
    const directory = join(aws.dir, "function");
    mkdirSync(directory);
    writeFileSync(join(directory, "index.mjs"), "export const handler = async () => 'from a directory';");
    await client.send(
      new lambda.UpdateFunctionCodeCommand({
        FunctionName: "from-s3",
        S3Bucket: localDirectory,
        S3Key: directory,
      }),
    );
    expect((await invoke("from-s3")).payload).toBe("from a directory");
  });

  test("a function is described, survives a restart, and is gone when deleted", async () => {
    const ZipFile = zip({ "index.js": handlers });
    await create("kept", { ZipFile }, { Tags: { owner: "data" } });
    await aws.restart();
    const { Configuration, Tags } = await client.send(
      new lambda.GetFunctionCommand({ FunctionName: "kept" }),
    );
    expect([Configuration?.Runtime, Configuration?.State, Tags]).toEqual([
      "nodejs20.x",
      "Active",
      { owner: "data" },
    ]);
    expect(Configuration?.CodeSha256).toBe(new Bun.CryptoHasher("sha256").update(ZipFile).digest("base64"));
    expect((await invoke("kept", 7)).payload).toMatchObject({ event: 7 });
    await client.send(new lambda.DeleteFunctionCommand({ FunctionName: "kept" }));
    expect(await errorName(invoke("kept"))).toBe("ResourceNotFoundException");
  });

  test("a zip whose entry leads out of its directory is refused", async () => {
    const ZipFile = zip({ "../outside.js": "x" });
    expect(await errorName(create("outside", { ZipFile }))).toBe("InvalidParameterValueException");
  });
});
