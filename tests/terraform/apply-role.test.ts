import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as dms from "@aws-sdk/client-database-migration-service";
import * as ec2 from "@aws-sdk/client-ec2";
import * as lambda from "@aws-sdk/client-lambda";
import * as secretsmanager from "@aws-sdk/client-secrets-manager";
import * as ssm from "@aws-sdk/client-ssm";
import { TestTerraform, terraformProgram, whyNoTerraform } from "../support/terraform.ts";

setDefaultTimeout(120_000);

const terraform = join(import.meta.dirname, "../../terraform");

/** Types of the resources below a folder. */
function typesIn(folder: string): string[] {
  const files = readdirSync(join(terraform, folder), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".tf") && !file.includes("tests/"))
    .map((file) => readFileSync(join(terraform, folder, file), "utf8"))
    .flatMap((text) => [...text.matchAll(/^resource "(aws_\w+)"/gm)].map(([, type]) => type!));
}

interface Statement {
  readonly Sid: string;
  readonly Action: string | string[];
  readonly Resource: string | string[];
}

describe("the apply role", () => {
  const text = readFileSync(join(terraform, "bootstrap/main.apply-role.tf"), "utf8");

  test("knows exactly the types the stack makes", () => {
    const known = [...text.matchAll(/^ {4}(aws_\w+)\s+=/gm)].map(([, type]) => type!);
    expect(known.sort()).toEqual([...new Set([...typesIn("modules"), ...typesIn("stack")])].sort());
  });

  describe.skipIf(!terraformProgram)(`made by Terraform${whyNoTerraform}`, () => {
    let world: TestTerraform;
    let folder: string;
    let policy: Record<string, unknown>;
    beforeAll(async () => {
      world = await TestTerraform.start();
      folder = join(world.copy(terraform, "terraform-copy"), "bootstrap");
      const variables = [
        "-var=region=us-east-1",
        "-var=state_bucket_name=roundtrip-state",
        '-var=apply_subjects=["repo:example/shop:environment:prod"]',
      ];
      await world.succeed(folder, "init");
      await world.succeed(folder, "apply", "-auto-approve", ...variables);
      expect(await world.plan(folder, ...variables)).toEqual({});
      const { Attributes } = (await world.call("stored-objects", "StoredObjects.GetObject", {
        TypeName: "aws_iam_role_policy",
        ObjectId: "roundtrip-apply:roundtrip-apply",
      })) as { Attributes: { policy: string } };
      policy = JSON.parse(Attributes.policy) as Record<string, unknown>;
    });
    afterAll(async () => {
      await world[Symbol.asyncDispose]();
    });

    test("names each action, and every resource only for what is read", () => {
      const statements = policy.Statement as Statement[];
      expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes("*"))).toEqual([]);
      const wide = statements.filter(({ Resource }) => Resource === "*");
      expect(wide.map(({ Sid }) => Sid)).toEqual(["Read"]);
      const changing = [wide[0]!.Action].flat().filter((action) => !/:(Describe|Get)/.test(action));
      expect(changing).toEqual([]);
    });

    test("each action is one its service has", () => {
      const sdks: Readonly<Record<string, object>> = { dms, ec2, lambda, secretsmanager, ssm };
      const actions = (policy.Statement as Statement[]).flatMap(({ Action }) => Action);
      const unknown = actions.filter((action) => {
        const [service = "", name = ""] = action.replace("lambda:InvokeFunction", "lambda:Invoke").split(":");
        return sdks[service] !== undefined && !(`${name}Command` in sdks[service]);
      });
      expect(unknown).toEqual([]);
    });

    test("a prefix that can't begin the names is refused", async () => {
      const run = await world.run(
        folder,
        "plan",
        "-var=region=us-east-1",
        "-var=state_bucket_name=a-b-c",
        "-var=name_prefix=Round/Trip",
      );
      expect({ exitCode: run.exitCode, says: run.stderr.includes("name_prefix must be 2 to 31") }).toEqual({
        exitCode: 1,
        says: true,
      });
    });

    test("fits into one policy of a role: 10,240 characters without blanks", () => {
      expect(JSON.stringify(policy).length).toBeLessThan(10_240);
    });
  });
});
