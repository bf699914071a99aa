/** What create-user-db refuses, through its archive: see tests/support/lambda-world.ts. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { ProvisionRequest } from "../../core/provision/model.ts";
import { LambdaWorld } from "../../tests/support/lambda-world.ts";

const wrongPassword = "planted-wrong-9999";
const planted = ["planted-first-4711", "planted-second-0815", wrongPassword] as const;
let world: LambdaWorld;

beforeAll(async () => {
  world = await LambdaWorld.start();
  await world.createFunction("dev");
  await world.createFunction("prod", { ROUNDTRIP_ENVIRONMENT: "prod" });
  for (const name of ["wrong", "nowhere", "tls", "keyless"])
    await world.createFunction(name, { ROUNDTRIP_MASTER_SECRET: `master-${name}` });
  await world.createFunction("unset", { ROUNDTRIP_BUCKET: "" });
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(() => world.reset({ username: "dms", password: planted[0] }));

const shop = { name: "shop", collections: ["orders", "customers"] } as const;
const dev = (more: Partial<ProvisionRequest> = {}): ProvisionRequest => ({
  version: 1,
  environment: "dev",
  databases: [shop],
  ...more,
});
const prod = (more: Partial<ProvisionRequest> = {}) => dev({ environment: "prod", ...more });

describe("create-user-db refuses, changing nothing", () => {
  test("to drop in prod through a request that calls itself dev", async () => {
    await world.tell("prod", prod());
    const { error } = await world.tell("prod", dev({ databases: [], previous: [shop] }));
    expect(error).toContain('expected prod, got "dev"');
    expect(await world.standing("shop")).toEqual(["customers", "orders"]);
  }, 30_000);

  test("while a failback is open; a dry run is possible", async () => {
    const s3 = new S3Client({});
    const Key = "failback/current.json";
    const current = { version: 1, environment: "dev", phase: "capturing", failbackId: "fb-1", history: [] };
    await s3.send(new PutObjectCommand({ Bucket: "bucket", Key, Body: JSON.stringify(current) }));
    try {
      const { error } = await world.tell("dev", dev());
      expect(error).toContain("expected phase normal, got failback fb-1 in phase capturing");
      expect(error).toContain("failback-restore");
      expect(await world.rolesOf("dms")).toBeUndefined();
      expect((await world.tell("dev", dev({ dryRun: true }))).answer?.dryRun).toBe(true);
    } finally {
      await s3.send(new DeleteObjectCommand({ Bucket: "bucket", Key }));
    }
  }, 30_000);

  test("names that are commands elsewhere, and takes harmless oddities at their word", async () => {
    const odd = ["'; db.dropDatabase(); //", '{"ne": null}', "a.b-c", "`id` && (reboot)", "up/and/away"];
    const { answer } = await world.tell("dev", dev({ databases: [{ name: "shop", collections: odd }] }));
    expect(answer?.created.length).toBe(2 + odd.length);
    expect(await world.standing("shop")).toEqual([...odd].sort());
    for (const databases of [
      [{ name: "shop", collections: ["system.users"] }],
      [{ name: "shop", collections: ["$cmd"] }],
      [{ name: "shop.$cmd", collections: ["a"] }],
      [{ name: "shop", collections: [{ name: "a", renamedFrom: { $gt: "" } }] }],
      [{ name: "admin", collections: ["users"] }],
      [{ name: "roundtrip_control", collections: ["signals"] }],
    ]) {
      const { error } = await world.tell("dev", { ...dev(), databases });
      expect(error).toContain("request to create-user-db");
    }
  }, 60_000);

  test("a request with unknown keys or of another version", async () => {
    expect((await world.tell("dev", { ...dev(), force: true })).error).toContain(
      "must NOT have additional properties",
    );
    expect((await world.tell("dev", { ...dev(), version: 2 })).error).toContain(
      "/version must be equal to constant",
    );
    expect((await world.tell("dev", "shop")).error).toContain("must be object");
  }, 30_000);

  test("secrets: wrong password, keys missing, no such secret, the master's own user", async () => {
    const { uri } = world;
    await world.putSecret("master-wrong", {
      uri: uri.replace(/\/\/([^:]*):[^@]*@/, `//$1:${wrongPassword}@`),
    });
    const wrong = await world.tell("wrong", dev());
    expect(wrong.error).toContain("user name and password of secret master-wrong to be accepted");
    expect((await world.tell("keyless", dev())).error).toContain("secret master-keyless");
    await world.putSecret("master-keyless", { username: "root", note: wrongPassword });
    expect((await world.tell("keyless", dev())).error).toContain("got no password");
    await world.putSecret("master-keyless", { username: "root", password: wrongPassword });
    expect((await world.tell("keyless", dev())).error).toContain("got no host");
    await world.putSecret("dms", { username: "dms" });
    expect((await world.tell("dev", dev())).error).toContain(
      "read the DMS user from secret dms: expected username and password, got no password",
    );
    const [, master] = /\/\/([^:]*):/.exec(uri)!;
    await world.putSecret("dms", { username: master, password: planted[1] });
    expect((await world.tell("dev", dev())).error).toContain("the cluster's own administrator");
    expect(await world.standing("shop")).toEqual([]);
  }, 60_000);

  test("a cluster that doesn't answer, within its time", async () => {
    const uri = `mongodb://root:${wrongPassword}@127.0.0.1:1/?serverSelectionTimeoutMS=700`;
    await world.putSecret("master-nowhere", { uri });
    const { error } = await world.tell("nowhere", dev());
    expect(error).toContain("DocumentDB at 127.0.0.1:1 to answer");
  }, 30_000);

  test("TLS without the CA file in the archive, naming how to build it in", async () => {
    await world.putSecret("master-tls", { username: "root", password: wrongPassword, host: "127.0.0.1:1" });
    const { error } = await world.tell("tls", dev());
    expect(error).toContain("expected global-bundle.pem in the function's archive");
    expect(error).toContain("--ca global-bundle.pem");
  }, 30_000);

  test("a function without its variables, naming the one", async () => {
    expect((await world.tell("unset", dev())).error).toContain("read the variable ROUNDTRIP_BUCKET");
  }, 30_000);
});

test("no answer, error or log line of all these calls holds a password", () => {
  expect(world.told.length).toBeGreaterThan(30);
  for (const secret of [...planted, world.rootPassword])
    for (const text of world.told)
      for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
        expect(text).not.toContain(form);
});
