import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as dms from "@aws-sdk/client-database-migration-service";
import * as ec2 from "@aws-sdk/client-ec2";
import * as lambda from "@aws-sdk/client-lambda";
import * as secretsmanager from "@aws-sdk/client-secrets-manager";
import * as ssm from "@aws-sdk/client-ssm";
import { awsCallsOf } from "../support/aws-calls.ts";
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

describe("the roles Terraform runs with", () => {
  const text = readFileSync(join(terraform, "bootstrap/main.apply-role.tf"), "utf8");

  test("apply knows exactly the types the stack makes", () => {
    const known = [...text.matchAll(/^ {4}(aws_\w+)\s+=/gm)].map(([, type]) => type!);
    expect(known.sort()).toEqual([...new Set([...typesIn("modules"), ...typesIn("stack")])].sort());
  });

  describe.skipIf(!terraformProgram)(`made by Terraform${whyNoTerraform}`, () => {
    let world: TestTerraform;
    let folder: string;
    let policies: Readonly<Record<"apply" | "plan" | "releases", { Statement: Statement[] }>>;
    beforeAll(async () => {
      world = await TestTerraform.start();
      folder = join(world.copy(terraform, "terraform-copy"), "bootstrap");
      const variables = [
        "-var=region=us-east-1",
        "-var=state_bucket_name=roundtrip-state",
        "-var=releases_bucket_name=roundtrip-releases-example",
        '-var=github={ repository = "repo:example/shop", environments = ["prod"] }',
      ];
      await world.succeed(folder, "init");
      await world.succeed(folder, "apply", "-auto-approve", ...variables);
      expect(await world.plan(folder, ...variables)).toEqual({});
      policies = {
        apply: await policyOf("roundtrip-apply"),
        plan: await policyOf("roundtrip-plan"),
        releases: await policyOf("roundtrip-releases"),
      };
    });
    afterAll(async () => {
      await world[Symbol.asyncDispose]();
    });

    async function policyOf(role: string): Promise<{ Statement: Statement[] }> {
      const { Attributes } = (await world.call("stored-objects", "StoredObjects.GetObject", {
        TypeName: "aws_iam_role_policy",
        ObjectId: `${role}:${role}`,
      })) as { Attributes: { policy: string } };
      return JSON.parse(Attributes.policy) as { Statement: Statement[] };
    }

    const actionsOf = (role: keyof typeof policies) =>
      policies[role].Statement.flatMap(({ Action }) => Action);

    describe.each(["apply", "plan"] as const)("%s", (role) => {
      test("names each action, and every resource only for what is read", () => {
        expect(actionsOf(role).filter((action) => action.includes("*"))).toEqual([]);
        const wide = policies[role].Statement.filter(({ Resource }) => Resource === "*");
        expect(wide.map(({ Sid }) => Sid).sort()).toEqual(["Follow", "Read"]);
        const changing = wide
          .flatMap(({ Action }) => Action)
          .filter((action) => !/:(Describe|Get|List)/.test(action));
        expect(changing).toEqual([]);
      });

      test("each action is one its service has", () => {
        const sdks: Readonly<Record<string, object>> = { dms, ec2, lambda, secretsmanager, ssm };
        const unknown = actionsOf(role).filter((action) => {
          const [service = "", name = ""] = action
            .replace("lambda:InvokeFunction", "lambda:Invoke")
            .split(":");
          return sdks[service] !== undefined && !(`${name}Command` in sdks[service]);
        });
        expect(unknown).toEqual([]);
      });

      test("fits into one policy of a role: 10,240 characters without blanks", () => {
        expect(JSON.stringify(policies[role]).length).toBeLessThan(10_240);
      });

      test("may do all that roundtrip itself calls with it", async () => {
        const programs =
          role === "apply" ? ["apply", "first-apply", "unlock"] : ["plan", "drift", "readiness", "status"];
        const calls = await Promise.all(programs.map((name) => awsCallsOf(`scripts/roundtrip/${name}.ts`)));
        const needed = new Set(calls.flat().map(({ action }) => action));
        // Only with a bucket for the lock's holders, which apply alone gives (scripts/roundtrip/terraform.ts).
        if (role === "plan") expect(needed.delete("s3:PutObject")).toBe(true);
        expect(needed.size).toBeGreaterThan(5);
        expect([...needed].filter((action) => !actionsOf(role).includes(action))).toEqual([]);
      });
    });

    test("releases may do what workflow release calls, and nothing else", async () => {
      const needed = new Set((await awsCallsOf("scripts/release.ts")).map(({ action }) => action));
      expect(actionsOf("releases").sort()).toEqual([...needed].sort());
    });

    test("plan changes nothing: it looks, and sends the documents that look", () => {
      const others = actionsOf("plan").filter((action) => !/:(Describe|Get|List)/.test(action));
      expect([...new Set(others)]).toEqual(["ssm:SendCommand"]);
      const documents = policies.plan.Statement.filter(({ Sid }) => Sid === "SendDocuments");
      const names = documents.flatMap(({ Resource }) => Resource).map((arn) => arn.replace(/.*-/, ""));
      expect(names.sort()).toEqual(["inspect", "readiness"]);
    });

    test("plan reads no secret's value but those Terraform's plan reads", () => {
      const reading = policies.plan.Statement.filter(({ Action }) =>
        [Action].flat().includes("secretsmanager:GetSecretValue"),
      );
      const names = reading.flatMap(({ Resource }) => Resource).map((arn) => arn.replace(/.*:secret:/, ""));
      expect(names.sort()).toEqual(["roundtrip/*/master-*", "roundtrip/*/replication-*"]);
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
  });
});
