import { expect, test } from "bun:test";
import type { ReplicationTask } from "../ports.ts";
import { canResumeCheck } from "./oplog-check.ts";

const oplog = { first: { t: 1000, i: 1 }, last: { t: 9000, i: 5 } };
const task = (more: Partial<ReplicationTask>): ReplicationTask => ({
  id: "shop",
  arn: "arn:shop",
  status: "stopped",
  ...more,
});
const at = (t: number, i = 1) => ({ checkpoint: { raw: "x", timestamp: { t, i } } });

test("a checkpoint within the oplog can be gone on from; one it rolled over can't, running or not", () => {
  expect(canResumeCheck(task(at(5000)), oplog).ok).toBe(true);
  for (const status of ["stopped", "failed", "running"]) {
    const rolled = canResumeCheck(task({ ...at(900), status }), oplog);
    expect([rolled.ok, rolled.wayOut?.startsWith("DMS can't go on from there")]).toEqual([false, true]);
  }
});

test("a running task may have read further than the oplog was seen to go; a stopped one may not", () => {
  expect(canResumeCheck(task({ ...at(9001), status: "running" }), oplog).ok).toBe(true);
  expect(canResumeCheck(task(at(9001)), oplog).ok).toBe(false);
  // On an idle source a task stands at the tick behind the newest entry.
  expect(canResumeCheck(task(at(9000, 6)), oplog).ok).toBe(true);
});

test("a checkpoint of a form nobody knows counts by the task's stop; without one it is unknown and refused", () => {
  const raw = { checkpoint: { raw: "opaque" } };
  expect(canResumeCheck(task({ ...raw, stoppedAt: new Date(5_000_000) }), oplog).ok).toBe(true);
  expect(canResumeCheck(task({ ...raw, stoppedAt: new Date(900_000) }), oplog).ok).toBe(false);
  // An idle source: the task stopped after the newest entry.
  expect(canResumeCheck(task({ ...raw, stoppedAt: new Date(9_500_000) }), oplog).ok).toBe(true);
  expect(canResumeCheck(task(raw), oplog).ok).toBe(false);
  expect(canResumeCheck(task({ ...raw, status: "running" }), oplog)).toMatchObject({
    ok: true,
    got: "it runs; DMS gives no time for it; the oplog holds 2.2 h",
  });
});
