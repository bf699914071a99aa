import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import schema from "../../schemas/readiness.schema.json";
import { standingAs } from "../drift/testing.ts";
import type { LiveTask } from "../live/live-state.ts";
import { tasksOf } from "../plan/testing.ts";
import { fact, type HostReadiness, unknownFact } from "./model.ts";
import { assessReadiness, type ReadinessInput } from "./readiness.ts";
import { renderReadinessMarkdown, renderReadinessTerminal } from "./render.ts";

const tasks = tasksOf(
  "id: shop-orders, database: shop, collections: [orders, lines]",
  "id: billing, database: billing, collections: [invoices], environments: {dev: {running: false}}",
);
const newest = 1_795_000_000;
const host: HostReadiness = {
  version: 1,
  workerVersion: "1.2.0",
  facts: [fact("MongoDB answers", true, { limit: "an answer", value: "set rs0", wayOut: "" })],
  oplog: { first: { t: newest - 36 * 3600, i: 1 }, last: { t: newest, i: 1 } },
};
const away = { reason: "i-1 is stopped; way out: start it", kind: "unavailable" } as const;

function liveTasks(change: Partial<LiveTask> = {}): LiveTask[] {
  const live = standingAs(tasks, "prod");
  if (!live.dms.reachable) throw new Error("unreachable");
  const checkpoint = { raw: "checkpoint", timestamp: { t: newest - 5, i: 1 } };
  return live.dms.tasks.map((task, index) => ({ ...task, checkpoint, ...(index === 0 ? change : {}) }));
}

function assess(change: Partial<ReadinessInput> = {}) {
  return assessReadiness({
    environment: "prod",
    name: "prod",
    now: new Date("2026-11-21T12:00:00.000Z"),
    tasks,
    phase: { value: "normal" },
    dms: { reachable: true, tasks: liveTasks() },
    host: { value: host },
    failbackHost: { value: "stopped" },
    version: "1.2.0",
    lastBackup: { version: 1, finishedAt: "2026-11-21T00:10:00.000Z", ok: true },
    lastRecoveryTest: { version: 1, finishedAt: "2026-11-01T00:10:00.000Z", ok: true },
    ...change,
  });
}

/** Facts that don't hold, in one line each. */
function bad(change: Partial<ReadinessInput>) {
  const { verdict, facts } = assess(change);
  const lines = facts
    .filter(({ state }) => state !== "holds")
    .map(({ name, state, value }) => `${state} ${name}: ${value}`);
  return [verdict, ...lines];
}

test("everything in order is ready, and keeps the schema", () => {
  const report = assess();
  const ajv = new Ajv2020({ allErrors: true });
  const validate = addFormats(ajv).compile(schema);
  validate(JSON.parse(JSON.stringify(report)));
  expect(validate.errors).toBeNull();
  expect([report.verdict, report.facts.every(({ state }) => state === "holds")]).toEqual(["ready", true]);
});

describe("a fact that fails makes it not ready", () => {
  test("a failback is open already", () => {
    expect(bad({ phase: { value: "capturing" } })).toEqual(["not-ready", "fails phase: capturing"]);
  });

  test("a task that stands still, with why; one that is missing", () => {
    const failed = liveTasks({ status: "failed", stopReason: "FATAL_ERROR", lastFailure: "no login" });
    expect(bad({ dms: { reachable: true, tasks: failed } })).toEqual([
      "not-ready",
      "fails DMS tasks run: shop-orders failed FATAL_ERROR no login",
    ]);
    expect(bad({ dms: { reachable: true, tasks: liveTasks().slice(1) } })).toEqual([
      "not-ready",
      "fails DMS tasks run: shop-orders missing",
    ]);
  });

  test("a task that stands still as tasks.yaml says is no failure", () => {
    const report = assess({ name: "dev" });
    expect(report.facts.find(({ name }) => name === "DMS tasks run")?.value).toBe(
      "1 of 1; 1 stand still as tasks.yaml says",
    );
  });

  test("a collection not loaded, and a task that never loaded any", () => {
    const [table] = liveTasks()[0]!.tables;
    const loading = liveTasks({ tables: [{ ...table!, state: "Full load" }] });
    expect(bad({ dms: { reachable: true, tasks: loading } })[1]).toBe(
      "fails collections are loaded: shop.orders: Full load",
    );
    expect(bad({ dms: { reachable: true, tasks: liveTasks({ tables: [] }) } })[1]).toBe(
      "fails collections are loaded: no collection of shop-orders was ever loaded",
    );
  });

  test("a checkpoint in the older half of the oplog, with both numbers", () => {
    const late = liveTasks({ checkpoint: { raw: "c", timestamp: { t: newest - 20 * 3600, i: 1 } } });
    const report = assess({ dms: { reachable: true, tasks: late } });
    expect(report.facts.find(({ name }) => name === "DMS keeps up")).toMatchObject({
      state: "fails",
      limit: "every checkpoint in the newer half of MongoDB's oplog: at most 18.0 h behind",
      value: "shop-orders is 20.0 h behind, the others no more; the oplog holds 36.0 h",
    });
  });

  test("worker and runner of different versions; a failback host that is gone", () => {
    expect(bad({ version: "1.3.0" })).toEqual(["not-ready", "fails worker version: 1.2.0"]);
    expect(bad({ failbackHost: { value: "terminated" } })[1]).toBe("fails failback host: terminated");
    const gone = { reason: "no such instance", kind: "configuration" } as const;
    expect(bad({ failbackHost: gone })[1]).toBe("fails failback host: no such instance");
  });

  test("a fact of the host", () => {
    const facts = [
      fact("disk of the host", false, { limit: "512 MiB", value: "3 MiB", wayOut: "free some" }),
    ];
    expect(bad({ host: { value: { ...host, facts } } })).toEqual([
      "not-ready",
      "fails disk of the host: 3 MiB",
    ]);
  });
});

describe("unknown is never ready", () => {
  test("the host, DMS, EC2 or the bucket don't answer", () => {
    expect(bad({ host: away })).toEqual([
      "unknown",
      "unknown DMS keeps up: MongoDB's oplog was not read",
      "unknown host answers: i-1 is stopped; way out: start it",
    ]);
    expect(bad({ dms: { reachable: false, reason: "throttled" } })).toEqual([
      "unknown",
      "unknown DMS tasks run: throttled",
      "unknown collections are loaded: throttled",
      "unknown DMS keeps up: throttled",
    ]);
    expect(bad({ failbackHost: away })[0]).toBe("unknown");
    expect(bad({ phase: away })[0]).toBe("unknown");
  });

  test("a checkpoint whose form nobody knows", () => {
    expect(bad({ dms: { reachable: true, tasks: liveTasks({ checkpoint: { raw: "?" } }) } })).toEqual([
      "unknown",
      "unknown DMS keeps up: no checkpoint with a time from shop-orders",
    ]);
  });

  test("what the host could not find out; what fails outweighs it", () => {
    const facts = [unknownFact("secret x", "can be read", "throttled", "try again")];
    expect(bad({ host: { value: { ...host, facts } } })[0]).toBe("unknown");
    expect(bad({ host: { value: { ...host, facts } }, phase: { value: "restoring" } })[0]).toBe("not-ready");
  });
});

test("backups and recovery tests are told with their age, and don't decide", () => {
  const old = { version: 1, finishedAt: "2026-10-01T00:00:00.000Z", ok: true } as const;
  expect(bad({ lastBackup: { ...old, ok: false }, lastRecoveryTest: undefined })).toEqual([
    "ready",
    "fails last backup of MongoDB: FAILED, 2026-10-01T00:00:00.000Z",
    "unknown last recovery test: nothing on record",
  ]);
  expect(bad({ lastRecoveryTest: old })[1]).toContain("fails last recovery test: good, 2026-10-01");
});

test("what a person reads: the verdict first, then what to mend", () => {
  const report = assess({ host: away, failbackHost: { value: "terminated" } });
  const text = renderReadinessTerminal(report);
  expect(text.split("\n").slice(0, 7)).toEqual([
    "prod: NOT READY, a failback would not succeed now (1 fails, 2 not known, 5 hold)",
    "",
    "Fails",
    "  failback host",
    "    limit    running, or stopped so that failback-start can start it",
    "    value    terminated",
    "    way out  roundtrip apply creates the host again; see EC2 for what happened to it",
  ]);
  const markdown = renderReadinessMarkdown(report);
  expect(markdown.split("\n").slice(0, 2)).toEqual([
    "<!-- roundtrip:readiness:prod -->",
    "### prod: NOT READY, a failback would not succeed now (1 fails, 2 not known, 5 hold)",
  ]);
  expect(markdown.length).toBeLessThan(65_536);
  expect(renderReadinessTerminal(assess())).toContain("prod: READY, a failback would succeed now");
});
