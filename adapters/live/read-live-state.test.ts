import { expect, test } from "bun:test";
import { RoundtripError } from "../../core/errors.ts";
import { type Inspection, type LiveTask, tasksOfEnvironment } from "../../core/live/live-state.ts";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import { type LiveSources, readLiveState } from "./read-live-state.ts";

const task = (id: string, instance: string, target = `${id}-target`): LiveTask => ({
  id,
  arn: `arn:${id}`,
  status: "running",
  tables: [],
  mappings: { rules: [] },
  settings: {},
  sourceEndpointArn: "arn:source",
  targetEndpointArn: target,
  replicationInstanceArn: instance,
});
const inspection: Inspection = {
  version: 1,
  environment: "dev",
  takenAt: "2026-11-21T00:00:00.000Z",
  mongodb: { reachable: false, reason: "does not answer" },
  documentdb: { reachable: true, version: "5.0.0", databases: [], users: [] },
};
const environment = { environment: "dev", replicationTasks: [{ id: "a", arn: "arn:a" }] };
const wanted = { declaredIds: ["a", "b"], tablesOf: new Set(["a"]) };

function sources(given: Partial<LiveSources> = {}): LiveSources {
  return {
    clock: new InstantClock(),
    tasks: { live: async () => [task("a", "i-1")] },
    endpoints: { list: async () => [{ id: "shop", arn: "a-target", type: "target", engine: "docdb" }] },
    inspect: async () => inspection,
    ...given,
  };
}

test("tasks of the environment: published, declared, or around one of those", () => {
  const far = { ...task("far", "i-2"), sourceEndpointArn: "arn:other" };
  const all = [
    task("a", "i-1"),
    far,
    { ...task("beside", "i-1"), sourceEndpointArn: "arn:other" },
    { ...task("b", "i-3"), sourceEndpointArn: "arn:third" },
  ];
  const ids = (declared: readonly string[]) =>
    tasksOfEnvironment(all, environment.replicationTasks, declared).map(({ id }) => id);
  expect(ids([])).toEqual(["a", "beside"]);
  expect(ids(["b"])).toEqual(["a", "beside", "b"]);
});

test("each side by itself: one that does not answer has its reason", async () => {
  const live = await readLiveState(environment, sources(), wanted);
  expect(live.mongodb).toEqual({ reachable: false, reason: "does not answer" });
  expect(live.documentdb.reachable).toBe(true);
  expect(live.dms).toMatchObject({ reachable: true, tasks: [{ id: "a" }] });
  if (live.dms.reachable) expect(live.dms.endpoints?.get("a-target")).toBe("shop");
});

test("a host or a DMS that fails is a reason, never an empty list", async () => {
  const down = new RoundtripError({
    kind: "unavailable",
    what: "action inspect",
    expected: "an answer",
    got: "i-1 is stopped",
    wayOut: "start it",
  });
  const live = await readLiveState(
    environment,
    sources({
      inspect: () => Promise.reject(down),
      tasks: { live: () => Promise.reject(down) },
    }),
    wanted,
  );
  const unread = { reachable: false as const, reason: "action inspect: i-1 is stopped; way out: start it" };
  expect([live.dms, live.mongodb, live.documentdb]).toEqual([unread, unread, unread]);
});

test("a fault of the program is thrown, not shown as a side that is away", async () => {
  const broken = sources({ inspect: () => Promise.reject(new TypeError("x is undefined")) });
  await expect(readLiveState(environment, broken, wanted)).rejects.toThrow("x is undefined");
});
