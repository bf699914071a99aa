import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { RoundtripError } from "../../core/errors.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { AwsParameters } from "./parameters.ts";

describe("parameters adapter", () => {
  let aws: TestAws;
  let parameters: AwsParameters;

  beforeAll(async () => {
    aws = await startTestAws();
    parameters = new AwsParameters();
  });
  afterAll(() => aws[Symbol.asyncDispose]());

  test("what was put is read back, a missing name is undefined", async () => {
    await parameters.put("/roundtrip/test/endpoint", "one");
    await parameters.put("/roundtrip/test/endpoint", "two");
    expect(await parameters.get("/roundtrip/test/endpoint")).toBe("two");
    expect(await parameters.get("/roundtrip/test/none")).toBeUndefined();
  });

  test("a SecureString is read decrypted and stays one when it is written", async () => {
    const ssm = new SSMClient({});
    await ssm.send(
      new PutParameterCommand({ Name: "/roundtrip/secure", Value: "hush", Type: "SecureString" }),
    );
    expect(await parameters.get("/roundtrip/secure")).toBe("hush");
    await parameters.put("/roundtrip/secure", "hush again");
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: "/roundtrip/secure" }));
    expect(Parameter?.Type).toBe("SecureString");
    expect(Parameter?.Value).not.toContain("hush");
  });

  test("an environment of 6 KB fits; 9 KB fails with the parameter's name and the limit", async () => {
    await parameters.put("/roundtrip/large", "x".repeat(6000));
    expect((await parameters.get("/roundtrip/large"))?.length).toBe(6000);
    const error = await parameters
      .put("/roundtrip/huge", "x".repeat(9000))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RoundtripError);
    expect((error as RoundtripError).kind).toBe("configuration");
    expect((error as RoundtripError).message).toContain("/roundtrip/huge (9000 bytes)");
  });

  test("a denied read is denied, not missing", async () => {
    await aws.control("POST", "faults", {
      service: "ssm",
      operation: "GetParameter",
      keyPattern: "^/roundtrip/denied$",
      action: { status: 400, code: "AccessDeniedException" },
    });
    const error = await parameters.get("/roundtrip/denied").catch((reason: unknown) => reason);
    expect((error as RoundtripError).kind).toBe("denied");
  });
});
