import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import * as ssm from "@aws-sdk/client-ssm";
import type { ContractSubject } from "./endpoint.ts";
import { contractSuite, errorOf, type Scenario } from "./suite.ts";

class Bench {
  private opened: ssm.SSMClient | undefined;

  get client(): ssm.SSMClient {
    this.opened ??= new ssm.SSMClient({});
    return this.opened;
  }

  /** A hierarchy of this scenario's own. */
  path(): string {
    return `/contract/${randomBytes(6).toString("hex")}`;
  }

  put(Name: string, Value: string, more: Partial<ssm.PutParameterCommandInput> = {}) {
    return this.client.send(new ssm.PutParameterCommand({ Name, Value, Type: "String", ...more }));
  }

  async get(Name: string, WithDecryption = false): Promise<ssm.Parameter> {
    return (await this.client.send(new ssm.GetParameterCommand({ Name, WithDecryption }))).Parameter!;
  }
}

function writing(scenario: Scenario, bench: Bench): void {
  scenario("a parameter is read back with type, version and ARN", async () => {
    const name = `${bench.path()}/endpoint`;
    expect((await bench.put(name, "one")).Version).toBe(1);
    const { Name, Value, Type, Version, ARN, LastModifiedDate, DataType } = await bench.get(name);
    expect({ Name, Value, Type, Version, DataType }).toEqual({
      Name: name,
      Value: "one",
      Type: "String",
      Version: 1,
      DataType: "text",
    });
    expect(ARN).toMatch(new RegExp(`^arn:aws:ssm:us-east-1:\\d{12}:parameter${name}$`));
    expect(LastModifiedDate).toBeInstanceOf(Date);
  });

  scenario("an existing parameter is replaced only with Overwrite, as the next version", async () => {
    const name = `${bench.path()}/a`;
    await bench.put(name, "one");
    expect(await errorOf(bench.put(name, "two"))).toBe("ParameterAlreadyExists 400");
    expect((await bench.put(name, "two", { Overwrite: true })).Version).toBe(2);
    expect((await bench.get(name)).Value).toBe("two");
    expect((await bench.get(`${name}:1`)).Value).toBe("one");
    expect(await errorOf(bench.get(`${name}:9`))).toBe("ParameterVersionNotFound 400");
  });

  scenario("a SecureString is hidden without decryption", async () => {
    const name = `${bench.path()}/secret`;
    await bench.put(name, "hush", { Type: "SecureString" });
    const hidden = await bench.get(name);
    expect([hidden.Type, hidden.Value === "hush"]).toEqual(["SecureString", false]);
    expect((await bench.get(name, true)).Value).toBe("hush");
  });

  scenario("4 KB fit the standard tier, 8 KB the advanced one, more fits none", async () => {
    const path = bench.path();
    await bench.put(`${path}/standard`, "x".repeat(4096));
    expect(await errorOf(bench.put(`${path}/standard-large`, "x".repeat(4097)))).toBe(
      "ValidationException 400",
    );
    expect((await bench.put(`${path}/advanced`, "x".repeat(8192), { Tier: "Advanced" })).Tier).toBe(
      "Advanced",
    );
    expect(await errorOf(bench.put(`${path}/larger`, "x".repeat(8193), { Tier: "Advanced" }))).toBe(
      "ValidationException 400",
    );
    const intelligent = await bench.put(`${path}/intelligent`, "x".repeat(5000), {
      Tier: "Intelligent-Tiering",
    });
    expect(intelligent.Tier).toBe("Advanced");
  });

  scenario("a value that misses AllowedPattern is refused", async () => {
    const name = `${bench.path()}/pattern`;
    expect(await errorOf(bench.put(name, "abc", { AllowedPattern: "^\\d+$" }))).toBe(
      "ParameterPatternMismatchException 400",
    );
    await bench.put(name, "123", { AllowedPattern: "^\\d+$" });
  });

  scenario("names: aws and ssm are reserved, a new parameter needs a type", async () => {
    expect(await errorOf(bench.put("/aws/x", "x"))).toBe("AccessDeniedException 400");
    expect(await errorOf(bench.put("aws-x", "x"))).toBe("ValidationException 400");
    expect(await errorOf(bench.put("ssm-x", "x"))).toBe("ValidationException 400");
    const typeless = new ssm.PutParameterCommand({ Name: `${bench.path()}/typeless`, Value: "x" });
    expect(await errorOf(bench.client.send(typeless))).toBe("ValidationException 400");
  });
}

function reading(scenario: Scenario, bench: Bench): void {
  scenario("several are read at once, missing ones named", async () => {
    const path = bench.path();
    await bench.put(`${path}/a`, "1");
    await bench.put(`${path}/b`, "2");
    const Names = [`${path}/a`, `${path}/none`, `${path}/b`];
    const { Parameters, InvalidParameters } = await bench.client.send(
      new ssm.GetParametersCommand({ Names }),
    );
    expect(Parameters?.map(({ Value }) => Value).sort()).toEqual(["1", "2"]);
    expect(InvalidParameters).toEqual([`${path}/none`]);
  });

  scenario("a path is read level by level or as a whole, page by page", async () => {
    const Path = bench.path();
    for (const name of ["a", "b", "deep/c", "deep/er/d"]) await bench.put(`${Path}/${name}`, name);
    await bench.put(`${Path}x`, "a sibling whose name begins the same");
    const names = async (more: Partial<ssm.GetParametersByPathCommandInput>) => {
      const seen: (string | undefined)[] = [];
      let NextToken: string | undefined;
      do {
        const page: ssm.GetParametersByPathCommandOutput = await bench.client.send(
          new ssm.GetParametersByPathCommand({ Path, NextToken, ...more }),
        );
        seen.push(...(page.Parameters ?? []).map(({ Value }) => Value));
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      return seen.sort();
    };
    expect(await names({})).toEqual(["a", "b"]);
    expect(await names({ Recursive: true, MaxResults: 2 })).toEqual(["a", "b", "deep/c", "deep/er/d"]);
  });

  scenario("history holds every version", async () => {
    const Name = `${bench.path()}/history`;
    for (const value of ["1", "2", "3"]) await bench.put(Name, value, { Overwrite: true });
    const { Parameters } = await bench.client.send(new ssm.GetParameterHistoryCommand({ Name }));
    expect(Parameters?.map(({ Value, Version }) => `${Version}=${Value}`)).toEqual(["1=1", "2=2", "3=3"]);
  });

  scenario("describe filters by name and shows no value", async () => {
    const path = bench.path();
    await bench.put(`${path}/a`, "value-to-hide", { Description: "what it is for" });
    const ParameterFilters = [{ Key: "Name", Option: "BeginsWith", Values: [path] }];
    const { Parameters } = await bench.client.send(new ssm.DescribeParametersCommand({ ParameterFilters }));
    expect(Parameters?.map(({ Name, Description }) => [Name, Description])).toEqual([
      [`${path}/a`, "what it is for"],
    ]);
    expect(JSON.stringify(Parameters)).not.toContain("value-to-hide");
  });

  scenario("a deleted parameter is gone, and deleting it again fails", async () => {
    const Name = `${bench.path()}/gone`;
    await bench.put(Name, "x");
    await bench.client.send(new ssm.DeleteParameterCommand({ Name }));
    expect(await errorOf(bench.get(Name))).toBe("ParameterNotFound 400");
    expect(await errorOf(bench.client.send(new ssm.DeleteParameterCommand({ Name })))).toBe(
      "ParameterNotFound 400",
    );
    const many = await bench.client.send(new ssm.DeleteParametersCommand({ Names: [Name] }));
    expect(many.InvalidParameters).toEqual([Name]);
  });

  scenario("tags are added, listed and removed; not together with Overwrite", async () => {
    const ResourceId = `${bench.path()}/tagged`;
    await bench.put(ResourceId, "x", { Tags: [{ Key: "owner", Value: "data" }] });
    const resource = { ResourceType: "Parameter", ResourceId } as const;
    await bench.client.send(
      new ssm.AddTagsToResourceCommand({ ...resource, Tags: [{ Key: "stage", Value: "qa" }] }),
    );
    await bench.client.send(new ssm.RemoveTagsFromResourceCommand({ ...resource, TagKeys: ["owner"] }));
    const { TagList } = await bench.client.send(new ssm.ListTagsForResourceCommand(resource));
    expect(TagList).toEqual([{ Key: "stage", Value: "qa" }]);
    const both = bench.put(ResourceId, "y", { Overwrite: true, Tags: [{ Key: "a", Value: "b" }] });
    expect(await errorOf(both)).toBe("ValidationException 400");
  });
}

/** SSM Parameter Store as the product and Terraform's provider use it. */
export function parametersContract(subject: ContractSubject): void {
  contractSuite("Parameter Store contract", subject, (scenario) => {
    const bench = new Bench();
    writing(scenario, bench);
    reading(scenario, bench);
  });
}
