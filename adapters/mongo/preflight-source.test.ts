import { expect, test } from "bun:test";
import type { Document, MongoClient } from "mongodb";
import { readOplogFacts, readTopology } from "./preflight-source.ts";

/** A server that answers commands of one database as given; the stand-in is always a replica set. */
function answering(replies: Readonly<Record<string, Document>>): MongoClient {
  const collection = {
    findOne: async (_filter: object, { sort }: { sort: { $natural: number } }) =>
      replies[sort.$natural === 1 ? "first" : "last"] ?? null,
  };
  const db = {
    command: async (body: Document) => replies[Object.keys(body)[0] ?? ""] ?? {},
    collection: () => collection,
  };
  return { db: () => db } as unknown as MongoClient;
}

test("a replica set, a standalone server and a mongos are told apart", async () => {
  expect(await readTopology(answering({ hello: { setName: "rs0", isWritablePrimary: true } }))).toBe(
    "replica-set",
  );
  expect(await readTopology(answering({ hello: { isWritablePrimary: true } }))).toBe("standalone");
  expect(await readTopology(answering({ hello: { msg: "isdbgrid", isWritablePrimary: true } }))).toBe(
    "sharded",
  );
});

test("a standalone server has no oplog: that is said, not read as an empty one", async () => {
  await expect(readOplogFacts(answering({}))).rejects.toThrow("the oplog is empty");
});

test("the hours a server was told to keep are read where it tells them", async () => {
  const ts = (seconds: number) => ({
    ts: { getHighBitsUnsigned: () => seconds, getLowBitsUnsigned: () => 1 },
  });
  const common = { first: ts(100), last: ts(3700), collStats: { size: 5, maxSize: 10 } };
  const told = { ...common, serverStatus: { oplogTruncation: { oplogMinRetentionHours: 48 } } };
  expect(await readOplogFacts(answering(told))).toEqual({
    windowSeconds: 3600,
    bytes: 5,
    bytesMax: 10,
    retentionHours: 48,
  });
  expect((await readOplogFacts(answering({ ...common, serverStatus: {} }))).retentionHours).toBe(0);
});
