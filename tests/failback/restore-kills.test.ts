/** Restore killed and hindered on the way: invariants.md 17–19, 30. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { InterruptedStore, Killed } from "../support/interrupted-store.ts";
import { RestoreWorld, type Scenario } from "../support/restore-world.ts";

setDefaultTimeout(120_000);

let world: RestoreWorld;
beforeAll(async () => {
  world = await RestoreWorld.start();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const seeded = Array.from({ length: 20 }, (_, n) => ({ _id: n, sku: `s${n}`, value: 0 }));

/** Tail, collisions, a swap, a drop and a document behind a policy: every part of a restore has something to do. */
async function drained(): Promise<Scenario> {
  const scenario = await world.scenario();
  await scenario.seed(seeded);
  await scenario.orders("mongodb").insertOne({ _id: "own", sku: "wanted" });
  await scenario.mongodb.collection("items").insertOne({ _id: "old" as never });
  await scenario.documentdb.collection("items").insertOne({ _id: "old" as never });
  await scenario.capture();
  const orders = scenario.orders("documentdb");
  await scenario.documentdb.collection("items").drop();
  await scenario.documentdb.collection("items").insertMany([{ _id: 1 as never }, { _id: 2 as never }]);
  await orders.updateOne({ _id: 1 }, { $set: { sku: "passing" } });
  await orders.updateOne({ _id: 2 }, { $set: { sku: "s1" } });
  await orders.updateOne({ _id: 1 }, { $set: { sku: "s2" } });
  await orders.deleteOne({ _id: 3 });
  await orders.insertOne({ _id: "theirs", sku: "wanted" });
  await orders.updateMany({ _id: { $gte: 10 } }, { $set: { value: 5 } });
  await scenario.drain();
  return scenario;
}

async function contents(scenario: Scenario): Promise<unknown[]> {
  const sorted = { sort: { _id: 1 } } as const;
  return [
    await scenario.orders("mongodb").find({}, sorted).toArray(),
    await scenario.mongodb.collection("items").find({}, sorted).toArray(),
  ];
}

test("failback 18: killed before or after any of its requests to S3, restore goes on and ends the same", async () => {
  await using scenario = await drained();
  const whole = new InterruptedStore(scenario.store);
  expect((await scenario.restore(whole)).verdict).toMatchObject({ verdict: "PROVEN" });
  const expected = await contents(scenario);
  const writes = whole.requests.flatMap(({ operation }, index) => (operation === "put" ? [index + 1] : []));
  expect(writes.length).toBeGreaterThan(5);
  for (const at of writes) {
    for (const when of ["before", "after"] as const) {
      await scenario.rewind("restoring");
      await scenario.store.delete([scenario.keys.restoreCheckpoint, scenario.keys.verdict]);
      const killed = new InterruptedStore(scenario.store, { at, when });
      const { error } = await scenario.restore(killed);
      if (error) expect(causes(error).some((cause) => cause instanceof Killed)).toBe(true);
      const { verdict } = await scenario.restore();
      expect(verdict, `killed ${when} request ${at}`).toMatchObject({ verdict: "PROVEN", reasons: [] });
      expect(await contents(scenario)).toEqual(expected);
    }
  }
});

function causes(error: unknown): unknown[] {
  const all: unknown[] = [];
  for (let each = error; each instanceof Error; each = each.cause) all.push(each);
  return all;
}

test("failback 18: MongoDB killed and started again on the way delays restore, nothing else", async () => {
  await using scenario = await world.scenario();
  await scenario.seed(seeded);
  await scenario.capture();
  const rows = Array.from({ length: 3000 }, (_, n) => ({
    _id: `n${n}`,
    sku: `n${n}`,
    value: "x".repeat(200),
  }));
  await scenario.orders("documentdb").insertMany(rows);
  await scenario.drain();
  const restoring = scenario.restore();
  await world.sandbox.database!.kill();
  await world.sandbox.database!.restart();
  const { error, verdict } = await restoring;
  const last = error?.kind === "unavailable" ? await scenario.restore() : { verdict };
  expect(last.verdict).toMatchObject({ verdict: "PROVEN", reasons: [] });
  expect(await scenario.orders("mongodb").countDocuments()).toBe(3020);
});

test("two restores of one failback: one goes on, the other ends fenced, and the data is right", async () => {
  await using scenario = await drained();
  const outcomes = await Promise.all([scenario.restore(), scenario.restore()]);
  const kinds = outcomes.map(({ error }) => error?.kind);
  expect(kinds.filter((kind) => kind === undefined || kind === "fenced" || kind === "unknown")).toHaveLength(
    2,
  );
  if (!kinds.includes(undefined)) await scenario.restore();
  const { verdict } = await scenario.restore();
  expect(verdict).toMatchObject({ verdict: "PROVEN" });
});
