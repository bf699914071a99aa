import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readJson } from "../../adapters/state/json.ts";
import type { Inspection, LiveSide } from "../../core/live/live-state.ts";
import schema from "../../schemas/inspection.schema.json";
import { FailbackWorld } from "../../tests/support/failback-world.ts";
import { ServiceWorld } from "../../tests/support/service-world.ts";
import { createDatabases } from "../access/databases.ts";
import { findAction } from "./parameters.ts";
import { loadAction } from "./registry.ts";
import { runAction } from "./run-action.ts";

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
const validate = ajv.compile<Inspection>(addFormats(ajv) && schema);
let world: FailbackWorld;

beforeAll(async () => {
  world = await FailbackWorld.start();
  const mongodb = await world.client("mongodb");
  await mongodb
    .db("other")
    .collection("things")
    .insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
  await mongodb.db("other").command({ createUser: "local-user", pwd: "p", roles: ["read"] });
  await mongodb.db("other").createCollection("a-view", { viewOn: "things", pipeline: [] });
  await mongodb.db("roundtrip_control").collection("signals").insertOne({ a: 1 });
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

async function inspection(
  data: Readonly<Record<string, unknown>>,
  store = world.world.store,
): Promise<Inspection> {
  const found = await readJson<Inspection>(store, String(data.key));
  expect(validate(found?.value)).toBe(true);
  return found!.value;
}

/** Inspects with other secrets than the world's, through a worker of its own. */
async function inspectWith(secrets: Readonly<Record<string, Readonly<Record<string, string>>>>) {
  using alone = new ServiceWorld({ secrets });
  await using databases = createDatabases(alone.service.environment, alone.service.secrets, "test");
  const values = new Map([
    ["databases", "*"],
    ["counts", "estimated"],
  ]);
  const { result, failure } = await runAction(
    findAction("inspect"),
    await loadAction("inspect"),
    { failbackId: "", values },
    { service: alone.service, databases },
  );
  expect(failure).toBeUndefined();
  return { result, inspection: await inspection(result.data, alone.store) };
}

function read(side: LiveSide) {
  if (!side.reachable) throw new Error(side.reason);
  return side;
}

describe("action inspect", () => {
  test("by default reads all databases but the server's and Roundtrip's own, on both sides", async () => {
    const { data, checks } = await world.must("inspect");
    expect(String(data.key)).toMatch(/^operations\/inspections\/[0-9TZ-]+-run\.json$/);
    const { mongodb, documentdb, environment } = await inspection(data);
    expect(environment).toBe("test");
    expect(read(mongodb).databases.map(({ name }) => name)).toEqual(["other", "shop"]);
    expect(read(documentdb).databases.map(({ name }) => name)).toEqual(["shop"]);
    expect(read(mongodb).databases[0]?.collections).toMatchObject([
      { name: "things", documents: 3, estimated: true, indexes: ["_id_"] },
    ]);
    expect(read(documentdb).databases[0]?.collections).toMatchObject([
      { name: "customers", documents: 0, indexes: ["_id_"] },
      { name: "orders", documents: 1, estimated: true, indexes: ["_id_", "number_1"] },
    ]);
    expect(read(documentdb).databases[0]?.collections[0]?.estimated).toBeUndefined();
    expect(read(mongodb).databases[1]?.collections[1]?.bytes).toBeGreaterThan(0);
    expect(checks.map(({ ok }) => ok)).toEqual([true, true, true]);
  });

  test("users come with their roles, those outside admin with their database", async () => {
    const { mongodb, documentdb } = await inspection((await world.must("inspect")).data);
    expect(read(documentdb).users).toContainEqual({
      name: "application",
      roles: [{ role: "read", db: "shop" }],
    });
    expect(read(mongodb).users).toContainEqual({
      name: "local-user",
      db: "other",
      roles: [{ role: "read", db: "other" }],
    });
    const names = read(mongodb).users.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
  });

  test("only the databases that are asked for, and those that don't exist are left out", async () => {
    const { data } = await world.must("inspect", { databases: "other,nowhere" });
    const { mongodb, documentdb } = await inspection(data);
    expect(read(mongodb).databases.map(({ name }) => name)).toEqual(["other"]);
    expect(read(documentdb).databases).toEqual([]);
  });

  test("exact counts are counted, and say nothing of an estimate", async () => {
    const { data } = await world.must("inspect", { databases: "other", counts: "exact" });
    const { mongodb } = await inspection(data);
    expect(read(mongodb).databases[0]?.collections[0]).toMatchObject({ documents: 3 });
    expect(read(mongodb).databases[0]?.collections[0]?.estimated).toBeUndefined();
  });

  test("the hash in the result is the object's", async () => {
    const { data } = await world.must("inspect");
    const object = await world.world.store.get(String(data.key));
    expect(data.sha256).toBe(new Bun.CryptoHasher("sha256").update(object!.body).digest("hex"));
    expect(data.bytes).toBe(object!.body.length);
  });

  test("a MongoDB that is down, a wrong password and a secret that isn't there say why; nothing secret is told", async () => {
    const planted = "planted-password-4711";
    const documentdb = world.sandbox.addresses.documentdb!.replace(/\/\/[^@]*@/, `//operator:${planted}@`);
    const down = { uri: `mongodb://roundtrip:${planted}@127.0.0.1:1/?serverSelectionTimeoutMS=500` };
    const { result, inspection } = await inspectWith({
      "mongodb-secret": down,
      "documentdb-secret": { uri: documentdb },
    });
    expect(result.ok).toBe(true);
    if (inspection.mongodb.reachable || inspection.documentdb.reachable)
      throw new Error("nothing can be reached");
    expect(inspection.mongodb.reason).toContain("expected MongoDB at 127.0.0.1:1 to answer");
    expect(inspection.documentdb.reason).toContain("code 18");
    expect(JSON.stringify([result, inspection])).not.toContain(planted);
    const none = await inspectWith({});
    expect(none.inspection.mongodb).toMatchObject({ reachable: false });
    expect(JSON.stringify(none.inspection.mongodb)).toContain("read secret mongodb-secret");
  });

  test("the schema refuses a side without a reason and a count that is no number", () => {
    const side = { reachable: true, version: "7.0", databases: [], users: [] };
    const document = {
      version: 1,
      environment: "test",
      takenAt: "2026-11-21T00:00:00.000Z",
      documentdb: side,
    };
    expect(validate({ ...document, mongodb: side })).toBe(true);
    expect(validate({ ...document, mongodb: { reachable: false } })).toBe(false);
    const collections = [{ name: "a", documents: "3", bytes: 1, indexes: [] }];
    expect(validate({ ...document, mongodb: { ...side, databases: [{ name: "a", collections }] } })).toBe(
      false,
    );
  });
});
