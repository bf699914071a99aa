import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Fault } from "./faults.ts";
import type { JournalEntry } from "./journal.ts";
import { startTestAws, type TestAws } from "./test-server.ts";

const Bucket = "dispatch";

describe("requests to the stand-in", () => {
  let aws: TestAws;
  let s3: S3Client;
  const put = (Key: string, client = s3) => client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  const exists = (Key: string) =>
    s3.send(new HeadObjectCommand({ Bucket, Key })).then(
      () => true,
      () => false,
    );
  const arm = (fault: object) =>
    aws.control("POST", "faults", { service: "s3", operation: "PutObject", ...fault });
  const faults = async () =>
    (await aws.control("GET", "faults")) as (Fault & { matches: number; fired: number })[];
  const errorName = (work: Promise<unknown>) =>
    work.then(
      () => "none",
      (error: Error) => error.name,
    );

  beforeAll(async () => {
    aws = await startTestAws();
    s3 = new S3Client({ maxAttempts: 1 });
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  afterEach(() => aws.control("DELETE", "faults"));
  afterAll(() => aws[Symbol.asyncDispose]());

  describe("signatures", () => {
    const wrong = { credentials: { accessKeyId: "AKIAROUNDTRIPSANDBOX", secretAccessKey: "wrong" } };
    const unknown = { credentials: { accessKeyId: "AKIANOBODY", secretAccessKey: "x" } };

    test("a wrong secret is refused, in each service's own words", async () => {
      const error = await put("a", new S3Client(wrong)).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: "SignatureDoesNotMatch", $metadata: { httpStatusCode: 403 } });
      expect(await errorName(new STSClient(wrong).send(new GetCallerIdentityCommand({})))).toBe(
        "SignatureDoesNotMatch",
      );
      expect(await errorName(new SSMClient(wrong).send(new GetParameterCommand({ Name: "x" })))).toBe(
        "InvalidSignatureException",
      );
    });

    test("an unknown key is refused, in each service's own words", async () => {
      expect(await errorName(put("a", new S3Client(unknown)))).toBe("InvalidAccessKeyId");
      expect(await errorName(new STSClient(unknown).send(new GetCallerIdentityCommand({})))).toBe(
        "InvalidClientTokenId",
      );
      expect(await errorName(new SSMClient(unknown).send(new GetParameterCommand({ Name: "x" })))).toBe(
        "UnrecognizedClientException",
      );
    });

    test("an unsigned request is denied", async () => {
      const answer = await fetch(`${aws.url}/${Bucket}/a`);
      expect([answer.status, await answer.text()]).toEqual([
        403,
        expect.stringContaining("<Code>AccessDenied</Code>"),
      ]);
    });

    test("a body other than the one that was signed is refused", async () => {
      const client = new S3Client({ maxAttempts: 1 });
      client.middlewareStack.add(
        (next) => (parameters) => {
          (parameters.request as { body: unknown }).body = "other";
          return next(parameters);
        },
        { step: "finalizeRequest", priority: "low" },
      );
      expect(
        await errorName(client.send(new PutObjectCommand({ Bucket, Key: "swapped", Body: "given" }))),
      ).not.toBe("none");
      expect(await exists("swapped")).toBe(false);
    });

    test("a role's temporary keys act as the role until they expire", async () => {
      const assume = new AssumeRoleCommand({
        RoleArn: "arn:aws:iam::123456789012:role/roundtrip-host",
        RoleSessionName: "test",
      });
      const { Credentials: keys } = await new STSClient({}).send(assume);
      const credentials = {
        accessKeyId: keys!.AccessKeyId!,
        secretAccessKey: keys!.SecretAccessKey!,
        sessionToken: keys!.SessionToken!,
      };
      const identity = await new STSClient({ credentials }).send(new GetCallerIdentityCommand({}));
      expect(identity.Arn).toBe("arn:aws:sts::123456789012:assumed-role/roundtrip-host/test");
      await put("by-role", new S3Client({ credentials }));
      const withoutToken = { ...credentials, sessionToken: undefined };
      expect(await errorName(put("a", new S3Client({ credentials: withoutToken })))).toBe("InvalidToken");
    });

    test("a container's credential endpoint gives keys that work", async () => {
      const keys = (await aws.control("GET", "credentials/role/host")) as Record<string, string>;
      const credentials = {
        accessKeyId: keys.AccessKeyId!,
        secretAccessKey: keys.SecretAccessKey!,
        sessionToken: keys.Token!,
      };
      await put("by-container", new S3Client({ credentials }));
    });
  });

  describe("faults", () => {
    test("before: the request has no effect; after: it has, and the caller can't know", async () => {
      await arm({ keyPattern: "/early$", when: "before", action: { reset: true } });
      await arm({ keyPattern: "/late$", when: "after", action: { reset: true } });
      await expect(put("early")).rejects.toThrow();
      await expect(put("late")).rejects.toThrow();
      expect([await exists("early"), await exists("late")]).toEqual([false, true]);
    });

    test("nth and times: exactly the matches asked for, counted in the listing", async () => {
      await arm({ id: "third", nth: 3, times: 2, action: { status: 503, code: "SlowDown" } });
      const results: string[] = [];
      for (let index = 0; index < 6; index += 1) results.push(await errorName(put(`nth-${index}`)));
      expect(results).toEqual(["none", "none", "SlowDown", "SlowDown", "none", "none"]);
      expect(await faults()).toMatchObject([{ id: "third", matches: 6, fired: 2 }]);
    });

    test("a denied operation stays denied until cleared, for one caller only", async () => {
      await arm({
        operation: undefined,
        caller: "victim",
        times: "unlimited",
        action: { status: 403, code: "AccessDenied" },
      });
      const victim = new S3Client({ userAgentAppId: "victim" });
      expect(await errorName(put("denied", victim))).toBe("AccessDenied");
      expect(await errorName(victim.send(new GetObjectCommand({ Bucket, Key: "denied" })))).toBe(
        "AccessDenied",
      );
      expect(await errorName(put("allowed", s3))).toBe("none");
      await aws.control("DELETE", "faults");
      expect(await errorName(put("denied", victim))).toBe("none");
    });

    test("a stall holds the answer back, and then it comes", async () => {
      await arm({ action: { delayMs: 300 } });
      const started = performance.now();
      await put("stalled");
      expect(performance.now() - started).toBeGreaterThanOrEqual(290);
    });

    test("kill ends the registered process before or after the effect, and drops the connection", async () => {
      for (const when of ["before", "after"]) {
        const victim = Bun.spawn(["sleep", "60"]);
        await aws.control("POST", "processes", { name: "replication.service", pid: victim.pid });
        await arm({ keyPattern: `/kill-${when}$`, when, action: { kill: "replication.service" } });
        await expect(put(`kill-${when}`)).rejects.toThrow();
        await victim.exited;
        expect(victim.signalCode).toBe("SIGKILL");
        expect(await exists(`kill-${when}`)).toBe(when === "after");
        await aws.control("DELETE", "faults");
      }
    });

    test("kill asks the registered hosts for a unit no process is registered under", async () => {
      const killed: unknown[] = [];
      const host = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch: async (request) => {
          killed.push([new URL(request.url).pathname, await request.json()]);
          return new Response("{}");
        },
      });
      await aws.control("POST", "hosts", { instanceId: "i-1", control: `http://127.0.0.1:${host.port}` });
      await arm({ action: { kill: "restore.service" } });
      await expect(put("kill-on-host")).rejects.toThrow();
      expect(killed).toEqual([["/kill", { unit: "restore.service" }]]);
      await aws.control("DELETE", "hosts/i-1");
      await host.stop(true);
    });

    test("a kill that hits nothing is an error, not a silent pass", async () => {
      await arm({ action: { kill: "nobody.service" } });
      expect(await errorName(put("kill-nobody"))).toBe("InternalError");
    });

    test("a fault with an unknown field or action is refused", async () => {
      await expect(arm({ opration: "x", action: { reset: true } })).rejects.toThrow("opration");
      await expect(arm({ action: { explode: true } })).rejects.toThrow("action");
      expect(await faults()).toEqual([]);
    });
  });

  test("the journal names every request with caller, operation, key and status, and goes on after a restart", async () => {
    const journal = async (after: number) =>
      (await aws.control("GET", `journal?after=${after}`)) as JournalEntry[];
    const before = (await journal(0)).at(-1)!.n;
    const client = new S3Client({ userAgentAppId: "replication", maxAttempts: 1 });
    await put("journalled", client);
    await client.send(new GetObjectCommand({ Bucket, Key: "none" })).catch(() => undefined);
    await arm({ id: "drop", action: { reset: true } });
    await put("dropped", client).catch(() => undefined);
    const fields = (entries: JournalEntry[]) =>
      entries.map(({ caller, service, operation, key, status, fault }) => [
        caller,
        service,
        operation,
        key,
        status,
        fault,
      ]);
    const expected = [
      ["replication", "s3", "PutObject", "dispatch/journalled", 200, ""],
      ["replication", "s3", "GetObject", "dispatch/none", 404, ""],
      ["replication", "s3", "PutObject", "dispatch/dropped", 0, "drop"],
    ];
    expect(fields(await journal(before))).toEqual(expected);
    await aws.restart();
    expect(fields(await journal(before))).toEqual(expected);
    await aws.control("DELETE", "journal");
    await put("again");
    expect((await journal(0)).map(({ key }) => key)).toEqual(["dispatch/again"]);
  });

  test("an unknown operation is the service's own error", async () => {
    const client = new SSMClient({});
    client.middlewareStack.add(
      (next) => (parameters) => {
        (parameters.request as { headers: Record<string, string> }).headers["x-amz-target"] =
          "AmazonSSM.DoMagic";
        return next(parameters);
      },
      { step: "build", priority: "low" },
    );
    expect(await errorName(client.send(new GetParameterCommand({ Name: "x" })))).toBe(
      "UnknownOperationException",
    );
  });
});
