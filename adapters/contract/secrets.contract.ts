import { expect } from "bun:test";
import { randomBytes, randomUUID } from "node:crypto";
import * as secrets from "@aws-sdk/client-secrets-manager";
import type { ContractSubject } from "./endpoint.ts";
import { contractSuite, errorName, type Scenario } from "./suite.ts";

class Bench {
  private opened: secrets.SecretsManagerClient | undefined;

  get client(): secrets.SecretsManagerClient {
    this.opened ??= new secrets.SecretsManagerClient({});
    return this.opened;
  }

  name(): string {
    return `contract/${randomBytes(6).toString("hex")}`;
  }

  create(Name: string, SecretString: string, more: Partial<secrets.CreateSecretCommandInput> = {}) {
    return this.client.send(new secrets.CreateSecretCommand({ Name, SecretString, ...more }));
  }

  async text(
    SecretId: string,
    more: Partial<secrets.GetSecretValueCommandInput> = {},
  ): Promise<string | undefined> {
    return (await this.client.send(new secrets.GetSecretValueCommand({ SecretId, ...more }))).SecretString;
  }

  put(SecretId: string, SecretString: string, more: Partial<secrets.PutSecretValueCommandInput> = {}) {
    return this.client.send(new secrets.PutSecretValueCommand({ SecretId, SecretString, ...more }));
  }
}

function values(scenario: Scenario, bench: Bench): void {
  scenario("a secret is read by name, by ARN, and by the ARN without its suffix", async () => {
    const name = bench.name();
    const { ARN } = await bench.create(name, '{"password":"one"}');
    expect(ARN).toMatch(
      new RegExp(`^arn:aws:secretsmanager:us-east-1:\\d{12}:secret:${name}-[A-Za-z0-9]{6}$`),
    );
    for (const id of [name, ARN!, ARN!.slice(0, -7)]) expect(await bench.text(id)).toBe('{"password":"one"}');
  });

  scenario("binary secrets come back as bytes", async () => {
    const Name = bench.name();
    const SecretBinary = randomBytes(100);
    await bench.client.send(new secrets.CreateSecretCommand({ Name, SecretBinary }));
    const got = await bench.client.send(new secrets.GetSecretValueCommand({ SecretId: Name }));
    expect(Buffer.from(got.SecretBinary!).equals(SecretBinary)).toBe(true);
  });

  scenario("a missing secret, and a name that is taken", async () => {
    const name = bench.name();
    expect(await errorName(bench.text(name))).toBe("ResourceNotFoundException");
    await bench.create(name, "one");
    expect(await errorName(bench.create(name, "two"))).toBe("ResourceExistsException");
    expect(await bench.text(name)).toBe("one");
  });

  scenario("a new value becomes AWSCURRENT, the one before AWSPREVIOUS", async () => {
    const name = bench.name();
    const { VersionId: first } = await bench.create(name, "one");
    const { VersionId: second } = await bench.put(name, "two");
    expect(await bench.text(name)).toBe("two");
    expect(await bench.text(name, { VersionStage: "AWSPREVIOUS" })).toBe("one");
    expect(await bench.text(name, { VersionId: first })).toBe("one");
    const { VersionIdsToStages } = await bench.client.send(
      new secrets.DescribeSecretCommand({ SecretId: name }),
    );
    expect(VersionIdsToStages).toEqual({ [first!]: ["AWSPREVIOUS"], [second!]: ["AWSCURRENT"] });
    await bench.put(name, "three");
    expect(await bench.text(name, { VersionStage: "AWSPREVIOUS" })).toBe("two");
  });

  scenario("a pending version stays beside the current one until its label is moved", async () => {
    const name = bench.name();
    const { VersionId: first } = await bench.create(name, "one");
    const { VersionId: pending } = await bench.put(name, "two", { VersionStages: ["AWSPENDING"] });
    expect(await bench.text(name)).toBe("one");
    expect(await bench.text(name, { VersionStage: "AWSPENDING" })).toBe("two");
    await bench.client.send(
      new secrets.UpdateSecretVersionStageCommand({
        SecretId: name,
        VersionStage: "AWSCURRENT",
        MoveToVersionId: pending,
        RemoveFromVersionId: first,
      }),
    );
    expect(await bench.text(name)).toBe("two");
    expect(await bench.text(name, { VersionStage: "AWSPREVIOUS" })).toBe("one");
  });

  scenario(
    "the same request token with the same value is one version, with another value an error",
    async () => {
      const name = bench.name();
      await bench.create(name, "one");
      const ClientRequestToken = randomUUID();
      await bench.put(name, "two", { ClientRequestToken });
      await bench.put(name, "two", { ClientRequestToken });
      expect(await errorName(bench.put(name, "three", { ClientRequestToken }))).toBe(
        "ResourceExistsException",
      );
      expect(await bench.text(name)).toBe("two");
      expect(await bench.text(name, { VersionStage: "AWSPREVIOUS" })).toBe("one");
    },
  );
}

function labels(scenario: Scenario, bench: Bench): void {
  scenario(
    "versions are listed by their labels; one whose last label is taken off is listed no more",
    async () => {
      const name = bench.name();
      const { VersionId: first } = await bench.create(name, "one");
      const { VersionId: second } = await bench.put(name, "two", { VersionStages: ["AWSPENDING"] });
      const shown = async () => {
        const { Versions = [] } = await bench.client.send(
          new secrets.ListSecretVersionIdsCommand({ SecretId: name }),
        );
        return Object.fromEntries(Versions.map(({ VersionId, VersionStages }) => [VersionId, VersionStages]));
      };
      expect(await shown()).toEqual({ [first!]: ["AWSCURRENT"], [second!]: ["AWSPENDING"] });
      await bench.client.send(
        new secrets.UpdateSecretVersionStageCommand({
          SecretId: name,
          VersionStage: "AWSPENDING",
          RemoveFromVersionId: second,
        }),
      );
      expect(await shown()).toEqual({ [first!]: ["AWSCURRENT"] });
      expect(await errorName(bench.text(name, { VersionStage: "AWSPENDING" }))).toBe(
        "ResourceNotFoundException",
      );
    },
  );
}

function life(scenario: Scenario, bench: Bench): void {
  scenario("a deleted secret can't be read, its name stays taken, and it can be restored", async () => {
    const name = bench.name();
    await bench.create(name, "one");
    const { DeletionDate } = await bench.client.send(
      new secrets.DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: 7 }),
    );
    const days = (DeletionDate!.getTime() - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThan(7.1);
    expect(await errorName(bench.text(name))).toBe("InvalidRequestException");
    expect(await errorName(bench.create(name, "two"))).toBe("InvalidRequestException");
    const described = await bench.client.send(new secrets.DescribeSecretCommand({ SecretId: name }));
    expect(described.DeletedDate).toBeInstanceOf(Date);
    await bench.client.send(new secrets.RestoreSecretCommand({ SecretId: name }));
    expect(await bench.text(name)).toBe("one");
  });

  scenario("a deletion without recovery frees the name at once", async () => {
    const name = bench.name();
    await bench.create(name, "one");
    await bench.client.send(
      new secrets.DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }),
    );
    expect(await errorName(bench.text(name))).toBe("ResourceNotFoundException");
    await bench.create(name, "two");
    expect(await bench.text(name)).toBe("two");
  });

  scenario("a recovery window outside 7 to 30 days is refused", async () => {
    const name = bench.name();
    await bench.create(name, "one");
    const days = (RecoveryWindowInDays: number) =>
      errorName(bench.client.send(new secrets.DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays })));
    expect(await days(6)).toBe("InvalidParameterException");
    expect(await days(31)).toBe("InvalidParameterException");
    expect(await bench.text(name)).toBe("one");
  });

  scenario(
    "update changes description and value; tags, list and describe show everything but the value",
    async () => {
      const name = bench.name();
      await bench.create(name, "value-to-hide", { Tags: [{ Key: "owner", Value: "data" }] });
      await bench.client.send(
        new secrets.UpdateSecretCommand({
          SecretId: name,
          Description: "replication user",
          SecretString: "new-value-to-hide",
        }),
      );
      expect(await bench.text(name)).toBe("new-value-to-hide");
      await bench.client.send(
        new secrets.TagResourceCommand({ SecretId: name, Tags: [{ Key: "stage", Value: "qa" }] }),
      );
      await bench.client.send(new secrets.UntagResourceCommand({ SecretId: name, TagKeys: ["owner"] }));
      const described = await bench.client.send(new secrets.DescribeSecretCommand({ SecretId: name }));
      expect([described.Description, described.Tags]).toEqual([
        "replication user",
        [{ Key: "stage", Value: "qa" }],
      ]);
      const Filters = [{ Key: "name" as const, Values: [name] }];
      const { SecretList } = await bench.client.send(new secrets.ListSecretsCommand({ Filters }));
      expect(SecretList?.map(({ Name }) => Name)).toEqual([name]);
      expect(JSON.stringify([described, SecretList])).not.toContain("value-to-hide");
    },
  );

  scenario("a random password has the length asked for and none of the excluded characters", async () => {
    const { RandomPassword } = await bench.client.send(
      new secrets.GetRandomPasswordCommand({
        PasswordLength: 64,
        ExcludeCharacters: '/"@',
        ExcludePunctuation: true,
      }),
    );
    expect(RandomPassword).toMatch(/^[A-Za-z0-9]{64}$/);
  });
}

/** Secrets Manager as the product and Terraform's provider use it. */
export function secretsContract(subject: ContractSubject): void {
  contractSuite("Secrets Manager contract", subject, (scenario) => {
    const bench = new Bench();
    values(scenario, bench);
    labels(scenario, bench);
    life(scenario, bench);
  });
}
