/** plan --env, drift and readiness against the stand-ins: what was changed behind the back is seen, and said. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as dms from "@aws-sdk/client-database-migration-service";
import {
  CreateDocumentCommand,
  GetParameterCommand,
  PutParameterCommand,
  SSMClient,
} from "@aws-sdk/client-ssm";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { DriftReport } from "../../core/drift/model.ts";
import type { Plan } from "../../core/plan/model.ts";
import type { ReadinessReport } from "../../core/readiness/model.ts";
import { version } from "../../package.json";
import { steerAws } from "../../sandbox/up/aws.ts";
import driftSchema from "../../schemas/drift.schema.json";
import planSchema from "../../schemas/plan.schema.json";
import readinessSchema from "../../schemas/readiness.schema.json";
import { ApplyWorld } from "../support/apply-world.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(120_000);

const root = join(import.meta.dirname, "../..");
const tasksYaml = `version: 1
tasks:
  - id: shop-orders
    database: shop_orders
    collections: [orders, order_items]
  - id: billing
    database: billing
    collections: [invoices]
`;
let world: ApplyWorld;

beforeAll(async () => {
  world = await ApplyWorld.start("dev");
  await world.source
    .db("shop_orders")
    .collection("orders")
    .insertMany([{ n: 1 }, { n: 2 }]);
  await world.source.db("shop_orders").collection("order_items").insertOne({ n: 1 });
  await world.source.db("billing").collection("invoices").insertOne({ n: 1 });
  await listEverybody();
  await prepareReadiness();
  await world.begin(tasksYaml);
});
afterAll(async () => await world?.[Symbol.asyncDispose]());

/** The stand-in's first user is an administrator like any other, and DMS's user has what the lambda gives it. */
async function listEverybody(): Promise<void> {
  const ssm = new SSMClient({});
  const Name = "/roundtrip/dev/environment";
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
  const environment = JSON.parse(Parameter!.Value!);
  environment.documentdb.administrators.push("root");
  const Value = JSON.stringify(environment);
  await ssm.send(new PutParameterCommand({ Name, Value, Overwrite: true }));
  writeFileSync(join(world.sandbox.addresses.host!, "etc/roundtrip/environment.json"), Value);
  const roles = ["shop_orders", "billing"].map((db) => ({ role: "readWrite", db }));
  await world.target.db("admin").command({ updateUser: "dms_target", roles });
}

/** The document of action readiness, the failback host, and a worker that knows its version. */
async function prepareReadiness(): Promise<void> {
  const Content = readFileSync(join(root, "runbooks/documents/readiness.json"), "utf8");
  await new SSMClient({}).send(
    new CreateDocumentCommand({
      Name: "roundtrip-dev-readiness",
      Content,
      DocumentType: "Command",
      DocumentFormat: "JSON",
    }),
  );
  await steerAws(world.aws, "instances", { instanceId: "i-0fedcba9876543210", state: "stopped" });
  const worker = join(world.sandbox.addresses.host!, "opt/roundtrip/bin/roundtrip-worker");
  const defined = `--define 'ROUNDTRIP_VERSION="${version}"'`;
  writeFileSync(
    worker,
    `#!/bin/sh\nexec '${process.execPath}' ${defined} '${join(root, "services/main.ts")}' "$@"\n`,
  );
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([process.execPath, join(root, "scripts/roundtrip.ts"), ...args], {
    cwd: world.repository,
    env: process.env,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
}

function parsed<T>(schema: object, text: string): T {
  const ajv = new Ajv2020({ allErrors: true });
  addFormats(ajv);
  const value: unknown = JSON.parse(text);
  const validate = ajv.compile(schema);
  expect(validate(value) ? "" : ajv.errorsText(validate.errors)).toBe("");
  return value as T;
}

async function drift(): Promise<{ code: number; report: DriftReport }> {
  const { code, out, err } = await run("drift", "--env", "dev", "--json");
  if (out === "") throw new Error(err);
  return { code, report: parsed(driftSchema, out) };
}

async function readiness(): Promise<{ code: number; report: ReadinessReport }> {
  const { code, out, err } = await run("readiness", "--env", "dev", "--json");
  if (out === "") throw new Error(err);
  return { code, report: parsed(readinessSchema, out) };
}

describe("an environment that stands as it was applied", () => {
  test("has no drift", async () => {
    const { code, report } = await drift();
    expect([report.findings, report.unread]).toEqual([[], []]);
    expect([code, report.verdict]).toEqual([0, "clean"]);
    const { out } = await run("drift", "--env", "dev", "--markdown");
    expect(out).toContain("### No drift in dev");
  });

  test("is ready", async () => {
    const { code, report } = await readiness();
    const deciding = report.facts.filter(({ decides, state }) => decides && state !== "holds");
    expect(deciding).toEqual([]);
    expect([code, report.verdict]).toEqual([0, "ready"]);
  });

  test("a plan says how much a new collection loads, and what is in its place", async () => {
    await world.source
      .db("billing")
      .collection("payments")
      .insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
    await world.target.db("billing").collection("payments").insertOne({ left: "over" });
    const head = join(world.repository, "next.yaml");
    writeFileSync(head, tasksYaml.replace("[invoices]", "[invoices, payments]"));
    const { code, out } = await run("plan", "--env", "dev", "--head", "next.yaml", "--json");
    const plan = parsed<Plan>(planSchema, out);
    expect([code, plan.base.name, plan.live?.unknown]).toEqual([0, "applied", []]);
    expect(plan.live?.loads).toMatchObject([{ task: "billing", documents: 3 }]);
    expect(plan.live?.occupied).toMatchObject([{ name: "billing.payments", size: { documents: 1 } }]);
    expect(plan.live?.divergence).toEqual([]);
    const offline = await run(
      "plan",
      "--env",
      "dev",
      "--no-live",
      "--base",
      "tasks.yaml",
      "--head",
      "next.yaml",
      "--json",
    );
    expect(parsed<Plan>(planSchema, offline.out).digest).toBe(plan.digest);
    await world.target.db("billing").collection("payments").drop();
    await world.source.db("billing").collection("payments").drop();
  });
});

describe("Terraform beside it", () => {
  test("what it would change is drift; the plan that changes nothing isn't", async () => {
    const file = join(world.repository, "plan.json");
    const written = (resources: readonly object[]) =>
      writeFileSync(
        file,
        JSON.stringify({ format_version: "1.2", planned_values: {}, resource_changes: resources }),
      );
    written([]);
    expect((await run("drift", "--env", "dev", "--terraform", file)).code).toBe(0);
    written([
      {
        address: "module.documentdb.aws_docdb_cluster_parameter_group.this",
        mode: "managed",
        type: "aws_docdb_cluster_parameter_group",
        change: { actions: ["update"], before: { parameter: [1] }, after: { parameter: [2] } },
      },
    ]);
    const { code, out } = await run("drift", "--env", "dev", "--terraform", file);
    expect([code, out]).toEqual([2, expect.stringContaining("Terraform would update it (parameter)")]);
  });
});

describe("what can't be read is unknown", () => {
  test("a host that is off: neither clean nor ready, and a plan isn't nothing", async () => {
    await using _refusing = await refusingCommands();
    const { code, report } = await drift();
    expect(report.unread.map(({ area }) => area)).toEqual(["documentdb", "mongodb"]);
    expect([code, report.verdict, report.findings]).toEqual([14, "unknown", []]);
    const plan = await run("plan", "--env", "dev", "--head", "HEAD");
    expect([plan.code, plan.out]).toEqual([
      14,
      expect.stringContaining("UNKNOWN in part, DocumentDB and MongoDB"),
    ]);
    const ready = await readiness();
    expect([ready.code, ready.report.verdict]).toEqual([14, "unknown"]);
    expect(ready.report.facts.find(({ name }) => name === "host answers")?.state).toBe("unknown");
    expect(ready.report.facts.find(({ name }) => name === "DMS keeps up")?.state).toBe("unknown");
  });
});

describe("changed behind the back", () => {
  test("table mappings changed and a collection dropped: both are named with expected and got, twice the same text", async () => {
    const { arn } = await world.task("shop-orders");
    await world.tasks.stop(arn, 30);
    const client = new dms.DatabaseMigrationServiceClient({});
    const rule = {
      "rule-type": "selection",
      "rule-id": "1",
      "rule-name": "1",
      "object-locator": { "schema-name": "shop_orders", "table-name": "orders" },
      "rule-action": "explicit",
    };
    const TableMappings = JSON.stringify({ rules: [rule] });
    await client.send(new dms.ModifyReplicationTaskCommand({ ReplicationTaskArn: arn, TableMappings }));
    await waitFor("the change", async () => (await world.task("shop-orders")).status === "stopped");
    await world.target.db("billing").collection("invoices").drop();
    const { code, report } = await drift();
    expect(code).toBe(2);
    expect(report.findings.map(({ kind, what, got }) => `${kind} ${what}: ${got}`)).toEqual([
      "task-mappings DMS task shop-orders: without shop_orders.order_items",
      "task-stopped DMS task shop-orders: stopped; NORMAL",
      "collection-missing DocumentDB billing.invoices: no such collection",
    ]);
    const first = await run("drift", "--env", "dev", "--markdown");
    const second = await run("drift", "--env", "dev", "--markdown");
    expect([second.out, second.code]).toEqual([first.out, 2]);
    const plan = await run("plan", "--env", "dev", "--head", "HEAD");
    expect(plan.out).toContain(
      "DMS task shop-orders is not as it was applied: expected mappings of 2 collections",
    );
  });

  test("a task deleted: drift says what comes of it, readiness that nothing would switch over", async () => {
    const { arn } = await world.task("shop-orders");
    await new dms.DatabaseMigrationServiceClient({}).send(
      new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: arn }),
    );
    await waitFor("the task to be gone", async () => (await world.tasks.describe([arn])).length === 0);
    const { report } = await drift();
    expect(report.findings.map(({ kind, what }) => `${kind} ${what}`)).toContain(
      "task-missing DMS task shop-orders",
    );
    const ready = await readiness();
    expect([ready.code, ready.report.verdict]).toEqual([2, "not-ready"]);
    expect(ready.report.facts.find(({ name }) => name === "DMS tasks run")?.value).toBe(
      "shop-orders missing",
    );
  });
});

/** SSM takes no command, as when a host or a right is gone. */
async function refusingCommands(): Promise<AsyncDisposable> {
  const fault = await steerAws<{ id: string }>(world.aws, "faults", {
    service: "ssm",
    operation: "SendCommand",
    times: "unlimited",
    action: { status: 400, code: "InvalidInstanceId" },
  });
  return {
    async [Symbol.asyncDispose]() {
      await steerAws(world.aws, `faults/${fault.id}`, undefined, "DELETE");
    },
  };
}
