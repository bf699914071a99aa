import { expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { startDatabase } from "../../sandbox/database/testing.ts";
import { Ledger } from "../../scripts/drill/ledger.ts";
import type { Model } from "../../scripts/drill/model.ts";
import { drillCollections, namespaceOf } from "../../scripts/drill/scope.ts";
import { judge } from "../../scripts/drill/verify.ts";

const place = drillCollections[0]!;
const namespace = namespaceOf(place);
const nobodyExcused = () => false;

/** Both sides hold three documents, and the ledger knows them as acknowledged. */
async function bothSides() {
  await using ending = new AsyncDisposableStack();
  const clients: MongoClient[] = [];
  for (let side = 0; side < 2; side++) {
    const database = ending.use(await startDatabase({ args: ["--members", "1"] }));
    clients.push(await new MongoClient(database.uri).connect());
  }
  const [mongodb, documentdb] = clients as [MongoClient, MongoClient];
  ending.defer(async () => void (await Promise.all(clients.map((client) => client.close()))));
  const ledger = new Ledger();
  for (const id of ["a", "b", "c"]) {
    const document: Model = new Map<string, unknown>([
      ["_id", id],
      ["state", "paid"],
    ]);
    for (const client of clients) await collectionOf(client).insertOne(document as never);
    ledger.record(namespace, id, document);
  }
  return { mongodb, documentdb, ledger, moved: ending.move() };
}

const collectionOf = (client: MongoClient) => client.db(place.database).collection(place.collection);
const byId = (id: string) => ({ _id: id as never });

test("failback 24: acknowledged writes that both databases lost, or both have altered, are found by the ledger", async () => {
  const { mongodb, documentdb, ledger, moved } = await bothSides();
  await using _ = moved;
  const sides = { mongodb, documentdb };
  expect((await judge(sides, [ledger], nobodyExcused)).problems).toEqual([]);

  for (const client of [mongodb, documentdb]) await collectionOf(client).deleteOne(byId("a"));
  const lost = await judge(sides, [ledger], nobodyExcused);
  expect(lost.problems).toEqual([
    expect.stringContaining(`${namespace}: 1 document(s) not as the ledger says`),
  ]);

  for (const client of [mongodb, documentdb])
    await collectionOf(client).updateOne(byId("b"), { $set: { state: "open" } });
  const altered = await judge(sides, [ledger], nobodyExcused);
  expect(altered.problems).toEqual([
    expect.stringContaining(`${namespace}: 2 document(s) not as the ledger says`),
  ]);
}, 60_000);

test("failback 24: a deleted document that came back, and one nobody wrote, are found too", async () => {
  const { mongodb, documentdb, ledger, moved } = await bothSides();
  await using _ = moved;
  ledger.record(namespace, "c", undefined);
  for (const client of [mongodb, documentdb]) await collectionOf(client).insertOne({ _id: "ghost" as never });
  const { problems } = await judge({ mongodb, documentdb }, [ledger], nobodyExcused);
  expect(problems).toEqual([expect.stringContaining(`${namespace}: 2 document(s) not as the ledger says`)]);
}, 60_000);

test("failback 24: a difference between the databases that nothing excuses is named as such", async () => {
  const { mongodb, documentdb, ledger, moved } = await bothSides();
  await using _ = moved;
  await collectionOf(documentdb).updateOne(byId("b"), { $set: { state: "open" } });
  const { problems } = await judge({ mongodb, documentdb }, [ledger], nobodyExcused);
  expect(problems).toEqual([expect.stringContaining("1 document(s) differ between the databases")]);
  expect((await judge({ mongodb, documentdb }, [ledger], () => true)).problems).toEqual([]);
}, 60_000);
