/** Capture as a process against the stand-ins: invariants.md 3, 7–11 and 29 with real requests, real kills, real streams. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, deserialize } from "bson";
import type { LogEvent } from "../../adapters/log/window.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { CaptureWorld } from "../support/capture-world.ts";
import { eventsOf, manifestsOf } from "../support/log-content.ts";
import { waitFor } from "../support/wait-for.ts";

let world: CaptureWorld;
beforeAll(async () => {
  world = await CaptureWorld.start();
});
afterAll(() => world?.[Symbol.asyncDispose]());

interface Order extends Document {
  readonly _id: string;
}

const orders = () => world.client.db("shop").collection<Order>("orders");

/** What is in scope, without Roundtrip's own signals. */
function scoped(events: readonly LogEvent[]): LogEvent[] {
  return events.filter(({ kind }) => kind === "scope");
}

/** `_id`s of a log's inserts, to hold against what was acknowledged. */
function insertedIds(events: readonly LogEvent[]): unknown[] {
  return scoped(events)
    .filter(({ header }) => header.operationType === "insert")
    .map(({ raw }) => deserialize(raw).documentKey._id);
}

/** Waits until the log holds that many events in scope. */
async function inScope(id: string, count: number): Promise<void> {
  const reached = async () => scoped(await eventsOf(world.store, id)).length >= count;
  await waitFor(`${count} events in scope of ${id}`, reached, 20_000);
}

test("inserts, updates, replaces, deletes and a dropped collection are in the log as the server sent them", async () => {
  await world.open("fb-kinds");
  const capture = world.capture();
  await orders().insertMany([{ _id: "k-1", list: [1, 2] }, { _id: "k-2" }]);
  await orders().updateOne({ _id: "k-1" }, { $set: { "list.1": 5 } });
  await orders().replaceOne({ _id: "k-2" }, { replaced: true });
  await orders().deleteOne({ _id: "k-1" });
  await world.client
    .db("shop")
    .collection("customers")
    .insertOne({ _id: 1 as never });
  await world.client.db("shop").collection("customers").drop();
  await world.client
    .db("elsewhere")
    .collection("things")
    .insertOne({ _id: 1 as never });
  await inScope("fb-kinds", 7);
  expect((await capture.stop()).code).toBe(0);
  const log = await eventsOf(world.store, "fb-kinds");
  expect(scoped(log).map(({ header }) => header.operationType)).toEqual([
    "insert",
    "insert",
    "update",
    "replace",
    "delete",
    "insert",
    "drop",
  ]);
  expect(log.filter(({ collection }) => collection === "things").map(({ kind }) => kind)).toEqual(["held"]);
  expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, index) => index + 1));
}, 30_000);

test("failback 8: bsondump reads every log object, in both layouts", async () => {
  const bsondump = join(import.meta.dir, "../../.tools/bin/bsondump");
  if (!existsSync(bsondump))
    throw new Error("bsondump is missing: the database tools are part of the set-up");
  for (const maxEventsPerObject of [1, 1_000_000]) {
    const id = `fb-dump-${maxEventsPerObject}`;
    await world.open(id);
    const capture = world.capture({ settings: { maxEventsPerObject } });
    const documents = Array.from({ length: 20 }, (_, index) => ({
      _id: `${id}/${index}`,
      text: "x".repeat(index),
    }));
    await orders().insertMany(documents);
    await inScope(id, 20);
    await capture.stop();
    const objects = (await manifestsOf(world.store, id)).flatMap((manifest) => manifest.objects);
    if (maxEventsPerObject === 1) expect(objects.filter(({ kind }) => kind === "scope")).toHaveLength(20);
    for (const object of objects) {
      const { body } = (await world.store.get(object.key))!;
      const dump = Bun.spawn([bsondump, "--quiet"], { stdin: body, stdout: "pipe", stderr: "pipe" });
      const lines = (await dump.stdout.text()).trim().split("\n");
      expect([await dump.exited, lines.length]).toEqual([0, object.events]);
      for (const line of lines) expect(JSON.parse(line)).toHaveProperty("operationType");
    }
  }
}, 60_000);

test("failback 7: kill -9 before and after each request of a run: the next run's log has every write once", async () => {
  const requests = await requestsOfOneRun();
  expect(requests.length).toBeGreaterThan(10);
  // Every request here and there: `make chaos` takes them all.
  const step = process.env.CHAOS ? 1 : 4;
  for (let index = 0; index < requests.length; index += step) {
    for (const when of ["before", "after"] as const) {
      const id = `fb-kill-${index}-${when}`;
      await world.open(id);
      const caller = `replication-${id}`;
      const name = `${caller}.service`;
      const killed = world.capture({ name: caller });
      await registerProcess(name, killed.pid);
      await world.fault({ caller, nth: index + 1, when, action: { kill: name } });
      const ids = await writeSmall(id);
      await waitFor(
        `request ${index + 1} (${requests[index]})`,
        async () => !killed.isRunning || (await countInScope(id)) >= ids.length,
        20_000,
      );
      await killed.kill();
      await world.clearFaults();
      const again = world.capture();
      await inScope(id, ids.length);
      await again.reads();
      expect((await again.stop()).code).toBe(0);
      expect(insertedIds(await eventsOf(world.store, id))).toEqual(ids);
    }
  }
}, 240_000);

async function requestsOfOneRun(): Promise<string[]> {
  await world.open("fb-requests");
  const capture = world.capture({ name: "replication-requests" });
  const ids = await writeSmall("fb-requests");
  await inScope("fb-requests", ids.length);
  await capture.stop();
  return (await world.journal("replication-requests")).map(({ operation, key }) => `${operation} ${key}`);
}

async function writeSmall(id: string): Promise<string[]> {
  const ids = Array.from({ length: 6 }, (_, index) => `${id}-${index}`);
  for (const _id of ids) await orders().insertOne({ _id });
  return ids;
}

async function countInScope(id: string): Promise<number> {
  return scoped(await eventsOf(world.store, id)).length;
}

async function registerProcess(name: string, pid: number): Promise<void> {
  const body = JSON.stringify({ name, pid });
  const answer = await fetch(`${world.aws}/_sandbox/processes`, { method: "POST", body });
  if (!answer.ok) throw new Error(`register ${name}: ${answer.status} ${await answer.text()}`);
}

test("failback 7: two capture processes at once: one goes on, the other exits 12, the log has no repeat", async () => {
  await world.open("fb-two");
  const captures = [world.capture({ name: "one" }), world.capture({ name: "two" })];
  const ids: string[] = [];
  await waitFor(
    "one of them is fenced",
    async () => {
      const _id = `two-${ids.length}`;
      await orders().insertOne({ _id });
      ids.push(_id);
      return captures.some(({ isRunning }) => !isRunning);
    },
    20_000,
  );
  const loser = captures.find(({ isRunning }) => !isRunning)!;
  const winner = captures.find(({ isRunning }) => isRunning)!;
  const { code, stderr } = await loser.ended;
  expect(code, stderr).toBe(12);
  expect(stderr).toContain("to be the only capture of this failback");
  await inScope("fb-two", ids.length);
  expect((await winner.stop()).code).toBe(0);
  expect(insertedIds(await eventsOf(world.store, "fb-two"))).toEqual(ids);
}, 60_000);

test("failback 9: an expired token: exit 10, gap.json, one message that says what to do; nothing captured is touched", async () => {
  await world.open("fb-expired");
  const capture = world.capture();
  await orders().insertOne({ _id: "before-the-gap" });
  await inScope("fb-expired", 1);
  await capture.stop();
  await orders().insertOne({ _id: "in-the-gap" });
  await world.client.db("admin").command({ _sandbox: 1, set: { retentionSeconds: 1 } });
  try {
    await Bun.sleep(2100);
    await orders().insertOne({ _id: "after-the-gap" });
    const late = world.capture();
    const { code, stderr } = await late.ended;
    expect(code).toBe(10);
    expect(stderr).toContain("Way out:");
    expect(stderr).toContain("recopy");
    const gap = JSON.parse(new TextDecoder().decode((await world.store.get(keysOf("fb-expired").gap))!.body));
    expect(gap.got).toContain("136");
    expect(insertedIds(await eventsOf(world.store, "fb-expired"))).toEqual(["before-the-gap"]);
    const status = JSON.parse(await readFile(join(late.stateDirectory, "status/replication.json"), "utf8"));
    expect(status).toMatchObject({ state: "failed", exitCode: 10 });
  } finally {
    await world.client.db("admin").command({ _sandbox: 1, set: { retentionSeconds: 10_800 } });
  }
}, 60_000);

test("failback 9: a change over 16 MB is passed without its documents, its _id marked, and what follows is captured", async () => {
  await world.open("fb-large");
  const capture = world.capture();
  const half = "x".repeat(8_300_000);
  await orders().insertOne({ _id: "large", first: half });
  await orders().insertOne({ _id: "small-1" });
  // Delta and looked-up document together are over what one event may hold.
  await orders().updateOne({ _id: "large" }, { $set: { second: half.slice(0, 8_000_000), third: 1 } });
  await orders().insertOne({ _id: "small-2" });
  await inScope("fb-large", 4);
  expect((await capture.stop()).code).toBe(0);
  const log = scoped(await eventsOf(world.store, "fb-large"));
  expect(log.map(({ header }) => header.operationType)).toEqual(["insert", "insert", "update", "insert"]);
  const flags = (await manifestsOf(world.store, "fb-large")).flatMap((manifest) => manifest.flags);
  expect(flags).toEqual([
    { sequence: log[2]!.sequence, reason: "oversize", namespace: "shop.orders", id: '"large"' },
  ]);
  await orders().deleteOne({ _id: "large" });
}, 60_000);

test("failback 10: DocumentDB restarted under the capture: it resumes by itself and nothing is missing", async () => {
  await world.open("fb-restart");
  const capture = world.capture();
  await orders().insertOne({ _id: "restart-1" });
  await inScope("fb-restart", 1);
  await world.documentdb.kill();
  await world.documentdb.restart();
  await orders().insertOne({ _id: "restart-2" });
  await inScope("fb-restart", 2);
  expect(capture.isRunning).toBe(true);
  expect((await capture.stop()).code).toBe(0);
  expect(insertedIds(await eventsOf(world.store, "fb-restart"))).toEqual(["restart-1", "restart-2"]);
}, 60_000);

test("failback 11: S3 answers 503 for a while: the capture waits, says so, and drops nothing", async () => {
  await world.open("fb-stall");
  const capture = world.capture({ name: "stalled", settings: { maxBytesPerFlush: 200_000 } });
  await orders().insertOne({ _id: "stall-first" });
  await inScope("fb-stall", 1);
  const { id } = await world.fault({
    caller: "stalled",
    service: "s3",
    operation: "PutObject",
    keyPattern: "manifests|replication/shop",
    times: "unlimited",
    action: { status: 503, code: "SlowDown" },
  });
  const batch = Array.from({ length: 2000 }, (_, index) => ({
    _id: `stall-${index}`,
    text: "x".repeat(500),
  }));
  await orders().insertMany(batch);
  const status = async () =>
    JSON.parse(await readFile(join(capture.stateDirectory, "status/replication.json"), "utf8"));
  await waitFor("the status says it waits", async () => (await status()).state === "waiting", 20_000);
  expect(await countInScope("fb-stall")).toBe(1);
  await fetch(`${world.aws}/_sandbox/faults/${id}`, { method: "DELETE" });
  await inScope("fb-stall", 2001);
  expect((await capture.stop()).code).toBe(0);
  expect(insertedIds(await eventsOf(world.store, "fb-stall"))).toHaveLength(2001);
}, 90_000);

test("bad input ends with one message naming the thing, and the documented exit code", async () => {
  await world.open("fb-bad");
  const uri = world.documentdb.ready.uri;
  await world.secret("wrong-password", { uri: uri.replace(/:[^:@]+@/, ":not-the-password@") });
  await world.secret("unreachable", { uri: "mongodb://u:p@127.0.0.1:1/?serverSelectionTimeoutMS=300" });
  await world.secret("incomplete", { host: "127.0.0.1" });
  const cases: [Parameters<CaptureWorld["capture"]>[0], number, string][] = [
    [{ secret: "wrong-password" }, 5, "wrong-password"],
    [{ secret: "unreachable" }, 4, "127.0.0.1:1"],
    [{ secret: "incomplete" }, 6, "incomplete"],
    [{ secret: "no-such-secret" }, 6, "no-such-secret"],
    [{ bucket: "no-such-bucket" }, 6, "no-such-bucket"],
  ];
  for (const [options, code, named] of cases) {
    const ended = await world.capture(options).ended;
    expect([named, ended.code]).toEqual([named, code]);
    expect(ended.stderr).toContain(named);
    expect(ended.stderr).toContain("Way out:");
    expect(ended.stderr).not.toContain("not-the-password");
  }
}, 60_000);

test("change streams that are not enabled are refused, because such a stream would only be silent", async () => {
  await world.open("fb-silent");
  await world.client
    .db("admin")
    .command({ modifyChangeStreams: 1, database: "", collection: "", enable: false });
  try {
    const { code, stderr } = await world.capture().ended;
    expect(code).toBe(3);
    expect(stderr).toContain("$listChangeStreams");
  } finally {
    await world.client
      .db("admin")
      .command({ modifyChangeStreams: 1, database: "", collection: "", enable: true });
  }
}, 30_000);

test("failback 29: a host lost while changes arrive: another one with an empty disk goes on from S3", async () => {
  await world.open("fb-host");
  const lost = world.capture();
  const ids: string[] = [];
  let writing = true;
  const writer = (async () => {
    while (writing) {
      const _id = `host-${ids.length}`;
      await orders().insertOne({ _id });
      ids.push(_id);
    }
  })();
  await inScope("fb-host", 20);
  await lost.kill();
  const other = world.capture();
  const before = ids.length;
  await waitFor("more writes", () => ids.length > before + 50);
  writing = false;
  await writer;
  await inScope("fb-host", ids.length);
  expect((await other.stop()).code).toBe(0);
  expect(insertedIds(await eventsOf(world.store, "fb-host"))).toEqual(ids);
}, 60_000);
