/** The stream's own resume rules, on a server whose commands can be made to fail. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize } from "bson";
import { MongoClient } from "mongodb";
import type { ResumePoint } from "../../core/changes/source.ts";
import type { RoundtripError } from "../../core/errors.ts";
import { type DatabaseHandle, startDatabase } from "../../sandbox/up/database.ts";
import { systemClock } from "../clock.ts";
import { ChangeStream, type ChangeStreamOptions } from "./change-stream.ts";
import { operationTime } from "./replica-set.ts";

const directory = mkdtempSync(join(tmpdir(), "roundtrip-stream-"));
let database: DatabaseHandle;
let client: MongoClient;
let counter = 0;

beforeAll(async () => {
  database = await startDatabase({ dir: join(directory, "data") });
  client = await new MongoClient(database.ready.uri).connect();
});

afterAll(async () => {
  await client?.close();
  await database?.stop();
  rmSync(directory, { recursive: true, force: true });
});

afterEach(async () => void (await failing("off")));

const appName = "capture-under-test";
const warnings: object[] = [];

function failing(mode: "off" | "alwaysOn" | { times: number }, data: object = {}): Promise<unknown> {
  return client.db("admin").command({
    configureFailPoint: "failCommand",
    mode,
    data: { failCommands: ["getMore"], appName, ...data },
  });
}

function streamOf(options: Partial<ChangeStreamOptions> = {}): ChangeStream {
  return new ChangeStream({
    connect: () => new MongoClient(database.ready.uri, { appName }).connect(),
    subject: { what: "read changes", server: "MongoDB", secretName: "secret" },
    clock: systemClock,
    logger: { debug() {}, info() {}, warn: (fields) => void warnings.push(fields), error() {} },
    awaitMs: 50,
    ...options,
  });
}

/** A collection of its own, and the point before its first write. */
async function fresh(): Promise<{
  name: string;
  from: ResumePoint;
  insert: (count: number) => Promise<void>;
}> {
  const name = `c${++counter}`;
  await client.db("elsewhere").collection("marker").insertOne({ name });
  const from = { operationTime: await operationTime(client) };
  let inserted = 0;
  const insert = async (count: number) => {
    const documents = Array.from({ length: count }, () => ({ _id: ++inserted as never }));
    await client.db("shop").collection(name).insertMany(documents);
  };
  return { name, from, insert };
}

/** Reads until `count` inserts into a collection were seen; gives their `_id`s, and where reading stood then. */
async function read(stream: ChangeStream, from: ResumePoint, name: string, count: number) {
  const stop = new AbortController();
  const ids: number[] = [];
  let resume = from;
  for await (const batch of stream.read(from, stop.signal)) {
    resume = batch.resume;
    for (const raw of batch.events) {
      const event = deserialize(raw);
      if (event.ns.coll === name && event.operationType === "insert") ids.push(event.documentKey._id);
    }
    if (ids.length >= count) stop.abort();
  }
  return { ids, resume };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe("reading the cluster's changes", () => {
  test("from a time, then from the token of the batch before: every event once", async () => {
    const { name, from, insert } = await fresh();
    await insert(300);
    const first = await read(streamOf(), from, name, 300);
    expect(first.ids).toEqual(upTo(300));
    await insert(50);
    const second = await read(streamOf(), first.resume, name, 50);
    expect(second.ids).toEqual(upTo(350).slice(300));
  });

  test("an idle stream gives tokens that move on with the server's writes elsewhere", async () => {
    const { from } = await fresh();
    const stop = new AbortController();
    const points: ResumePoint[] = [];
    for await (const batch of streamOf().read(from, stop.signal)) {
      points.push(batch.resume);
      if (points.length === 4) stop.abort();
    }
    // Opening alone is no progress; every read is.
    expect(points.map((point) => "token" in point)).toEqual([false, true, true, true]);
  });

  test("cursor lost, primary stepping down, closed connections: it resumes without a gap or a repeat", async () => {
    for (const data of [
      { errorCode: 43 },
      { errorCode: 10107 },
      { errorCode: 91 },
      { closeConnection: true },
    ]) {
      const { name, from, insert } = await fresh();
      await insert(20);
      await failing({ times: 2 }, data);
      expect((await read(streamOf(), from, name, 20)).ids).toEqual(upTo(20));
    }
  });

  test("history lost by either server's code is one typed failure, and is not tried again", async () => {
    for (const errorCode of [136, 286, 280]) {
      const { name, from } = await fresh();
      await failing("alwaysOn", { errorCode });
      warnings.length = 0;
      const error: RoundtripError = await read(streamOf(), from, name, 1).catch((reason) => reason);
      expect([error.kind, error.exitCode]).toEqual(["historyLost", 10]);
      expect(error.got).toContain(String(errorCode));
      expect(warnings).toEqual([]);
    }
  });

  test("resuming is bounded: after its last try the failure says unavailable", async () => {
    const { name, from } = await fresh();
    await failing("alwaysOn", { errorCode: 91 });
    warnings.length = 0;
    const error: RoundtripError = await read(streamOf({ resumesMax: 3 }), from, name, 1).catch(
      (reason) => reason,
    );
    expect(error.kind).toBe("unavailable");
    expect(warnings).toHaveLength(3);
  });

  test("a fault that resuming can't mend is not retried", async () => {
    const { name, from } = await fresh();
    await failing("alwaysOn", { errorCode: 8000 });
    warnings.length = 0;
    const error: RoundtripError = await read(streamOf(), from, name, 1).catch((reason) => reason);
    expect(error.kind).toBe("internal");
    expect(error.got).toContain("8000");
    expect(warnings).toEqual([]);
  });

  test("a password that was changed meanwhile is read again, once", async () => {
    const { name, from, insert } = await fresh();
    await insert(5);
    let connections = 0;
    const connectAnew = () => {
      connections++;
      return new MongoClient(database.ready.uri, { appName }).connect();
    };
    await failing({ times: 1 }, { errorCode: 18 });
    expect((await read(streamOf({ connect: connectAnew }), from, name, 5)).ids).toEqual(upTo(5));
    expect(connections).toBe(2);
    await failing("alwaysOn", { errorCode: 18 });
    const error: RoundtripError = await read(streamOf(), from, name, 1).catch((reason) => reason);
    expect(error.kind).toBe("denied");
  });

  test("a consumer that takes nothing stops the reading after one reply", async () => {
    const { from, insert } = await fresh();
    let reads = 0;
    const connectCounted = async () => {
      const counted = new MongoClient(database.ready.uri, { appName, monitorCommands: true });
      counted.on("commandStarted", ({ commandName }) => {
        if (commandName === "getMore") reads++;
      });
      return counted.connect();
    };
    const stop = new AbortController();
    const batches = streamOf({ connect: connectCounted }).read(from, stop.signal);
    await batches.next();
    await insert(10);
    await Bun.sleep(300);
    // Its own wait is 50 ms: without the bound there would be six by now.
    expect(reads).toBe(1);
    await batches.next();
    await Bun.sleep(100);
    expect(reads).toBe(2);
    stop.abort();
    await batches.return(undefined);
  });

  test("the signal ends a read that only waits, at once", async () => {
    const { from } = await fresh();
    const stop = new AbortController();
    const started = performance.now();
    setTimeout(() => stop.abort(), 200);
    for await (const batch of streamOf({ awaitMs: 10_000 }).read(from, stop.signal))
      expect(batch.events).toBeArray();
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
