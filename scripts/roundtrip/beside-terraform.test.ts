/** roundtrip plan --terraform, drift and readiness as a person runs them, without an environment to ask. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import schema from "../../schemas/plan.schema.json";
import { temporaryFolder } from "../../tests/support/temporary-folder.ts";

const program = join(import.meta.dirname, "../roundtrip.ts");
let folder: string;

beforeAll(() => {
  folder = temporaryFolder("roundtrip-beside");
  write("base.yaml", "version: 1\ntasks: [{id: shop, database: shop, collections: [orders]}]\n");
  write("head.yaml", "version: 1\ntasks: [{id: shop, database: shop, collections: [orders, returns]}]\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

async function run(...args: string[]) {
  const { AWS_ENDPOINT_URL: _endpoint, ...env } = process.env;
  const child = Bun.spawn([process.execPath, program, ...args], {
    cwd: folder,
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
}

function terraformPlan(actions: readonly string[], rest: object = {}): string {
  const task = {
    address: 'module.dms.aws_dms_replication_task.this["shop"]',
    mode: "managed",
    type: "aws_dms_replication_task",
    change: {
      actions,
      before: { replication_task_id: "shop", table_mappings: "planted-secret" },
      after: { replication_task_id: "shop", table_mappings: "planted-secret too" },
      after_sensitive: { table_mappings: true },
      before_sensitive: { table_mappings: true },
      replace_paths: [["migration_type"]],
    },
  };
  return JSON.stringify({ format_version: "1.2", planned_values: {}, resource_changes: [task], ...rest });
}

const offline = ["--env", "prod", "--no-live", "--base", "base.yaml", "--head", "head.yaml"];
const plan = (...args: string[]) => run("plan", ...offline, "--terraform", "plan.json", ...args);

describe("plan beside Terraform", () => {
  test("both say the same: one line, exit 0", async () => {
    write("plan.json", terraformPlan(["update"]));
    const { code, out } = await plan();
    expect(code).toBe(0);
    expect(out).toContain("Terraform in prod: 1 to update; it agrees with this plan");
  });

  test("Terraform would replace a task: exit 13, the problem before anything else, no sensitive value", async () => {
    write("plan.json", terraformPlan(["delete", "create"]));
    const { code, out, err } = await plan();
    expect(code).toBe(13);
    expect(out.indexOf("Terraform disagrees")).toBeLessThan(out.indexOf("Changes"));
    expect(out).toContain(
      `module.dms.aws_dms_replication_task.this["shop"]: Terraform replaces the DMS task shop (forced by migration_type); the plan of tasks.yaml says modify-and-resume`,
    );
    for (const form of ["--json", "--markdown"]) {
      const other = await plan(form);
      expect(other.code).toBe(13);
      expect(`${other.out}${other.err}${out}${err}`).not.toContain("planted-secret");
    }
  });

  test("what a person lets pass is let pass, and said; the digest is the same with and without Terraform", async () => {
    write("plan.json", terraformPlan(["delete", "create"]));
    const accepted = await plan("--accept", 'module.dms.aws_dms_replication_task.this["shop"]', "--json");
    const alone = await run("plan", ...offline, "--json");
    expect([accepted.code, alone.code]).toEqual([0, 0]);
    const [with_, without] = [JSON.parse(accepted.out), JSON.parse(alone.out)];
    const validate = new Ajv2020({ allErrors: true }).compile(schema);
    validate(with_);
    expect(validate.errors).toBeNull();
    expect(with_.terraform.accepted).toEqual(['module.dms.aws_dms_replication_task.this["shop"]']);
    expect(with_.digest).toBe(without.digest);
  });

  test("a file that is no plan, or one cut short, is refused without a word of it", async () => {
    write("plan.json", terraformPlan(["update"]).slice(0, -20));
    const { code, out, err } = await plan();
    expect([code, out]).toEqual([6, ""]);
    expect(err).toContain("characters that are not JSON");
    expect(err).not.toContain("planted-secret");
    write("plan.json", terraformPlan(["update"], { errored: true }));
    expect((await plan()).code).toBe(3);
  });

  test("the command line: Terraform needs an environment, accepting needs Terraform, and a file", async () => {
    const withoutEnvironment = await run("plan", "--base", "base.yaml", "--terraform", "plan.json");
    expect([withoutEnvironment.code, withoutEnvironment.err]).toEqual([
      2,
      expect.stringContaining("add --env"),
    ]);
    expect((await run("plan", ...offline, "--accept", "x")).code).toBe(2);
    expect((await run("plan", ...offline, "--terraform", "nowhere.json")).code).toBe(2);
    expect((await run("plan", "--env", "staging")).err).toContain("dev|qa|prod");
    expect((await run("plan")).code).toBe(2);
  });
});

describe("drift and readiness: 2 has a meaning of its own, so a wrong command line is 64", () => {
  for (const command of ["drift", "readiness"])
    test(command, async () => {
      expect((await run(command)).code).toBe(64);
      expect((await run(command, "--env", "staging")).code).toBe(64);
      expect((await run(command, "--env", "dev", "--nonsense")).code).toBe(64);
      expect((await run(command, "--env", "dev", "--json", "--markdown")).code).toBe(64);
      const help = await run(command, "--help");
      expect([help.code, help.out]).toEqual([0, expect.stringMatching(/^ {2}2 +(drift|not ready)/m)]);
    });
});
