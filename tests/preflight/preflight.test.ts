/** `roundtrip preflight` as a person calls it, against stand-ins of everything: AWS, the host with the worker, both databases. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { MongoClient } from "mongodb";
import { AwsCommands } from "../../adapters/aws/commands.ts";
import { AwsInstances } from "../../adapters/aws/instances.ts";
import { createObjectStore } from "../../adapters/aws/object-store.ts";
import type { PreflightLine, PreflightReport } from "../../core/preflight/model.ts";
import { readInspection } from "../../runbooks/steps/inspection.ts";
import { withVariables } from "../../sandbox/aws/test-server.ts";
import { awsEnvironment, steerAws } from "../../sandbox/up/aws.ts";
import { defaultInstanceId, Sandbox } from "../../sandbox/up/sandbox.ts";
import schema from "../../schemas/preflight.schema.json";
import { type Provisioned, provision } from "../../scripts/drill/provision/provision.ts";
import { secretName } from "../../scripts/drill/provision/users.ts";
import { drillCollections } from "../../scripts/drill/scope.ts";

const root = join(import.meta.dirname, "../..");
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
addFormats(ajv);
const validate = ajv.compile(schema);
const region = "us-east-1";
const masterSecret = "roundtrip/drill/master";

let sandbox: Sandbox;
let provisioned: Provisioned;
let variables: Record<string, string>;
let restoreVariables: Disposable;
let folder: string;
const told: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "preflight-"));
  sandbox = await Sandbox.start();
  const { mongodb = "", documentdb = "", aws = "", host = "" } = sandbox.addresses;
  variables = awsEnvironment(aws, "roundtrip-runner");
  restoreVariables = withVariables(variables);
  // The worker from its sources: the binary is the same code, and takes longer to build than all of this.
  const bin = join(host, "opt/roundtrip/bin");
  provisioned = await provision({
    mongodb,
    documentdb,
    aws,
    hostDirectory: host,
    instanceId: defaultInstanceId,
    toolsFolder: "",
    awsVariables: awsEnvironment(aws, "roundtrip-failback"),
    settings: {},
  });
  mkdirSync(bin, { recursive: true });
  rmSync(join(bin, "roundtrip-worker"), { force: true });
  writeFileSync(
    join(bin, "roundtrip-worker"),
    `#!/bin/sh\nexec "${process.execPath}" "${join(root, "services/main.ts")}" "$@"\n`,
  );
  chmodSync(join(bin, "roundtrip-worker"), 0o755);
  await createCollections(mongodb);
  await createFunction(documentdb);
  writeFileSync(join(folder, "tasks.yaml"), tasksYaml());
  const instances = new AwsInstances({ region });
  await instances.start(defaultInstanceId);
  await instances.waitReady(defaultInstanceId, 60);
}, 120_000);
afterAll(async () => {
  await sandbox?.[Symbol.asyncDispose]();
  restoreVariables?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function createCollections(uri: string): Promise<void> {
  const client = await new MongoClient(uri).connect();
  for (const { database, collection } of drillCollections)
    await client.db(database).createCollection(collection);
  await client.close();
}

async function createFunction(documentdb: string): Promise<void> {
  const archive = join(folder, "create-user-db.zip");
  const script = join(root, "scripts/build-create-user-db.ts");
  expect(Bun.spawnSync([process.execPath, script, "--outfile", archive]).exitCode).toBe(0);
  const SecretString = JSON.stringify({ uri: documentdb });
  await new SecretsManagerClient({}).send(new CreateSecretCommand({ Name: masterSecret, SecretString }));
  await new LambdaClient({}).send(
    new CreateFunctionCommand({
      FunctionName: "create-user-db",
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: "arn:aws:iam::000000000000:role/create-user-db",
      Timeout: 60,
      Code: { ZipFile: readFileSync(archive) },
      Environment: {
        Variables: {
          ROUNDTRIP_ENVIRONMENT: "drill",
          ROUNDTRIP_BUCKET: provisioned.bucket,
          ROUNDTRIP_MASTER_SECRET: masterSecret,
          ROUNDTRIP_REPLICATION_SECRET: secretName("dms_target"),
        },
      },
    }),
  );
  const Value = JSON.stringify({ ...provisioned.environment, createUserDbFunction: "create-user-db" });
  const Name = "/roundtrip/drill/environment";
  await new SSMClient({}).send(new PutParameterCommand({ Name, Value, Type: "String", Overwrite: true }));
}

function tasksYaml(): string {
  const databases = [...new Set(drillCollections.map(({ database }) => database))];
  const tasks = databases.flatMap((database) => [
    `  - id: ${database.replaceAll("_", "-")}`,
    `    database: ${database}`,
    "    collections:",
    ...drillCollections
      .filter((each) => each.database === database)
      .map(({ collection }) => `      - ${collection}`),
  ]);
  return ["version: 1", "tasks:", ...tasks, ""].join("\n");
}

async function preflight(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn(
    [
      process.execPath,
      join(root, "scripts/roundtrip.ts"),
      "preflight",
      "--file",
      join(folder, "tasks.yaml"),
      ...words,
    ],
    { env: { ...process.env, ...variables }, stdout: "pipe", stderr: "pipe" },
  );
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  told.push(out, err);
  return { code, out, err };
}

async function report(...words: string[]): Promise<{ code: number; report: PreflightReport }> {
  const { code, out, err } = await preflight("--json", ...words);
  expect(err).toBe("");
  const parsed = JSON.parse(out) as PreflightReport;
  expect(ajv.errorsText(validate(parsed) ? null : validate.errors)).toBe("No errors");
  return { code, report: parsed };
}

const notOk = ({ lines }: PreflightReport) =>
  lines.filter(({ state }) => state !== "ok").map(({ area, name, state }) => `${area} ${name}: ${state}`);
const find = ({ lines }: PreflightReport, area: string, name: string): PreflightLine | undefined =>
  lines.find((line) => line.area === area && line.name === name);

describe("roundtrip preflight", () => {
  test("an environment of stand-ins: all is seen; the young oplog alone is unknown, which is no success", async () => {
    const { code, report: found } = await report("--env", "drill");
    expect(notOk(found)).toEqual([
      "MongoDB oplog window: unknown",
      "DocumentDB TLS: note",
      "DMS replication instance: note",
    ]);
    expect([code, found.verdict]).toEqual([14, "unknown"]);
    expect(find(found, "MongoDB", "login of the DMS user")?.got).toBe("dms_source logs in");
    expect(find(found, "AWS", "create-user-db")?.got).toBe("create-user-db answered");
    expect(find(found, "DMS", "quota of tasks")?.got).toContain("3 of 600 (account)");
  }, 60_000);

  test("at a terminal the verdict stands first, and each line that isn't ok has its fix", async () => {
    const { out } = await preflight("--env", "drill");
    expect(out).toStartWith(
      "Preflight of drill: UNKNOWN: nothing failed, but not everything could be asked (0 failed, 1 unknown",
    );
    expect(out).toMatch(/UNKNOWN {2}MongoDB: oplog window .*\n {9}expected .*\n {9}fix .*replSetResizeOplog/);
  }, 60_000);

  test("quotas below what tasks.yaml needs, the DMS user's password changed, the master secret emptied: each red by itself", async () => {
    const secrets = new SecretsManagerClient({});
    const source = secretName("dms_source");
    const put = (SecretId: string, fields: object) =>
      secrets.send(new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(fields) }));
    await steerAws(sandbox.addresses.aws!, "dms", { tasksMax: 2 });
    await put(source, { username: "dms_source", password: "planted-other" });
    await put(masterSecret, { username: "root" });
    try {
      const { code, report: found } = await report("--env", "drill");
      expect([code, found.verdict]).toEqual([3, "not-ready"]);
      expect(notOk(found).filter((line) => line.endsWith("failed"))).toEqual([
        "AWS create-user-db: failed",
        "MongoDB login of the DMS user: failed",
        "DMS quota of tasks: failed",
      ]);
      expect(find(found, "AWS", "create-user-db")?.got).toContain(`secret ${masterSecret}`);
      expect(find(found, "DMS", "quota of tasks")).toMatchObject({
        got: expect.stringContaining("3 of 2 (account)"),
        fix: expect.stringContaining("Service Quotas"),
      });
    } finally {
      await steerAws(sandbox.addresses.aws!, "dms", { tasksMax: 600 });
      await put(masterSecret, { uri: sandbox.addresses.documentdb });
      await put(source, { username: "dms_source", password: provisioned.passwords.dms_source });
    }
  }, 60_000);

  test("action inspect travels the same way: what stands on both sides, through SSM, the host and the bucket", async () => {
    const { environment, bucket } = provisioned;
    const store = createObjectStore({ bucket, region });
    const found = await readInspection(new AwsCommands({ region }), store, environment, {
      databases: ["billing"],
    });
    if (!found.mongodb.reachable || !found.documentdb.reachable) throw new Error(JSON.stringify(found));
    const { databases } = found.mongodb;
    expect(databases.map(({ name }) => name)).toEqual(["billing"]);
    expect(databases[0]?.collections.map(({ name }) => name)).toEqual([
      "invoices",
      "ledger_entries",
      "payment_attempts",
    ]);
    expect(found.documentdb.users.map(({ name }) => name)).toContain("dms_target");
  }, 60_000);

  test("an environment that isn't published: that line is red, and nothing that needs it is called ok", async () => {
    const { code, report: found } = await report("--env", "nowhere");
    expect(code).toBe(3);
    expect(find(found, "AWS", "environment is published")).toMatchObject({
      state: "failed",
      fix: expect.stringContaining("apply the stack"),
    });
    const areas = found.lines.filter(({ area, state }) => state === "ok" && area !== "DMS");
    expect(areas).toEqual([]);
  }, 60_000);

  test("the host is off: seen by EC2, and every line that needs it is unknown or red", async () => {
    const instances = new AwsInstances({ region });
    await instances.stop(defaultInstanceId);
    await instances.waitStopped(defaultInstanceId, 60);
    try {
      const { code, report: found } = await report("--env", "drill");
      expect(code).toBe(3);
      expect(find(found, "AWS", "operations host")).toMatchObject({ state: "failed", got: "stopped" });
      expect(find(found, "host", "answers through SSM")?.state).toBe("failed");
      const dark = found.lines.filter(({ area }) => ["host", "MongoDB", "DocumentDB"].includes(area));
      expect(dark.some(({ state }) => state === "ok")).toBe(false);
    } finally {
      await instances.start(defaultInstanceId);
      await instances.waitReady(defaultInstanceId, 60);
    }
  }, 120_000);

  test("wrong usage is exit 2; --help lists the exit codes", async () => {
    for (const words of [
      [],
      ["--env", "../x"],
      ["--env", "drill", "more"],
      ["--env", "drill", "--file", "nowhere.yaml"],
    ])
      expect((await preflight(...words)).code).toBe(2);
    const { code, out } = await preflight("--help");
    expect(code).toBe(0);
    for (const words of ["0   ready", "3   not ready", "14  unknown"]) expect(out).toContain(words);
  }, 60_000);

  test("no output of all these calls holds a password", () => {
    const [, rootPassword = ""] = /\/\/[^:]*:([^@]*)@/.exec(sandbox.addresses.documentdb!) ?? [];
    for (const secret of [...Object.values(provisioned.passwords), rootPassword, "planted-other"])
      for (const text of told) expect(text).not.toContain(secret);
  });
});
