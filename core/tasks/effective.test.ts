import { expect, test } from "bun:test";
import { effectiveTask } from "./effective.ts";
import { dmsTaskSettings } from "./task-settings.ts";
import { parseTasks } from "./tasks.ts";

const tasks = parseTasks(`version: 1
defaults:
  owners: [everyone]
  running: false
  settings: {lob: {mode: limited, maxKilobytes: 100}, fullLoad: {commitRate: 5}}
targetEndpoints: {old: the-old-one}
tasks:
  - {id: a, database: shop_eu, collections: [c]}
  - id: b
    database: old
    owners: [us]
    collections: [c]
    running: true
    settings: {fullLoad: {parallelCollections: 3}, parallelLoad: {partitions: 4}}
    environments:
      qa: {running: false, settings: {targetPreparation: drop-tables, lob: {mode: full}}}
`);
const [first, second] = tasks.tasks;

test("a task without its own takes the defaults, and an endpoint named after its database", () => {
  expect(effectiveTask(tasks, first!, "prod")).toEqual({
    endpoint: "documentdb-shop-eu",
    owners: ["everyone"],
    running: false,
    settings: {
      targetPreparation: "do-nothing",
      lob: { mode: "limited", maxKilobytes: 100 },
      fullLoad: { parallelCollections: 8, commitRate: 5 },
      partitions: 1,
    },
  });
});

test("the environment wins over the task, the task over the defaults, key by key", () => {
  const qa = effectiveTask(tasks, second!, "qa");
  expect(qa.endpoint).toBe("the-old-one");
  expect(qa.running).toBe(false);
  expect(effectiveTask(tasks, second!, "dev").running).toBe(true);
  // A key replaces the whole key: the task's fullLoad has no commitRate, so DMS's own counts.
  expect(qa.settings).toEqual({
    targetPreparation: "drop-tables",
    lob: { mode: "full", chunkKilobytes: 64 },
    fullLoad: { parallelCollections: 3, commitRate: 10_000 },
    partitions: 4,
  });
});

test("DMS gets exactly one LOB mode, and never parallel apply", () => {
  const limited = dmsTaskSettings(effectiveTask(tasks, second!, "dev").settings);
  expect(limited.TargetMetadata).toMatchObject({
    FullLobMode: false,
    LimitedSizeLobMode: true,
    LobMaxSize: 100,
  });
  const full = dmsTaskSettings(effectiveTask(tasks, second!, "qa").settings);
  expect(full.TargetMetadata).toMatchObject({
    FullLobMode: true,
    LimitedSizeLobMode: false,
    LobChunkSize: 64,
  });
  expect(full.FullLoadSettings).toMatchObject({
    TargetTablePrepMode: "DROP_AND_CREATE",
    MaxFullLoadSubTasks: 3,
  });
  expect(full.TargetMetadata.ParallelApplyThreads).toBe(0);
});
