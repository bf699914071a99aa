/** The documents of backups are contracts, too: what the services write keeps them. */
import { expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readJson } from "../../adapters/state/json.ts";
import { runKey, scheduleKey } from "../../core/backup/layout.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Timers } from "../../core/ports.ts";
import manifestSchema from "../../schemas/backup-manifest.schema.json";
import runSchema from "../../schemas/backup-run.schema.json";
import scheduleSchema from "../../schemas/backup-schedule.schema.json";
import { setSchedule } from "../../services/actions/set-backup-schedule.ts";
import { recordRun } from "../../services/runtime/backup-run.ts";
import { ServiceWorld } from "../support/service-world.ts";

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true });
addFormats(ajv);
const problems = (schema: object, value: unknown): string => {
  const validate = ajv.compile(schema);
  return validate(value) ? "" : ajv.errorsText(validate.errors);
};

const next = async () => "2026-11-22T00:00:00.000Z";

test("backup-run.schema.json holds for a run at work, done, refused and failed", async () => {
  using world = new ServiceWorld();
  const recorded = async () => (await readJson<object>(world.store, runKey("backup")))!.value;
  await recordRun(world.service, "backup", next, async () => {
    expect(problems(runSchema, await recorded())).toBe("");
    return { backupId: "b", warnings: ["larger"] };
  });
  expect(problems(runSchema, await recorded())).toBe("");
  for (const kind of ["refused", "denied"] as const) {
    const failure = new RoundtripError({ kind, what: "w", expected: "e", got: "g", wayOut: "o" });
    const failing = recordRun(world.service, "backup", next, () => Promise.reject(failure));
    await expect(failing).rejects.toBe(failure);
    expect(problems(runSchema, await recorded())).toBe("");
  }
});

test("backup-run.schema.json refuses a failure that says nothing", () => {
  const run = { version: 1, kind: "backup", startedAt: "2026-11-22T00:00:00.000Z" };
  expect(problems(runSchema, { ...run, state: "failed" })).toContain("error");
  expect(problems(runSchema, { ...run, state: "finished" })).toContain("finishedAt");
});

test("backup-schedule.schema.json holds for a schedule that is set, and for one that is given back", async () => {
  using world = new ServiceWorld();
  const elapses = new Date("2026-11-20T00:00:00.000Z");
  const timers: Timers = { reschedule: async () => true, nextElapse: async () => elapses };
  for (const schedule of ["*/5 * * * *", "default"]) {
    await setSchedule({ service: world.service, parameter: () => schedule }, timers);
    const document = (await readJson<object>(world.store, scheduleKey))!.value;
    expect(problems(scheduleSchema, document)).toBe("");
  }
});

test("backup-manifest.schema.json refuses an archive without its hash, and an oplog without its end", () => {
  const manifest = {
    version: 1,
    id: "2026-11-21T00-00-00Z",
    environment: "dev",
    source: { setName: "rs0", replicaSetId: "abc" },
    startedAt: "2026-11-21T00:00:00.000Z",
    finishedAt: "2026-11-21T00:01:00.000Z",
    tool: "mongodump version: 100.9.5",
    archive: { key: "k", compression: "gzip", bytes: 1, sha256: "f".repeat(64) },
    collections: [],
    oplog: { entries: 0, last: { t: 1, i: 1 } },
  };
  expect(problems(manifestSchema, manifest)).toBe("");
  expect(
    problems(manifestSchema, { ...manifest, archive: { key: "k", compression: "gzip", bytes: 1 } }),
  ).toContain("sha256");
  expect(problems(manifestSchema, { ...manifest, oplog: { entries: 0 } })).toContain("last");
});
