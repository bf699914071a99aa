import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { versionIdOf } from "../../core/credentials/secret-fields.ts";
import { RoundtripError } from "../../core/errors.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { AwsSecretVersions } from "./secret-versions.ts";

let aws: TestAws;
let versions: AwsSecretVersions;

beforeAll(async () => {
  aws = await startTestAws();
  versions = new AwsSecretVersions({ attemptsMax: 2 });
});
afterAll(() => aws[Symbol.asyncDispose]());

async function secret(value: object = { username: "dms", password: "one", port: 27017 }): Promise<string> {
  const Name = `roundtrip/${randomBytes(5).toString("hex")}`;
  await new SecretsManagerClient({}).send(
    new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }),
  );
  return Name;
}
const labels = async (name: string) =>
  Object.fromEntries((await versions.list(name)).map(({ id, labels }) => [id, [...labels].sort()]));

describe("versions of a secret", () => {
  test("a pending version stands beside the current one, is promoted, and the one before stays as previous", async () => {
    const name = await secret();
    const [before] = await versions.list(name);
    const id = versionIdOf("operation-1", "replication");
    await versions.putPending(name, id, { username: "dms_b", password: "two" });
    expect(await versions.read(name, { label: "AWSCURRENT" })).toEqual({
      username: "dms",
      password: "one",
      port: "27017",
    });
    expect(await versions.read(name, { id })).toEqual({ username: "dms_b", password: "two" });
    await versions.promote(name, before!.id, id);
    await versions.removeLabel(name, id, "AWSPENDING");
    expect(await labels(name)).toEqual({ [before!.id]: ["AWSPREVIOUS"], [id]: ["AWSCURRENT"] });
    await versions.removeLabel(name, before!.id, "AWSPREVIOUS");
    await versions.removeLabel(name, before!.id, "AWSPREVIOUS");
    expect(await labels(name)).toEqual({ [id]: ["AWSCURRENT"] });
  });

  test("a second try of one operation keeps the first try's version, whatever it brings", async () => {
    const name = await secret();
    const id = versionIdOf("operation-2", "replication");
    await versions.putPending(name, id, { username: "dms", password: "first" });
    await versions.putPending(name, id, { username: "dms", password: "second" });
    expect((await versions.read(name, { label: "AWSPENDING" }))?.password).toBe("first");
  });

  test("a version that isn't there is undefined, a secret that isn't is named", async () => {
    const name = await secret();
    expect(await versions.read(name, { label: "AWSPENDING" })).toBeUndefined();
    expect(await versions.read(name, { id: "0".repeat(64) })).toBeUndefined();
    const error = await versions.list("roundtrip/none").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RoundtripError);
    expect(error).toMatchObject({
      kind: "configuration",
      what: "list the versions of secret roundtrip/none",
    });
  });

  test("no failure repeats a value", async () => {
    const name = await secret();
    const id = versionIdOf("operation-3", "replication");
    for (const operation of ["PutSecretValue", "UpdateSecretVersionStage", "GetSecretValue"]) {
      await aws.control("POST", "faults", {
        operation,
        times: "unlimited",
        action: { status: 403, code: "AccessDenied" },
      });
      const failures = await Promise.all(
        [
          versions.putPending(name, id, { username: "dms", password: "value-to-hide" }),
          versions.promote(name, id, id),
          versions.read(name, { label: "AWSCURRENT" }),
        ].map((call) => call.catch((reason: unknown) => reason)),
      );
      await aws.control("DELETE", "faults");
      const denied = failures.filter(
        (failure) => failure instanceof RoundtripError && failure.kind === "denied",
      );
      expect(denied.length).toBeGreaterThan(0);
      expect(failures.map(String).join()).not.toContain("value-to-hide");
    }
  });
});
