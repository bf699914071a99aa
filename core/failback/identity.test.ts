import { describe, expect, test } from "bun:test";
import type { MongodbIdentity } from "./documents.ts";
import { identityChecks } from "./identity.ts";
import { compareTimes, type RecordedTask } from "./recorded-tasks.ts";

const at = (t: number, i = 1) => ({ t, i });
const recorded: MongodbIdentity = {
  version: 1,
  setName: "rs0",
  replicaSetId: "abc",
  recordedAt: "2026-11-20T00:00:00.000Z",
  firstOplog: at(100),
  lastOplog: at(200),
  catalog: { takenAt: "2026-11-20T00:00:00.000Z", collections: [] },
};
const task: RecordedTask = { id: "shop", checkpoint: { raw: "checkpoint:…", timestamp: at(300) } };
const found = { setName: "rs0", replicaSetId: "abc", oplog: { first: at(150), last: at(400) } };
const failed = (options: Partial<Parameters<typeof identityChecks>[0]>) =>
  identityChecks({ recorded, found, tasks: [task], ...options }).filter(({ ok }) => !ok);

describe("failback 14: MongoDB is the one that failed", () => {
  test("the same set with the checkpoint in its oplog passes", () => {
    expect(failed({})).toEqual([]);
  });

  test("a set built anew under the same name is refused, and reseed is offered", () => {
    const [check] = failed({ found: { ...found, replicaSetId: "other" } });
    expect(check?.got).toContain("other");
    expect(check?.wayOut).toContain("reseed");
  });

  test("one rolled back behind what was recorded, or behind DMS's checkpoint, is refused", () => {
    expect(failed({ found: { ...found, oplog: { first: at(50), last: at(199) } } })).toHaveLength(2);
    expect(failed({ found: { ...found, oplog: { first: at(50), last: at(299) } } })).toHaveLength(1);
  });

  test("an oplog that rolled over the checkpoint is refused", () => {
    const [check] = failed({ found: { ...found, oplog: { first: at(301), last: at(400) } } });
    expect(check?.wayOut).toContain("rolled over");
  });

  test("the checkpoint may be the oplog's first or last entry", () => {
    expect(failed({ found: { ...found, oplog: { first: at(300), last: at(300) } } })).toEqual([]);
  });

  test("unknown is refused: no identity, no task, no checkpoint, a checkpoint of unknown form", () => {
    expect(failed({ recorded: undefined })).toHaveLength(1);
    expect(failed({ tasks: [] })).toHaveLength(1);
    expect(failed({ tasks: [{ id: "shop" }] })).toHaveLength(1);
    expect(failed({ tasks: [task, { id: "other", checkpoint: { raw: "?" } }] })[0]?.name).toContain("other");
  });
});

test("failback 17: a checkpoint of unknown form is stood in for by the task's stop, which the oplog must hold", () => {
  const stoppedAt = new Date(300_000).toISOString();
  const unknown = { id: "shop", checkpoint: { raw: "?" }, stoppedAt };
  expect(failed({ tasks: [unknown] })).toEqual([]);
  expect(
    failed({ tasks: [unknown], found: { ...found, oplog: { first: at(301), last: at(400) } } }),
  ).toHaveLength(1);
  expect(failed({ tasks: [{ ...unknown, stoppedAt: "never" }] })).toHaveLength(1);
});

test("times are ordered by seconds, then by increment", () => {
  const times = [at(2, 1), at(1, 9), at(1, 2), at(10, 0)];
  expect(times.toSorted(compareTimes)).toEqual([at(1, 2), at(1, 9), at(2, 1), at(10, 0)]);
});
