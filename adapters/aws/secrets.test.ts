import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { RoundtripError } from "../../core/errors.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { AwsSecrets } from "./secrets.ts";

describe("secrets adapter", () => {
  let aws: TestAws;
  let secrets: AwsSecrets;
  let client: SecretsManagerClient;

  beforeAll(async () => {
    aws = await startTestAws();
    secrets = new AwsSecrets();
    client = new SecretsManagerClient({});
  });
  afterAll(() => aws[Symbol.asyncDispose]());

  const create = (name: string, text: string) =>
    client.send(new CreateSecretCommand({ Name: name, SecretString: text }));
  const failure = async (name: string) => {
    const error = await secrets.get(name).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RoundtripError);
    return error as RoundtripError;
  };

  test("a secret is an object of strings, numbers among them as text", async () => {
    await create("roundtrip/mongodb", '{"username":"dms","password":"p@ss","port":27017}');
    expect(await secrets.get("roundtrip/mongodb")).toEqual({
      username: "dms",
      password: "p@ss",
      port: "27017",
    });
  });

  test("a rotated secret is seen by the next read", async () => {
    await create("roundtrip/rotated", '{"password":"old"}');
    expect((await secrets.get("roundtrip/rotated")).password).toBe("old");
    await client.send(
      new PutSecretValueCommand({ SecretId: "roundtrip/rotated", SecretString: '{"password":"new"}' }),
    );
    expect((await secrets.get("roundtrip/rotated")).password).toBe("new");
  });

  test("a missing secret is named, with the way out", async () => {
    const error = await failure("roundtrip/none");
    expect(error.kind).toBe("configuration");
    expect(error.message).toContain("read secret roundtrip/none");
  });

  test("a secret marked for deletion is a matter of configuration, not of trying again", async () => {
    await create("roundtrip/doomed", "{}");
    await client.send(new DeleteSecretCommand({ SecretId: "roundtrip/doomed" }));
    expect((await failure("roundtrip/doomed")).kind).toBe("configuration");
  });

  test("a value that isn't a JSON object of strings fails without showing any of it", async () => {
    for (const [name, text] of [
      ["plain", "s3cr3t-plain"],
      ["array", '["s3cr3t"]'],
      ["nested", '{"a":{"b":"s3cr3t"}}'],
    ] as const) {
      await create(`roundtrip/bad-${name}`, text);
      const error = await failure(`roundtrip/bad-${name}`);
      expect(error.kind).toBe("configuration");
      expect(Bun.inspect(error)).not.toContain("s3cr3t");
    }
  });
});
