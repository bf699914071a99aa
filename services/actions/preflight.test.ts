import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readJson } from "../../adapters/state/json.ts";
import type { RoleReference } from "../../core/access/principal.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { InstanceState, Instances } from "../../core/ports.ts";
import { hostLines } from "../../core/preflight/host.ts";
import type { DeclaredFacts, Fact, HostFacts, PreflightLine } from "../../core/preflight/model.ts";
import { sourceLines } from "../../core/preflight/source.ts";
import { targetLines } from "../../core/preflight/target.ts";
import schema from "../../schemas/preflight-facts.schema.json";
import { FailbackWorld } from "../../tests/support/failback-world.ts";
import { ServiceWorld } from "../../tests/support/service-world.ts";
import { createDatabases } from "../access/databases.ts";
import { findAction } from "./parameters.ts";
import { loadAction } from "./registry.ts";
import { runAction } from "./run-action.ts";

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
const validate = ajv.compile<HostFacts>(addFormats(ajv) && schema);
const planted = "planted-password-0815";
const declared: DeclaredFacts = {
  taskIds: ["shop"],
  databases: ["shop"],
  namespaces: ["shop.orders", "shop.customers"],
  dmsTargetUser: "dms",
  applicationUsers: ["application"],
};
let world: FailbackWorld;
let secrets: Record<string, Record<string, string>>;

beforeAll(async () => {
  world = await FailbackWorld.start();
  const mongodb = await world.client("mongodb");
  const create = (user: string, roles: (string | RoleReference)[], mechanisms?: string[]) =>
    mongodb
      .db("admin")
      .command({ createUser: user, pwd: planted, roles, ...(mechanisms ? { mechanisms } : {}) });
  await create("dms_source", ["readAnyDatabase"]);
  await create("narrow", []);
  await create("one-database", [{ role: "read", db: "shop" }]);
  await create("modern", ["readAnyDatabase"], ["SCRAM-SHA-256"]);
  secrets = {};
  for (const name of ["documentdb-secret", "mongodb-secret", "application-secret", "dms-secret"])
    secrets[name] = { ...(await world.world.service.secrets.get(name)) };
  for (const user of ["dms_source", "narrow", "one-database", "modern"])
    secrets[user] = { username: user, password: planted };
  secrets.wrong = { username: "dms_source", password: "planted-wrong" };
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

interface Change {
  readonly secrets?: Record<string, Record<string, string> | undefined>;
  readonly parameters?: Record<string, string>;
  readonly ec2?: () => Promise<InstanceState>;
}

/** What the host finds with something changed; the secrets of `changes` replace the world's. */
async function look(change: Change = {}): Promise<HostFacts> {
  const given = Object.fromEntries(
    Object.entries({ ...secrets, ...change.secrets }).filter(([, fields]) => fields !== undefined),
  ) as typeof secrets;
  using alone = new ServiceWorld({ secrets: given });
  await using databases = createDatabases(alone.service.environment, alone.service.secrets, "test");
  const metadata = findAction("preflight");
  const defaults = metadata.parameters.map(({ name, default: value = "" }) => [name, value] as const);
  const values = new Map([
    ...defaults,
    ["databases", "shop"] as const,
    ["source-secret", "dms_source"] as const,
    ...Object.entries(change.parameters ?? {}),
  ]);
  const instances = { state: change.ec2 ?? (async () => "stopped") } as unknown as Instances;
  const { result, failure } = await runAction(
    metadata,
    await loadAction("preflight"),
    { failbackId: "", values },
    { service: alone.service, databases, instances },
  );
  expect(failure).toBeUndefined();
  const facts = (await readJson<HostFacts>(alone.store, String(result.data.key)))!.value;
  expect(ajv.errorsText(validate(facts) ? null : validate.errors)).toBe("No errors");
  const text = JSON.stringify([facts, result]);
  for (const secret of [planted, "planted-wrong", "correct-horse"]) expect(text).not.toContain(secret);
  return facts;
}

const noEndpoints: Fact<readonly never[]> = { value: [] };

function lines(facts: HostFacts): PreflightLine[] {
  return [
    ...hostLines({ value: facts }, "i-1"),
    ...sourceLines(facts.mongodb, declared),
    ...targetLines(facts.documentdb, declared, noEndpoints),
  ];
}

async function line(name: string, change: Change = {}, area?: string): Promise<PreflightLine> {
  const found = lines(await look(change)).filter(
    (each) => each.name === name && (!area || each.area === area),
  );
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe("what the host finds, on the stand-ins", () => {
  test("an environment that is ready: nothing failed; the young oplog alone can't be told, TLS is noted", async () => {
    const all = lines(await look());
    const others = all.filter(({ state }) => state !== "ok").map(({ name, state }) => [name, state]);
    expect(others).toEqual([
      ["oplog window", "unknown"],
      ["TLS", "note"],
    ]);
    expect(all.filter(({ fix }) => fix === undefined).every(({ state }) => state === "ok")).toBe(true);
  });

  test("MongoDB is down: its first line failed with the fix, the rest unknown", async () => {
    const uri = "mongodb://roundtrip:x@127.0.0.1:1/?serverSelectionTimeoutMS=500";
    const facts = await look({ secrets: { "mongodb-secret": { uri } } });
    const [first, ...rest] = sourceLines(facts.mongodb, declared);
    expect(first).toMatchObject({ state: "failed", fix: expect.stringContaining("routes and firewalls") });
    expect(new Set(rest.map(({ state }) => state))).toEqual(new Set(["unknown"]));
    expect(targetLines(facts.documentdb, declared, noEndpoints)[0]?.state).toBe("ok");
  });

  test("DocumentDB refuses the password: failed, naming the secret", async () => {
    const uri = secrets["documentdb-secret"]!.uri!.replace(/:[^:@]*@/, ":planted-wrong@");
    const found = await line("answers the host", { secrets: { "documentdb-secret": { uri } } }, "DocumentDB");
    expect(found).toMatchObject({ state: "failed", fix: expect.stringContaining("documentdb.secret") });
    expect(found.got).toContain("code 18");
  });

  test("a secret with a field missing, and one that isn't there", async () => {
    const name = "secret of user application on DocumentDB";
    const without = await line(name, { secrets: { "application-secret": { username: "application" } } });
    expect(without).toMatchObject({ state: "failed", got: "application-secret has no password" });
    expect(without.fix).toContain("store the missing fields in application-secret");
    const gone = await line(name, { secrets: { "application-secret": undefined } });
    expect(gone).toMatchObject({
      state: "failed",
      fix: expect.stringContaining("create application-secret"),
    });
  });

  test("the DMS user lacks find and changeStream: the grant is in the fix", async () => {
    const found = await line("privileges of the DMS user", { parameters: { "source-secret": "narrow" } });
    expect(found).toMatchObject({
      state: "failed",
      got: "narrow lacks find and changeStream on every database",
      fix: 'db.getSiblingDB("admin").grantRolesToUser("narrow", ["readAnyDatabase"])',
    });
  });

  test("the DMS user reads one database alone: DMS opens its stream on all", async () => {
    const found = await line("privileges of the DMS user", {
      parameters: { "source-secret": "one-database" },
    });
    expect(found).toMatchObject({ state: "failed", got: expect.stringContaining("find and changeStream") });
  });

  test("the DMS user has SCRAM-SHA-256 only: DMS can't log in", async () => {
    const found = await line("login of the DMS user", { parameters: { "source-secret": "modern" } });
    expect(found).toMatchObject({ state: "failed", got: "modern has SCRAM-SHA-256 only" });
    expect(found.fix).toContain('updateUser("modern", {mechanisms: ["SCRAM-SHA-1", "SCRAM-SHA-256"]');
  });

  test("the DMS user's secret has another password than MongoDB", async () => {
    const found = await line("login of the DMS user", { parameters: { "source-secret": "wrong" } });
    expect(found).toMatchObject({
      state: "failed",
      fix: expect.stringContaining("write the right password"),
    });
  });

  test("the DMS user by name: its password is not tried, and one that doesn't exist gets its createUser", async () => {
    const byName = { "source-secret": "-", "source-user": "dms_source" };
    expect((await line("login of the DMS user", { parameters: byName })).got).toContain("was not tried");
    const none = await line("privileges of the DMS user", {
      parameters: { ...byName, "source-user": "nobody" },
    });
    expect(none).toMatchObject({ state: "failed", got: "no user nobody" });
    expect(none.fix).toContain('createUser({user: "nobody"');
    const unnamed = await line("login of the DMS user", { parameters: { "source-secret": "-" } });
    expect(unnamed).toMatchObject({ state: "unknown", got: expect.stringContaining("no source endpoint") });
  });

  test("Roundtrip's users without their rights", async () => {
    const source = { uri: secrets["mongodb-secret"]!.uri!.replace(/\/\/[^@]*@/, `//dms_source:${planted}@`) };
    const found = await line(
      "privileges of Roundtrip's user",
      { secrets: { "mongodb-secret": source } },
      "MongoDB",
    );
    expect(found).toMatchObject({ state: "failed", fix: expect.stringContaining("backup, restore") });
    expect(found.got).toContain("createUser on admin");
    const target = {
      uri: secrets["documentdb-secret"]!.uri!.replace(/\/\/[^@]*@/, "//application:correct-horse@"),
    };
    const change = { secrets: { "documentdb-secret": target } };
    const rights = await line("privileges of Roundtrip's user", change, "DocumentDB");
    expect(rights).toMatchObject({
      state: "failed",
      fix: expect.stringContaining('{role: "clusterManager", db: "admin"}'),
    });
    const streams = await line("change streams can be listed", change);
    expect(streams).toMatchObject({ state: "failed", fix: expect.stringContaining("readAnyDatabase") });
  });

  test("a declared collection that isn't on MongoDB", async () => {
    const facts = await look();
    const more = { ...declared, namespaces: [...declared.namespaces, "shop.refunds"] };
    const found = sourceLines(facts.mongodb, more).find(({ name }) => name === "declared collections");
    expect(found).toMatchObject({ state: "failed", got: "not there: shop.refunds" });
  });

  test("a DMS user or an application user that isn't on DocumentDB", async () => {
    const facts = await look();
    const users = (more: Partial<DeclaredFacts>) =>
      targetLines(facts.documentdb, { ...declared, ...more }, noEndpoints).find(
        ({ name }) => name === "users",
      );
    expect(users({ dmsTargetUser: "nobody" })).toMatchObject({
      state: "failed",
      fix: expect.stringContaining("create-user-db"),
    });
    expect(users({ applicationUsers: ["ghost"] })).toMatchObject({
      state: "failed",
      got: "not there: ghost",
    });
  });

  test("documents DMS can't carry, and collections it carries over as something else", async () => {
    const mongodb = await world.client("mongodb");
    const orders = mongodb.db("shop").collection("orders");
    let deep: object = { end: true };
    for (let level = 0; level < 98; level++) deep = { inner: deep };
    await orders.insertMany([{ _id: "x".repeat(201) as never }, { _id: 2 as never, ...deep }]);
    await mongodb.db("shop").createCollection("ring", { capped: true, size: 4096 });
    await orders.createIndex({ place: "hashed" });
    try {
      const facts = await look();
      const of = (name: string) => sourceLines(facts.mongodb, declared).find((each) => each.name === name);
      expect(of("_id values")).toMatchObject({
        state: "failed",
        got: "shop.orders: an _id of 201 characters",
      });
      expect(of("nesting")).toMatchObject({ state: "failed", got: "shop.orders: more than 97 levels" });
      expect(of("what DMS carries over as it is")).toMatchObject({ state: "note" });
      expect(of("what DMS carries over as it is")?.got).toContain("shop.ring is capped: becomes uncapped");
      expect(of("what DMS carries over as it is")?.got).toContain("place_hashed of shop.orders: hashed");
    } finally {
      await orders.deleteMany({ _id: { $in: ["x".repeat(201), 2] } } as never);
      await orders.dropIndex("place_hashed");
      await mongodb.db("shop").dropCollection("ring");
    }
  });

  test("no way to EC2", async () => {
    const ec2 = () =>
      Promise.reject(
        new RoundtripError({
          kind: "unavailable",
          what: "ask EC2",
          expected: "e",
          got: "timed out",
          wayOut: "w",
        }),
      );
    const found = await line("reaches EC2", { ec2 });
    expect(found).toMatchObject({
      state: "unknown",
      got: "ask EC2: timed out",
      fix: expect.stringContaining("interface endpoint ec2"),
    });
  });
});
