import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { MongodbIdentity } from "../../core/failback/documents.ts";
import { identityKey } from "../../core/failback/layout.ts";
import type { Fact, HostReadiness } from "../../core/readiness/model.ts";
import { FailbackWorld } from "../../tests/support/failback-world.ts";

setDefaultTimeout(60_000);

let world: FailbackWorld;

beforeAll(async () => {
  world = await FailbackWorld.start();
  await world.world.enter("normal");
});
afterAll(async () => await world[Symbol.asyncDispose]());

async function look(databases = "shop"): Promise<HostReadiness> {
  const { data } = await world.must("readiness", { databases });
  return data as unknown as HostReadiness;
}

function named(readiness: HostReadiness, name: string): Fact | undefined {
  return readiness.facts.find((fact) => fact.name === name);
}

async function identity(): Promise<MongodbIdentity> {
  return (await readJson<MongodbIdentity>(world.world.store, identityKey))!.value;
}

describe("readiness of the host", () => {
  test("a world in order: every deciding fact holds, and MongoDB is on record for the first time", async () => {
    const readiness = await look();
    expect(readiness.facts.filter(({ decides, state }) => decides && state !== "holds")).toEqual([]);
    expect(readiness.facts.map(({ name }) => name)).toEqual([
      "MongoDB answers",
      "identity of MongoDB on record",
      "oplog of MongoDB",
      "privileges of Roundtrip's user on MongoDB",
      "DocumentDB answers",
      "application users",
      "no unlisted writer on DocumentDB",
      "unique indexes on DocumentDB",
      "secrets",
      "change stream retention",
      "disk of the host",
    ]);
    expect(named(readiness, "identity of MongoDB on record")?.value).toContain("refreshed now");
    expect(readiness.workerVersion).toBe("0.0.0-source");
    expect(readiness.oplog?.last.t).toBeGreaterThan(0);
    expect((await identity()).catalog.collections.map(({ name }) => name)).toEqual(["customers", "orders"]);
  });

  test("the record is refreshed in normal times, and left alone while a failback is open", async () => {
    await look();
    const first = await identity();
    await world.client("mongodb").then((client) => client.db("shop").createCollection("later"));
    await look();
    const second = await identity();
    expect(second.catalog.collections.length).toBe(first.catalog.collections.length + 1);
    await world.world.enter("capturing");
    const readiness = await look();
    expect(await identity()).toEqual(second);
    expect(named(readiness, "identity of MongoDB on record")?.value).toContain(
      `recorded ${second.recordedAt}`,
    );
    await world.world.enter("normal");
  });

  test("another MongoDB than the recorded one fails, and its record isn't overwritten", async () => {
    await look();
    const recorded = await identity();
    const other = { ...recorded, replicaSetId: "0123456789abcdef01234567" };
    await writeJson(world.world.store, identityKey, other);
    const readiness = await look();
    expect(named(readiness, "identity of MongoDB")).toMatchObject({
      state: "fails",
      limit: `set ${recorded.setName}, id 0123456789abcdef01234567`,
      wayOut: expect.stringContaining("don't restore into it"),
    });
    expect(await identity()).toEqual(other);
    await writeJson(world.world.store, identityKey, recorded);
  });

  test("a unique index missing, an application user that writes, a stranger that writes", async () => {
    const documentdb = await world.client("documentdb");
    const { orders } = { orders: documentdb.db("shop").collection("orders") };
    await orders.dropIndex("number_1");
    const admin = documentdb.db("admin");
    await admin.command({ updateUser: "application", roles: [{ role: "readWrite", db: "shop" }] });
    await admin.command({
      createUser: "stranger",
      pwd: "correct-horse",
      roles: [{ role: "readWrite", db: "shop" }],
    });
    const readiness = await look();
    expect(
      readiness.facts.filter(({ state }) => state === "fails").map(({ name, value }) => `${name}: ${value}`),
    ).toEqual([
      ...(named(readiness, "oplog of MongoDB")?.state === "fails"
        ? [expect.stringContaining("oplog of MongoDB")]
        : []),
      "application user application: can write through readWrite@shop",
      "user stranger is listed: stranger can write through readWrite@shop and is named nowhere",
      'unique indexes on DocumentDB: missing: shop.orders {"number":1}',
    ]);
    await admin.command({ dropUser: "stranger" });
    await admin.command({ updateUser: "application", roles: [{ role: "read", db: "shop" }] });
    await orders.createIndex({ number: 1 }, { unique: true, sparse: true });
  });

  test("a secret that isn't there, and one of another user", async () => {
    const { environment } = world.world.service;
    const users = environment.documentdb.applicationUsers as { name: string; secret: string }[];
    const [before] = users.splice(
      0,
      1,
      { name: "application", secret: "batch-secret" },
      { name: "application", secret: "nowhere" },
    );
    const readiness = await look();
    users.splice(0, 2, before!);
    expect(named(readiness, "secret batch-secret")).toMatchObject({
      state: "fails",
      value: "is of user batch",
    });
    expect(named(readiness, "secret nowhere")).toMatchObject({ state: "fails" });
    expect(named(readiness, "secrets")?.value).toBe("3 of 5");
    expect(JSON.stringify(readiness)).not.toContain("correct-horse");
  });
});

test("a server that is away fails, and the other one is looked at all the same", async () => {
  await using away = await FailbackWorld.start();
  await away.world.enter("normal");
  await away.sandbox.documentdb?.stop();
  const { data } = await away.must("readiness", { databases: "shop" });
  const readiness = data as unknown as HostReadiness;
  expect(named(readiness, "DocumentDB answers")).toMatchObject({ state: "fails" });
  expect(named(readiness, "MongoDB answers")).toMatchObject({ state: "holds" });
  expect(named(readiness, "disk of the host")).toMatchObject({ state: "holds" });
});
