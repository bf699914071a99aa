/** The worker as a process, given what is wrong: one clear message that names the thing, and the documented exit code. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { MongoClient } from "mongodb";
import { exitCodes } from "../../core/errors.ts";
import type { ActionResult, Environment, Scope } from "../../core/failback/documents.ts";
import { currentKey, keysOf } from "../../core/failback/layout.ts";
import type { Phase } from "../../core/failback/phase.ts";
import { awsEnvironment, steerAws } from "../../sandbox/up/aws.ts";
import { Sandbox } from "../../sandbox/up/sandbox.ts";
import { worldEnvironment, worldFailbackId, worldScope } from "../support/service-world.ts";

const limit = 60_000;
const region = "us-east-1";
const bucket = "bad-input";
const password = "correct-horse";
const keys = keysOf(worldFailbackId);
const directory = mkdtempSync(join(tmpdir(), "roundtrip-bad-input-"));
let sandbox: Sandbox;
let store: S3Client;
let secrets: SecretsManagerClient;

beforeAll(async () => {
  sandbox = await Sandbox.start({ only: ["database", "documentdb", "aws"] });
  const endpoint = sandbox.addresses.aws!;
  const known = await steerAws<{ default: { accessKeyId: string; secretAccessKey: string } }>(
    endpoint,
    "credentials",
  );
  store = new S3Client({ region, endpoint, credentials: known.default, forcePathStyle: true });
  secrets = new SecretsManagerClient({ region, endpoint, credentials: known.default });
  await store.send(new CreateBucketCommand({ Bucket: bucket }));
  const { mongodb = "", documentdb = "" } = sandbox.addresses;
  await secret("documentdb-secret", { uri: documentdb });
  await secret("mongodb-secret", { uri: mongodb });
  await secret("wrong-password", { uri: mongodb.replace(/\/\/[^@]*@/, "//root:not-the-password@") });
  await secret("nobody-there", { uri: "mongodb://user:pass@127.0.0.1:1/?replicaSet=rs0" });
  await secret("application-secret", { username: "application", password });
  await secret("application-wrong", { username: "application", password: "not-the-password" });
  await secret("dms-secret", { username: "dms", password });
  const client = await new MongoClient(documentdb).connect();
  for (const user of ["application", "dms"]) {
    await client
      .db("admin")
      .command({ createUser: user, pwd: password, roles: [{ role: "readWrite", db: "shop" }] });
  }
  await client.close();
}, limit);

afterAll(async () => {
  await sandbox?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

async function secret(Name: string, value: object): Promise<void> {
  await secrets.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
}

async function putJson(Key: string, value: object): Promise<void> {
  await store.send(new PutObjectCommand({ Bucket: bucket, Key, Body: JSON.stringify(value) }));
}

interface Given {
  readonly phase?: Phase;
  readonly environment?: Partial<Environment>;
  readonly documentdb?: Partial<Environment["documentdb"]>;
  readonly scope?: Partial<Scope>;
  readonly variables?: Readonly<Record<string, string>>;
}

/** Runs the worker; gives its exit code, its last line of stdout as a result, and what it said. */
async function worker(words: readonly string[], given: Given = {}) {
  const phase = given.phase ?? "capturing";
  await putJson(currentKey, {
    version: 1,
    environment: "test",
    phase,
    failbackId: worldFailbackId,
    history: [],
  });
  await putJson(keys.scope, { ...worldScope, ...given.scope });
  const config = join(directory, "environment.json");
  const documentdb = { ...worldEnvironment.documentdb, administrators: ["root"], ...given.documentdb };
  writeFileSync(
    config,
    JSON.stringify({ ...worldEnvironment, region, bucket, documentdb, ...given.environment }),
  );
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../../services/main.ts"), ...words], {
    env: {
      PATH: process.env.PATH ?? "",
      ROUNDTRIP_CONFIG: config,
      STATE_DIRECTORY: join(directory, "state"),
      ...awsEnvironment(sandbox.addresses.aws!, "roundtrip-test", region),
      ...given.variables,
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const code = await child.exited;
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const result = last.startsWith('{"action"') ? (JSON.parse(last) as ActionResult) : undefined;
  const message = stderr.trimEnd().split("\n").at(-1) ?? "";
  for (const text of [stdout, stderr]) expect(text).not.toMatch(/not-the-password|correct-horse/);
  return { code, result, message, stdout, stderr };
}

const action = (name: string, ...more: string[]) => ["action", name, "--failback", worldFailbackId, ...more];

describe("bad input", () => {
  test(
    "an unreachable MongoDB: unavailable, naming it, its secret and the way out",
    async () => {
      const { code, result, message } = await worker(action("close-mongodb"), {
        environment: { mongodb: { secret: "nobody-there" } },
      });
      expect(code).toBe(exitCodes.unavailable);
      expect(result).toMatchObject({ action: "close-mongodb", ok: false });
      expect(message).toContain("MongoDB at 127.0.0.1:1");
      expect(message).toContain("nobody-there");
      expect(message).toContain("Way out:");
    },
    limit,
  );

  test(
    "a wrong password: denied, naming the secret and never its value",
    async () => {
      const environment = { mongodb: { secret: "wrong-password" } };
      const { code, message } = await worker(action("check-restore"), { environment });
      expect(code).toBe(exitCodes.denied);
      expect(message).toContain("secret wrong-password");
    },
    limit,
  );

  test(
    "a wrong password of an application user: denied before anybody's rights are touched",
    async () => {
      const scope = { applicationUsers: [{ name: "application", secret: "application-wrong" }] };
      const { code, message } = await worker(action("demote-writers"), { scope });
      expect(code).toBe(exitCodes.denied);
      expect(message).toContain("secret application-wrong");
      const client = await new MongoClient(sandbox.addresses.documentdb!).connect();
      const { users } = await client.db("admin").command({ usersInfo: "dms" });
      await client.close();
      expect(users[0].roles).toEqual([{ role: "readWrite", db: "shop" }]);
    },
    limit,
  );

  test(
    "an unknown application user: refused, naming the user",
    async () => {
      const scope = { applicationUsers: [{ name: "typo", secret: "application-secret" }] };
      const { code, result, message } = await worker(action("demote-writers"), { scope });
      expect(code).toBe(exitCodes.refused);
      expect(message).toContain("user typo");
      expect(result?.checks.find(({ ok }) => !ok)).toMatchObject({
        name: "application user typo",
        got: "no such user",
      });
    },
    limit,
  );

  test(
    "a secret that does not exist: its name, beside every other precondition",
    async () => {
      const documentdb = { replicationUser: { name: "dms", secret: "absent-secret" } };
      const { code, result, message } = await worker(action("check-start", "--force", "rehearsal"), {
        documentdb,
      });
      expect(code).toBe(exitCodes.refused);
      expect(message).toContain("absent-secret");
      const failed = result!.checks.filter(({ ok }) => !ok).map(({ name }) => name);
      expect(failed).toContain("secret absent-secret");
      expect(result!.checks.filter(({ ok }) => ok).map(({ name }) => name)).toContain(`bucket ${bucket}`);
    },
    limit,
  );

  test(
    "missing change streams: capture refuses to read silence",
    async () => {
      await putJson(keys.startPoint, {
        version: 1,
        failbackId: worldFailbackId,
        operationTime: { t: 1, i: 1 },
      });
      const { code, message } = await worker(["replication"]);
      expect(code).toBe(exitCodes.refused);
      expect(message).toContain("$listChangeStreams");
      expect(message).toContain("failback-start");
    },
    limit,
  );

  test(
    "a bucket that denies: denied, naming bucket and key",
    async () => {
      const action403 = { status: 403, code: "AccessDenied" };
      const fault = { service: "s3", operation: "GetObject", action: action403, times: "unlimited" };
      await steerAws(sandbox.addresses.aws!, "faults", fault);
      const { code, message } = await worker(action("canary"));
      await steerAws(sandbox.addresses.aws!, "faults", undefined, "DELETE");
      expect(code).toBe(exitCodes.denied);
      expect(message).toContain(bucket);
    },
    limit,
  );

  test(
    "a bucket that is not there: configuration",
    async () => {
      const { code, message } = await worker(action("canary"), { environment: { bucket: "no-such-bucket" } });
      expect(code).toBe(exitCodes.configuration);
      expect(message).toContain("no-such-bucket");
    },
    limit,
  );

  const small = join(directory, "full");
  mkdirSync(small);
  const mount = () => spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]).status === 0;
  const unmount = () => spawnSync("umount", [small]);
  const canMount = mount();
  if (canMount) unmount();
  test.skipIf(!canMount)(
    "a full disk: disk, saying that space is to be freed, and nothing is lost",
    async () => {
      expect(mount()).toBe(true);
      try {
        spawnSync("sh", ["-c", `head -c 65536 /dev/zero > ${small}/filler`]);
        const { code, message } = await worker(["backup"], {
          variables: { RUNTIME_DIRECTORY: small, MONGODUMP: "true" },
        });
        expect(code).toBe(exitCodes.disk);
        expect(message).toContain("room on the disk");
      } finally {
        unmount();
      }
    },
    limit,
  );

  test(
    "a mongodump that is not there: configuration, naming the program",
    async () => {
      const { code, message } = await worker(["backup"], { variables: { MONGODUMP: "/nowhere/mongodump" } });
      expect(code).toBe(exitCodes.configuration);
      expect(message).toContain("/nowhere/mongodump");
    },
    limit,
  );

  test(
    "an unknown action and a bad parameter: usage, and the result is still the last line when there is one",
    async () => {
      expect((await worker(["action", "drop-everything"])).code).toBe(exitCodes.usage);
      expect((await worker(action("grant-writers", "--allow-remove", "perhaps"))).code).toBe(exitCodes.usage);
      const { code, result, stdout } = await worker(action("show-access"));
      expect(code).toBe(exitCodes.ok);
      expect(result).toMatchObject({ action: "show-access", ok: true });
      expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    },
    limit,
  );
});
