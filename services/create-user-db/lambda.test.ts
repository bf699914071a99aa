/** The archive as it is deployed, run by the Lambda of the AWS stand-in against the DocumentDB stand-in. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import Ajv2020 from "ajv/dist/2020.js";
import { type Document, MongoClient } from "mongodb";
import type { ProvisionRequest, ProvisionResponse } from "../../core/provision/model.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import schema from "../../schemas/provision-response.schema.json";

const validate = new Ajv2020({ strict: true, strictTypes: false }).compile(schema);
const root = join(import.meta.dirname, "../..");
const planted = ["planted-first-4711", "planted-second-0815", "planted/third @:%4242"] as const;
const wrongPassword = "planted-wrong-9999";

let aws: TestAws;
let sandbox: Sandbox;
let folder: string;
let client: MongoClient;
let lambda: LambdaClient;
/** All that any invocation told: answers, errors, logs. */
const told: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "create-user-db-"));
  [aws, sandbox] = await Promise.all([startTestAws(), Sandbox.start({ only: ["documentdb"] })]);
  client = await new MongoClient(sandbox.addresses.documentdb!).connect();
  await client.db("admin").command({ _sandbox: "set", staleAuthorizationMs: 0 });
  const archive = join(folder, "create-user-db.zip");
  const built = Bun.spawnSync([
    process.execPath,
    join(root, "scripts/build-create-user-db.ts"),
    "--outfile",
    archive,
  ]);
  expect(built.stderr.toString()).toBe("");
  lambda = new LambdaClient({});
  await new S3Client({}).send(new CreateBucketCommand({ Bucket: "bucket" }));
  await putSecret("master", { uri: sandbox.addresses.documentdb! });
  await putSecret("dms", { username: "dms", password: planted[0] });
  await createFunction("dev", archive);
  await createFunction("prod", archive);
  await createFunction("wrong", archive, { ROUNDTRIP_MASTER_SECRET: "master-wrong" });
  await createFunction("nowhere", archive, { ROUNDTRIP_MASTER_SECRET: "master-nowhere" });
  await createFunction("tls", archive, { ROUNDTRIP_MASTER_SECRET: "master-tls" });
  await createFunction("keyless", archive, { ROUNDTRIP_MASTER_SECRET: "master-keyless" });
  await createFunction("unset", archive, { ROUNDTRIP_BUCKET: "" });
}, 60_000);
afterAll(async () => {
  await client?.close();
  await Promise.all([sandbox?.[Symbol.asyncDispose](), aws?.[Symbol.asyncDispose]()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await putSecret("dms", { username: "dms", password: planted[0] });
  for (const user of ["dms", "dms2"])
    await client
      .db("admin")
      .command({ dropUser: user })
      .catch(() => {});
  for (const name of ["shop", "billing"]) await client.db(name).dropDatabase();
});

async function putSecret(name: string, fields: object): Promise<void> {
  const secrets = new SecretsManagerClient({});
  const SecretString = JSON.stringify(fields);
  try {
    await secrets.send(new CreateSecretCommand({ Name: name, SecretString }));
  } catch {
    await secrets.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
  }
}

async function createFunction(
  name: string,
  archive: string,
  variables: Record<string, string> = {},
): Promise<void> {
  const Variables = {
    ROUNDTRIP_ENVIRONMENT: name === "prod" ? "prod" : "dev",
    ROUNDTRIP_BUCKET: "bucket",
    ROUNDTRIP_MASTER_SECRET: "master",
    ROUNDTRIP_REPLICATION_SECRET: "dms",
    ...variables,
  };
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: "arn:aws:iam::000000000000:role/create-user-db",
      Timeout: 60,
      Code: { ZipFile: readFileSync(archive) },
      Environment: { Variables },
    }),
  );
  const until = performance.now() + 10_000;
  const state = async () =>
    (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))).State;
  while ((await state()) !== "Active") {
    if (performance.now() > until) throw new Error(`function ${name} did not become active`);
    await Bun.sleep(50);
  }
}

interface Told {
  readonly answer?: ProvisionResponse;
  readonly error?: string;
  readonly log: string;
}

async function tell(name: string, request: unknown): Promise<Told> {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(request), LogType: "Tail" }),
  );
  const payload = Buffer.from(answer.Payload ?? []).toString();
  const log = Buffer.from(answer.LogResult ?? "", "base64").toString();
  told.push(payload, log);
  if (answer.FunctionError) return { error: JSON.parse(payload).errorMessage as string, log };
  const response = JSON.parse(payload) as ProvisionResponse;
  expect(validate(response)).toBe(true);
  return { answer: response, log };
}

const shop = { name: "shop", collections: ["orders", "customers"] } as const;
const dev = (more: Partial<ProvisionRequest> = {}): ProvisionRequest => ({
  version: 1,
  environment: "dev",
  databases: [shop],
  ...more,
});
const prod = (more: Partial<ProvisionRequest> = {}) => dev({ environment: "prod", ...more });
const names = (items: readonly { kind: string; name: string }[] | undefined) =>
  items?.map(({ kind, name }) => `${kind} ${name}`);

async function standing(database: string): Promise<string[]> {
  return (await client.db(database).listCollections().toArray()).map(({ name }) => name).sort();
}

async function rolesOf(user: string): Promise<Document[] | undefined> {
  const { users } = await client.db("admin").command({ usersInfo: user });
  return (users as Document[])[0]?.roles as Document[] | undefined;
}

/** Writes as a user; gives the code it is refused with, or 0. */
async function write(username: string, password: string, database: string): Promise<number> {
  const uri = sandbox.addresses.documentdb!.replace(/\/\/[^@]*@/, "//");
  const options = { auth: { username, password }, authSource: "admin", serverSelectionTimeoutMS: 3000 };
  const own = new MongoClient(uri, options);
  try {
    await own.db(database).collection("written").insertOne({ a: 1 });
    return 0;
  } catch (error) {
    return Number((error as { code?: number }).code);
  } finally {
    await own.close();
  }
}

describe("create-user-db, called directly", () => {
  test("creates user, databases and collections; run again it changes nothing", async () => {
    const first = await tell("dev", dev());
    expect(names(first.answer?.created)).toEqual([
      "user dms",
      "database shop",
      "collection shop.orders",
      "collection shop.customers",
    ]);
    expect(await standing("shop")).toEqual(["customers", "orders"]);
    const again = await tell("dev", dev());
    expect(again.answer).toMatchObject({ created: [], updated: [], dropped: [], kept: [] });
    expect(names(again.answer?.unchanged)).toEqual([
      "user dms",
      "database shop",
      "collection shop.orders",
      "collection shop.customers",
    ]);
  }, 30_000);

  test("the DMS user reads and writes the declared databases, and nothing else", async () => {
    await tell("dev", dev());
    expect(await rolesOf("dms")).toEqual([{ role: "readWrite", db: "shop" }]);
    expect(await write("dms", planted[0], "shop")).toBe(0);
    expect(await write("dms", planted[0], "billing")).toBe(13);
    const more = await tell(
      "dev",
      dev({ databases: [shop, { name: "billing", collections: ["invoices"] }] }),
    );
    expect(more.answer?.updated).toEqual([
      { kind: "user", name: "dms", note: "readWrite on billing, readWrite on shop" },
    ]);
    expect(await write("dms", planted[0], "billing")).toBe(0);
  }, 30_000);

  test("a new password in the secret becomes the user's", async () => {
    await tell("dev", dev());
    await putSecret("dms", { username: "dms", password: planted[2] });
    const { answer } = await tell("dev", dev());
    expect(answer?.updated).toEqual([{ kind: "user", name: "dms", note: "password of the secret" }]);
    expect(await write("dms", planted[2], "shop")).toBe(0);
    expect(await write("dms", planted[0], "shop")).toBe(18);
    expect((await tell("dev", dev())).answer?.updated).toEqual([]);
  }, 30_000);

  test("a new username is a second user; the old one keeps its login until it is retired by name", async () => {
    await tell("dev", dev());
    await putSecret("dms", { username: "dms2", password: planted[1] });
    expect(names((await tell("dev", dev())).answer?.created)).toEqual(["user dms2"]);
    expect(await write("dms", planted[0], "shop")).toBe(0);
    expect(await write("dms2", planted[1], "shop")).toBe(0);
    const retired = await tell("dev", dev({ retiredUsers: ["dms"] }));
    expect(names(retired.answer?.dropped)).toEqual(["user dms"]);
    expect(await write("dms", planted[0], "shop")).toBe(18);
    expect((await tell("dev", dev({ retiredUsers: ["dms"] }))).answer?.dropped).toEqual([]);
    const own = await tell("dev", dev({ retiredUsers: ["dms2"] }));
    expect(own.error).toContain("expected former names of the DMS user");
    expect((await tell("dev", dev({ retiredUsers: ["root"] }))).error).toContain(
      "former names of the DMS user",
    );
  }, 30_000);

  test("a rename keeps the documents", async () => {
    await tell("dev", dev());
    await client
      .db("shop")
      .collection("customers")
      .insertOne({ _id: 7 as never });
    const renamed = { name: "shop", collections: ["orders", { name: "clients", renamedFrom: "customers" }] };
    const { answer } = await tell("dev", dev({ databases: [renamed], previous: [shop] }));
    expect(answer?.updated).toEqual([
      { kind: "collection", name: "shop.clients", note: "renamed from customers" },
    ]);
    expect(answer?.dropped).toEqual([]);
    expect(await client.db("shop").collection("clients").findOne()).toEqual({ _id: 7 as never });
    expect((await tell("dev", dev({ databases: [renamed], previous: [shop] }))).answer?.updated).toEqual([]);
  }, 30_000);

  test("a dry run gives the difference and does nothing", async () => {
    const { answer } = await tell("dev", dev({ dryRun: true }));
    expect(answer).toMatchObject({ dryRun: true });
    expect(names(answer?.created)).toContain("collection shop.orders");
    expect(await rolesOf("dms")).toBeUndefined();
    expect(await standing("shop")).toEqual([]);
  }, 30_000);

  test("without previous nothing is removed, not even in dev", async () => {
    await tell("dev", dev());
    const { answer } = await tell("dev", dev({ databases: [{ name: "shop", collections: ["orders"] }] }));
    expect(answer).toMatchObject({ dropped: [], kept: [] });
    expect(await standing("shop")).toEqual(["customers", "orders"]);
  }, 30_000);
});

describe("create-user-db, called by Terraform", () => {
  const billing = { name: "billing", collections: ["invoices"] } as const;
  const less = { name: "shop", collections: ["orders"] } as const;

  test("in dev an update drops what the last input had, and an undeclared neighbour stays", async () => {
    const before = dev({ databases: [shop, billing] });
    await tell("dev", { ...before, tf: { action: "create", prev_input: null } });
    await client.db("shop").createCollection("neighbour");
    const update = dev({ databases: [less], tf: { action: "update", prev_input: before } });
    const { answer } = await tell("dev", update);
    expect(names(answer?.dropped)).toEqual(["collection shop.customers", "database billing"]);
    expect(await standing("shop")).toEqual(["neighbour", "orders"]);
    expect(await standing("billing")).toEqual([]);
    expect(await rolesOf("dms")).toEqual([{ role: "readWrite", db: "shop" }]);
    expect((await tell("dev", update)).answer).toMatchObject({ dropped: [], updated: [], created: [] });
  }, 30_000);

  test("prod keeps what is removed, and says so", async () => {
    const before = prod({ databases: [shop, billing] });
    await tell("prod", { ...before, tf: { action: "create", prev_input: null } });
    const { answer } = await tell(
      "prod",
      prod({ databases: [less], tf: { action: "update", prev_input: before } }),
    );
    expect(answer?.dropped).toEqual([]);
    expect(answer?.kept).toEqual([
      { kind: "collection", name: "shop.customers", note: "no longer declared; prod keeps its data" },
      { kind: "database", name: "billing", note: "no longer declared; prod keeps its data" },
    ]);
    expect([await standing("shop"), await standing("billing")]).toEqual([
      ["customers", "orders"],
      ["invoices"],
    ]);
  }, 30_000);

  test("delete: dev drops databases and user, twice is fine; prod keeps all of it", async () => {
    await tell("dev", dev());
    const gone = dev({ tf: { action: "delete", prev_input: dev() } });
    expect(names((await tell("dev", gone)).answer?.dropped)).toEqual(["user dms", "database shop"]);
    expect(await rolesOf("dms")).toBeUndefined();
    expect((await tell("dev", gone)).answer).toMatchObject({ dropped: [], created: [] });
    await tell("prod", prod());
    const { answer } = await tell("prod", prod({ tf: { action: "delete", prev_input: prod() } }));
    expect([answer?.dropped, names(answer?.kept)]).toEqual([[], ["user dms", "database shop"]]);
    expect(await write("dms", planted[0], "shop")).toBe(0);
  }, 30_000);
});

describe("create-user-db refuses, changing nothing", () => {
  test("to drop in prod through a request that calls itself dev", async () => {
    await tell("prod", prod());
    const { error } = await tell("prod", dev({ databases: [], previous: [shop] }));
    expect(error).toContain('expected prod, got "dev"');
    expect(await standing("shop")).toEqual(["customers", "orders"]);
  }, 30_000);

  test("while a failback is open; a dry run is possible", async () => {
    const s3 = new S3Client({});
    const Key = "failback/current.json";
    const current = { version: 1, environment: "dev", phase: "capturing", failbackId: "fb-1", history: [] };
    await s3.send(new PutObjectCommand({ Bucket: "bucket", Key, Body: JSON.stringify(current) }));
    try {
      const { error } = await tell("dev", dev());
      expect(error).toContain("expected phase normal, got failback fb-1 in phase capturing");
      expect(error).toContain("failback-restore");
      expect(await rolesOf("dms")).toBeUndefined();
      expect((await tell("dev", dev({ dryRun: true }))).answer?.dryRun).toBe(true);
    } finally {
      await s3.send(new DeleteObjectCommand({ Bucket: "bucket", Key }));
    }
  }, 30_000);

  test("names that are commands elsewhere, and takes harmless oddities at their word", async () => {
    const odd = ["'; db.dropDatabase(); //", '{"ne": null}', "a.b-c", "`id` && (reboot)", "up/and/away"];
    const { answer } = await tell("dev", dev({ databases: [{ name: "shop", collections: odd }] }));
    expect(answer?.created.length).toBe(2 + odd.length);
    expect(await standing("shop")).toEqual([...odd].sort());
    for (const databases of [
      [{ name: "shop", collections: ["system.users"] }],
      [{ name: "shop", collections: ["$cmd"] }],
      [{ name: "shop.$cmd", collections: ["a"] }],
      [{ name: "shop", collections: [{ name: "a", renamedFrom: { $gt: "" } }] }],
      [{ name: "admin", collections: ["users"] }],
      [{ name: "roundtrip_control", collections: ["signals"] }],
    ]) {
      const { error } = await tell("dev", { ...dev(), databases });
      expect(error).toContain("request to create-user-db");
    }
  }, 60_000);

  test("a request with unknown keys or of another version", async () => {
    expect((await tell("dev", { ...dev(), force: true })).error).toContain(
      "must NOT have additional properties",
    );
    expect((await tell("dev", { ...dev(), version: 2 })).error).toContain(
      "/version must be equal to constant",
    );
    expect((await tell("dev", "shop")).error).toContain("must be object");
  }, 30_000);

  test("secrets: wrong password, keys missing, no such secret, the master's own user", async () => {
    const uri = sandbox.addresses.documentdb!;
    await putSecret("master-wrong", { uri: uri.replace(/\/\/([^:]*):[^@]*@/, `//$1:${wrongPassword}@`) });
    const wrong = await tell("wrong", dev());
    expect(wrong.error).toContain("user name and password of secret master-wrong to be accepted");
    expect((await tell("keyless", dev())).error).toContain("secret master-keyless");
    await putSecret("master-keyless", { username: "root", note: wrongPassword });
    expect((await tell("keyless", dev())).error).toContain("got no password");
    await putSecret("master-keyless", { username: "root", password: wrongPassword });
    expect((await tell("keyless", dev())).error).toContain("got no host");
    await putSecret("dms", { username: "dms" });
    expect((await tell("dev", dev())).error).toContain(
      "read the DMS user from secret dms: expected username and password, got no password",
    );
    const [, master] = /\/\/([^:]*):/.exec(uri)!;
    await putSecret("dms", { username: master, password: planted[1] });
    expect((await tell("dev", dev())).error).toContain("the cluster's own administrator");
    expect(await standing("shop")).toEqual([]);
  }, 60_000);

  test("a cluster that doesn't answer, within its time", async () => {
    const uri = `mongodb://root:${wrongPassword}@127.0.0.1:1/?serverSelectionTimeoutMS=700`;
    await putSecret("master-nowhere", { uri });
    const { error } = await tell("nowhere", dev());
    expect(error).toContain("DocumentDB at 127.0.0.1:1 to answer");
  }, 30_000);

  test("TLS without the CA file in the archive, naming how to build it in", async () => {
    await putSecret("master-tls", { username: "root", password: wrongPassword, host: "127.0.0.1:1" });
    const { error } = await tell("tls", dev());
    expect(error).toContain("expected global-bundle.pem in the function's archive");
    expect(error).toContain("--ca global-bundle.pem");
  }, 30_000);

  test("a function without its variables, naming the one", async () => {
    expect((await tell("unset", dev())).error).toContain("read the variable ROUNDTRIP_BUCKET");
  }, 30_000);
});

test("no answer, error or log line of all these calls holds a password", () => {
  expect(told.length).toBeGreaterThan(60);
  const [, rootPassword] = /\/\/[^:]*:([^@]*)@/.exec(sandbox.addresses.documentdb!)!;
  for (const secret of [...planted, wrongPassword, rootPassword!])
    for (const text of told)
      for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
        expect(text).not.toContain(form);
});
