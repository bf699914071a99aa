/** The test of the way back, end to end with the real tools: what it proves, what it refuses, and each way it fails. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readEra } from "../../adapters/backup/oplog-archive.ts";
import { systemClock } from "../../adapters/clock.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import {
  type DrTestRequest,
  type DrTestResult,
  drTestDatabase,
  drTestsPrefix,
} from "../../core/backup/dr-test.ts";
import { requestKey, runKey } from "../../core/backup/layout.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Settings } from "../../core/failback/documents.ts";
import drTestSchema from "../../schemas/dr-test.schema.json";
import { createDatabases } from "../../services/access/databases.ts";
import { runDrTest } from "../../services/dr-test/run.ts";
import { ServiceWorld } from "../support/service-world.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";
import { BackupWorld, hasTools, tool, type Verb } from "./backup-world.ts";

const ajv = new Ajv2020({ strictTypes: false });
addFormats(ajv);
const isDrTest = ajv.compile(drTestSchema);
let world: BackupWorld;
let archive: Verb;
const limit = 60_000;
/** Roundtrip's own user on MongoDB has these (docs/users-and-secrets.md), of which a test uses some. */
const mongodbRoles = ["backup", "restore", "clusterMonitor", "readWriteAnyDatabase", "dbAdminAnyDatabase"];
const own = () => world.client.db(drTestDatabase);

beforeAll(async () => {
  if (!hasTools) return;
  world = await BackupWorld.start({ oplogFlushSeconds: 0.2 });
  archive = world.verb("oplog-archive");
  await waitFor("the oplog's archive", async () => (await readEra(world.store)) !== undefined, 30_000);
  await world.client
    .db("admin")
    .command({ createUser: "roundtrip", pwd: "correct-horse", roles: mongodbRoles });
}, limit);
afterAll(() => world?.[Symbol.asyncDispose]());

/** Nothing of a test is left, whatever it came to. */
afterEach(async () => {
  if (!hasTools) return;
  expect(await own().listCollections().toArray()).toEqual([]);
  const left: string[] = [];
  for await (const { key } of world.store.list(drTestsPrefix)) if (!/Z\.json$/.test(key)) left.push(key);
  expect(left).toEqual([]);
});

async function ask(documents: number): Promise<string> {
  const request: DrTestRequest = { version: 1, request: crypto.randomUUID(), documents };
  await writeJson(world.store, requestKey("dr-test"), request);
  return request.request;
}

async function resultOf(request: string): Promise<DrTestResult | undefined> {
  for await (const { key } of world.store.list(drTestsPrefix)) {
    const found = (await readJson<DrTestResult>(world.store, key))?.value;
    if (found?.request !== request) continue;
    expect([isDrTest(found), isDrTest.errors]).toEqual([true, null]);
    return found;
  }
  return undefined;
}

interface Run {
  /** Programs in the place of the real ones. */
  readonly mongodump?: string;
  readonly mongorestore?: string;
  readonly settings?: Partial<Settings>;
}

/** A run in this process. */
async function run({ mongodump, mongorestore, settings = {} }: Run = {}) {
  const request = await ask(50);
  using service = new ServiceWorld({
    store: world.store,
    clock: systemClock,
    environment: world.environment,
    settings,
    secrets: {
      mongodb: { uri: world.mongodb.ready.uri.replace(/\/\/[^@]*@/, "//roundtrip:correct-horse@") },
    },
  });
  const { environment, secrets, stateDirectory } = service.service;
  await using databases = createDatabases(environment, secrets, "test");
  const failure = await runDrTest({
    service: service.service,
    databases,
    mongodump: mongodump ?? tool("mongodump"),
    mongorestore: mongorestore ?? tool("mongorestore"),
    directory: join(stateDirectory, "private"),
  }).catch((error: unknown) => error);
  if (failure !== undefined && !(failure instanceof RoundtripError)) throw failure;
  return { failure, result: await resultOf(request) };
}

describe.skipIf(!hasTools)("a test of the way back", () => {
  test(
    "brings every document back, and of the heartbeats all but the last moment's; RTO and RPO are kept",
    async () => {
      const request = await ask(2500);
      const { code, stderr } = await world.verb("dr-test").ended;
      expect([stderr, code]).toEqual(["", 0]);
      const result = (await resultOf(request))!;
      expect(result).toMatchObject({ verdict: "PROVEN", documents: 2500 });
      const [rto, rpo] = result.objectives;
      expect(rto).toMatchObject({ name: "RTO", maxMs: 3_600_000 });
      expect(rpo).toMatchObject({ name: "RPO", what: "from the newest write that is back until the loss" });
      // The archive is flushed five times a second here.
      expect(rpo!.measuredMs).toBeLessThan(5000);
      expect(result.findings.at(-1)).toMatch(/^\d+ of \d+ heartbeats lost$/);
      expect((await readJson(world.store, runKey("dr-test")))?.value).toMatchObject({
        state: "finished",
        nextDueAt: expect.stringMatching(/-01T03:30:00.000Z$/),
      });
      expect(await world.store.head(requestKey("dr-test"))).toBeUndefined();
    },
    limit,
  );

  test(
    "killed behind its backup, the next one drops what it left and begins anew",
    async () => {
      await ask(100);
      const first = world.verb("dr-test");
      const dumped = async () => {
        for await (const { key } of world.store.list(drTestsPrefix)) if (key.endsWith(".gz")) return true;
        return false;
      };
      await waitFor("the backup of the test", dumped, 20_000);
      await first.kill();
      expect((await own().listCollections().toArray()).length).toBeGreaterThan(0);
      const { failure, result } = await run();
      expect(failure).toBeUndefined();
      expect(result?.verdict).toBe("PROVEN");
    },
    limit,
  );

  test(
    "somebody's database of that name is refused and stays as it is",
    async () => {
      await own().collection("theirs").insertOne({ dear: "data" });
      const { failure, result } = await run();
      expect(failure).toMatchObject({ kind: "refused" });
      expect(failure?.message).toContain("got collections theirs, and no record of a test");
      expect(result).toBeUndefined();
      expect(await own().collection("theirs").countDocuments()).toBe(1);
      expect(await world.store.head(requestKey("dr-test"))).toBeUndefined();
      await own().dropDatabase();
    },
    limit,
  );

  test(
    "a restore that changes a document, one that fails, and a missed objective are failures, each in its words",
    async () => {
      const folder = temporaryFolder("dr-test");
      const program = (name: string, script: string) => {
        const path = join(folder, name);
        writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        return path;
      };
      const lossy = program(
        "lossy",
        `[ "$1" = --archive ] && set -- "$@" --nsExclude=${drTestDatabase}.documents; exec ${tool("mongorestore")} "$@"`,
      );
      const differs = await run({ mongorestore: lossy });
      expect(differs.failure).toMatchObject({ kind: "differs" });
      expect(differs.failure?.got).toBe("DIFFERS: document 0: missing");
      expect(differs.result?.findings).toContain("… and 40 more");
      const broken = await run({
        mongorestore: program("broken", 'cat >/dev/null; echo "Failed: no room" >&2; exit 1'),
      });
      expect(broken.failure?.got).toContain("Failed: no room");
      expect(broken.result?.verdict).toBe("UNKNOWN");
      // Four seconds go by behind the dump: what is lost is less, because the archive of the oplog is applied.
      const slow = program("slow", `${tool("mongodump")} "$@" && sleep 4`);
      const missed = await run({ mongodump: slow, settings: { rpoSecondsMax: 0.001 } });
      expect(missed.result?.verdict).toBe("PROVEN");
      expect(missed.result?.objectives.at(-1)?.measuredMs).toBeLessThan(3500);
      expect(missed.failure?.got).toMatch(/^missed: RPO .* \(< 1 ms\)$/);
    },
    limit,
  );

  test(
    "without an archive of the oplog everything since the newest backup counts as lost, and none is not known",
    async () => {
      await archive.stop();
      const none = await run();
      expect(none.failure?.got).toBe("missed: RPO not known (< 1 min)");
      const { startedAt } = await world.backUp();
      const { result } = await run();
      const rpo = result?.objectives.find(({ name }) => name === "RPO");
      expect(rpo?.what).toContain("nobody archives the oplog");
      expect(rpo!.measuredMs).toBeGreaterThan(0);
      expect(Date.now() - Date.parse(startedAt)).toBeGreaterThanOrEqual(rpo!.measuredMs!);
    },
    limit,
  );
});
