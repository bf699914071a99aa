import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { RoundtripError } from "../../core/errors.ts";
import { inspectionKey } from "../../core/failback/layout.ts";
import type { Inspection } from "../../core/live/live-state.ts";
import { FakeWorld, succeeded } from "../engine/fake-world.ts";
import { executeOperation } from "../engine/operation.ts";
import { firstStart } from "./runbook.ts";

const table = { schema: "shop", table: "orders", fullLoadRows: 0, inserts: 0, updates: 0, deletes: 0 };
const side = (documents: number): Inspection["mongodb"] => ({
  reachable: true,
  version: "5.0.0",
  databases: [{ name: "shop", collections: [{ name: "orders", documents, bytes: 0, indexes: [] }] }],
  users: [{ name: "dms", roles: [{ role: "readWriteAnyDatabase", db: "admin" }] }],
});

/** A task that was never started, an empty target, 1,000 documents at the source; the clock passes while it sleeps. */
async function newWorld(): Promise<FakeWorld> {
  const world = new FakeWorld();
  world.task = { ...world.task, status: "ready" };
  const takenAt = new Date();
  const inspection: Inspection = {
    version: 1,
    environment: "dev",
    takenAt: takenAt.toISOString(),
    mongodb: side(1000),
    documentdb: side(0),
  };
  const body = new TextEncoder().encode(JSON.stringify(inspection));
  const key = inspectionKey(takenAt, "run");
  await world.store.put(key, body);
  const sha256 = createHash("sha256").update(body).digest("hex");
  world.answers.set("inspect", () => succeeded("c", "inspect", { key, sha256 }));
  let passed = 0;
  Object.assign(world.clock, {
    monotonicMs: () => passed,
    sleep: async (ms: number) => {
      passed += ms;
      await new Promise((resolve) => setTimeout(resolve, 0));
    },
  });
  return world;
}

/** Table states as DMS shows them, one look after the other; the last one stays. */
function showing(world: FakeWorld, looks: readonly (readonly [state: string, rows: number])[]): void {
  let look = 0;
  world.tasks.tables = async () => {
    const [state, fullLoadRows] = looks[Math.min(look++, looks.length - 1)]!;
    return [{ ...table, state, fullLoadRows }];
  };
}

const run = (world: FakeWorld, minutes = "300") =>
  executeOperation(world.dependencies(), {
    operation: firstStart,
    inputs: { tasks: "all", "load-minutes": minutes },
    caller: { actor: "ana", commit: "abc" },
    declared: { version: 1, tasks: [{ id: "orders", database: "shop", collections: [{ name: "orders" }] }] },
    leaseSeconds: 0.05,
    actionTimeoutSeconds: () => 1,
  });
const failureOf = async (world: FakeWorld, minutes?: string) =>
  (await run(world, minutes)).error as RoundtripError;

test("the load is followed with rows, percent and the time left; nothing said twice", async () => {
  const world = await newWorld();
  showing(world, [
    ["Before load", 0],
    ["Full load", 100],
    ["Full load", 100],
    ["Full load", 600],
    ["Table completed", 1000],
  ]);
  expect((await run(world)).error).toBeUndefined();
  expect(world.calls).toContain("start task start-replication");
  expect(world.said.filter((line) => line.includes("full load:")).map((line) => line.trim())).toEqual([
    "full load: 0 of 1,000 rows (0 %), 0 of 1 tables",
    "full load: 100 of 1,000 rows (10 %), 0 of 1 tables, about 45 s left",
    "full load: 100 of 1,000 rows (10 %), 0 of 1 tables, about 2 min left",
    "full load: 600 of 1,000 rows (60 %), 0 of 1 tables, about 10 s left",
    "full load: 1,000 of 1,000 rows (100 %), 1 of 1 tables",
  ]);
});

test("a table DMS gave up on is named with DMS's own message; it isn't waited for", async () => {
  const world = await newWorld();
  showing(world, [["Table error", 12]]);
  const start = world.tasks.start;
  world.tasks.start = async (...call) => {
    const started = await start(...call);
    world.task = { ...world.task, lastFailure: "Last Error document too large" };
    return started;
  };
  expect(await failureOf(world)).toMatchObject({
    kind: "unavailable",
    got: "shop.orders: Table error, 12 rows; orders: Last Error document too large",
  });
});

test("a task that ends in the middle of its load is told with its reason", async () => {
  const world = await newWorld();
  showing(world, [["Full load", 1]]);
  const start = world.tasks.start;
  world.tasks.start = async (...call) => {
    await start(...call);
    world.task = { ...world.task, status: "failed", stopReason: "FATAL_ERROR", lastFailure: "no disk" };
    return world.task;
  };
  expect((await failureOf(world)).got).toContain("orders failed; FATAL_ERROR; no disk");
});

test("a load that outlasts its time is unknown, and the next run goes on following without starting anything", async () => {
  const world = await newWorld();
  showing(world, [["Full load", 250]]);
  expect(await failureOf(world, "2")).toMatchObject({
    kind: "unknown",
    expected: "every table completed within 2 min",
    got: expect.stringContaining("waiting for shop.orders"),
  });
  showing(world, [["Table completed", 1000]]);
  expect((await run(world, "2")).error).toBeUndefined();
  expect(world.calls.filter((call) => call.startsWith("start task"))).toEqual([
    "start task start-replication",
  ]);
});

test("a failed connection test, and a task tasks.yaml doesn't declare, start nothing", async () => {
  const world = await newWorld();
  world.connectionTest = { status: "failed", failure: "Authentication failed" };
  expect(await failureOf(world)).toMatchObject({ got: expect.stringContaining("Authentication failed") });
  const other = await newWorld();
  other.task = { ...other.task, id: "somebody-elses" };
  expect((await run(other)).error).toBeUndefined();
  for (const each of [world, other])
    expect(each.calls.filter((call) => call.startsWith("start task"))).toEqual([]);
});
