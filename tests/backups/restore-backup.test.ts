/** Restores of a backup, also to a point in time: the state of a writer at exactly that time, whatever is killed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { newestOplogManifest, readEra } from "../../adapters/backup/oplog-archive.ts";
import { systemClock } from "../../adapters/clock.ts";
import { newestOplogTime } from "../../adapters/mongo/oplog-tail.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import { requestKey } from "../../core/backup/layout.ts";
import {
  type RestoreOutcome,
  type RestorePreview,
  type RestoreRequest,
  restoreKeys,
  restoreVerb,
} from "../../core/backup/restores.ts";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import outcomeSchema from "../../schemas/restore-outcome.schema.json";
import previewSchema from "../../schemas/restore-preview.schema.json";
import requestSchema from "../../schemas/restore-request.schema.json";
import { runRestoreBackup } from "../../services/restore-backup/run.ts";
import { ServiceWorld } from "../support/service-world.ts";
import { waitFor } from "../support/wait-for.ts";
import { BackupWorld, hasTools, tool } from "./backup-world.ts";
import { contentOf, ModelledWriter, type Written } from "./modelled-writer.ts";
import { problems } from "./problems.ts";
import { randomOf } from "./random.ts";

const limit = 60_000;
const seed = Number(process.env.SEED ?? Date.now() % 1e6);
let world: BackupWorld;
let backup: BackupManifest;
let written: readonly Written[];
let restores = 0;

const iso = (t: number) => new Date(t * 1000).toISOString().replace(".000Z", "Z");

/** A writer at work; meanwhile a backup, and an archive that is killed again and again. */
beforeAll(async () => {
  if (!hasTools) return;
  console.log(`seed ${seed}`);
  world = await BackupWorld.start();
  const random = randomOf(seed);
  const writer = new ModelledWriter(world.client, random);
  await world.client.db("quiet").collection("things").insertMany([{}, {}, {}]);
  for (let step = 0; step < 40; step++) await writer.step();
  let archive = world.verb("oplog-archive");
  await waitFor("an archive", async () => (await readEra(world.store)) !== undefined, 20_000);
  writer.renames = false;
  const backingUp = world.backUp();
  let done = false;
  backingUp.finally(() => {
    done = true;
  });
  while (!done) await writer.step();
  backup = await backingUp;
  writer.renames = true;
  for (let kill = 0; kill < 2; kill++) {
    const until = Date.now() + 500 + random() * 1000;
    for (let step = 0; step < 40 || Date.now() < until; step++) {
      await writer.step();
      await Bun.sleep(random() * 20);
    }
    await archive.kill();
    archive = world.verb("oplog-archive");
  }
  for (let step = 0; step < 20; step++) await writer.step();
  const last = await newestOplogTime(world.client);
  await waitFor(
    "the archive to reach the writer's last operation",
    async () => {
      const newest = await newestOplogManifest(world.store, (await readEra(world.store))!.value.era);
      return newest !== undefined && compareTimes(newest.manifest.last, last) >= 0;
    },
    20_000,
  );
  await archive.stop();
  await writer.end();
  written = writer.written;
}, limit);
afterAll(() => world?.[Symbol.asyncDispose]());

type Asked = Partial<Pick<RestoreRequest, "until" | "drop" | "target" | "confirmed">>;

async function ask(id: string, asked: Asked): Promise<void> {
  const request: RestoreRequest = {
    version: 1,
    id,
    environment: "test",
    backupId: backup.id,
    target: { kind: "beside", secret: "scratch" },
    until: "",
    drop: true,
    requestedAt: new Date().toISOString(),
    by: "ana",
    ...asked,
  };
  await writeJson(world.store, requestKey(restoreVerb), request);
}

async function run(): Promise<void> {
  using service = new ServiceWorld({
    store: world.store,
    clock: systemClock,
    environment: world.environment,
    secrets: {
      mongodb: { uri: world.mongodb.ready.uri },
      scratch: { uri: world.other.ready.uri },
    },
  });
  await runRestoreBackup({
    service: service.service,
    executable: tool("mongorestore"),
    privateDirectory: service.service.stateDirectory,
  });
}

async function preview(asked: Asked): Promise<{ id: string; preview: RestorePreview }> {
  const id = `restore-${++restores}`;
  await ask(id, asked);
  await run();
  const { value } = (await readJson<RestorePreview>(world.store, restoreKeys(id).preview))!;
  expect(problems(previewSchema, value)).toBe("");
  const request = (await readJson<object>(world.store, requestKey(restoreVerb)))!.value;
  expect(problems(requestSchema, request)).toBe("");
  return { id, preview: value };
}

/** Previews, confirms what it shows, restores. */
async function restore(asked: Asked): Promise<RestoreOutcome> {
  const { id, preview: shown } = await preview(asked);
  await ask(id, { ...asked, confirmed: shown.digest });
  await run();
  const { value } = (await readJson<RestoreOutcome>(world.store, restoreKeys(id).outcome))!;
  expect(problems(outcomeSchema, value)).toBe("");
  return value;
}

/** The writer's state at a time: after its last operation through it. */
function stateAt(isThrough: (one: Written) => boolean): Written {
  return written.findLast(isThrough)!;
}

const uriOf = (user: string, password: string) =>
  world.mongodb.ready.uri.replace(/\/\/[^@]*@/, `//${user}:${password}@`);

/** Writes as an application until that is refused; gives what it was told. */
async function writeAs(user: string, password: string): Promise<unknown> {
  const client = new MongoClient(uriOf(user, password));
  try {
    for (;;) await client.db("quiet").collection("things").insertOne({});
  } catch (error) {
    return error;
  } finally {
    await client.close();
  }
}

const newest = () => written.at(-1)!;
const operation = ({ at }: Written) => `${at.t}:${at.i}`;
const others = () => world.otherClient.db("theirs").collection<{ _id: number }>("things");

describe.skipIf(!hasTools)("restore-backup", () => {
  test(
    "to an operation, to a second, to the newest: exactly the writer's state then; transactions, renames, drops, indexes in the log",
    async () => {
      const after = written.filter(({ at }) => compareTimes(at, backup.oplog.last) > 0);
      expect(new Set(after.map(({ what }) => what.split(" ")[0])).size).toBeGreaterThan(6);
      const random = randomOf(seed + 1);
      const some = after[Math.floor(random() * after.length)]!;
      const rename = after.findLast(({ what }) => what.startsWith("rename"));
      for (const one of [some, rename, after.at(-1)!]) {
        if (!one) continue;
        const outcome = await restore({ until: `${one.at.t}:${one.at.i}` });
        expect(outcome).toMatchObject({ state: "restored", through: one.at });
        expect([one.what, await contentOf(world.otherClient)]).toEqual([one.what, one.content]);
      }
      const { t } = after[Math.floor(after.length / 2)]!.at;
      const second = Math.max(t - 1, backup.oplog.last.t);
      await restore({ until: iso(second) });
      expect(await contentOf(world.otherClient)).toBe(stateAt(({ at }) => at.t <= second).content);
    },
    limit,
  );

  test(
    "killed at random and run again it begins with the backup again, and ends at the same state",
    async () => {
      const random = randomOf(seed + 2);
      await others().drop();
      const { id, preview: shown } = await preview({ until: operation(newest()) });
      await ask(id, { until: operation(newest()), confirmed: shown.digest });
      for (let kill = 0; kill < 2; kill++) {
        const killed = world.verb("restore-backup");
        const begun = async () => (await world.store.head(restoreKeys(id).begun)) !== undefined;
        await waitFor("the restore to begin", begun, 20_000);
        await Bun.sleep(random() * 1200);
        await killed.kill();
      }
      const { code, stderr } = await world.verb("restore-backup").ended;
      expect([code, stderr]).toEqual([0, ""]);
      expect(await contentOf(world.otherClient)).toBe(newest().content);
      const outcome = (await readJson<RestoreOutcome>(world.store, restoreKeys(id).outcome))!.value;
      expect(outcome.seconds).toBeGreaterThan(0);
      // Done is done: another run changes nothing.
      await others().insertOne({ _id: 1 });
      await run();
      expect(await others().countDocuments()).toBe(1);
    },
    limit,
  );

  test(
    "a preview changes nothing; what it did not show, a time that can't be, and MongoDB itself as server beside are refused",
    async () => {
      const before = await contentOf(world.otherClient);
      const { id, preview: shown } = await preview({});
      expect(shown.namespaces).toContainEqual({
        namespace: "theirs.things",
        becomes: "dropped",
        documents: 1,
        bytes: expect.any(Number),
      });
      expect(shown.backup).toMatchObject({ id: backup.id, verified: "not verified" });
      expect(shown.span).toMatchObject({ from: backup.oplog.last, through: newest().at });
      await others().rename("others");
      await ask(id, { confirmed: shown.digest });
      await expect(run()).rejects.toMatchObject({
        kind: "refused",
        expected: expect.stringContaining(shown.digest),
      });
      await expect(preview({ until: operation(newest()), drop: false })).rejects.toMatchObject({
        kind: "refused",
        got: expect.stringContaining("theirs.others"),
      });
      for (const until of ["1:1", `${newest().at.t + 9}:1`, iso(newest().at.t + 9)])
        await expect(preview({ until })).rejects.toMatchObject({ kind: "refused" });
      // The last second may go on: nothing behind it was seen.
      await expect(preview({ until: iso(newest().at.t) })).rejects.toThrow("the archive does not reach it");
      const target = { kind: "beside", secret: "mongodb" } as const;
      await expect(preview({ target })).rejects.toMatchObject({ kind: "refused" });
      expect(await contentOf(world.otherClient)).toBe(before);
      expect(await world.otherClient.db("theirs").collection("others").countDocuments()).toBe(1);
    },
    limit,
  );

  test(
    "an altered segment is found before anything is written",
    async () => {
      const asked = { until: operation(newest()) };
      const { id, preview: shown } = await preview(asked);
      const { era } = (await readEra(world.store))!.value;
      const { manifest } = (await newestOplogManifest(world.store, era))!;
      const { body } = (await world.store.get(manifest.segment.key))!;
      const altered = body.slice();
      altered[altered.length - 1]! ^= 1;
      await world.store.put(manifest.segment.key, altered);
      await ask(id, { ...asked, confirmed: shown.digest });
      await expect(run()).rejects.toMatchObject({
        kind: "logCorrupt",
        what: expect.stringContaining(manifest.segment.key),
      });
      await world.store.put(manifest.segment.key, body);
      expect(await world.otherClient.db("theirs").collection("others").countDocuments()).toBe(1);
      expect(await world.store.head(restoreKeys(id).begun)).toBeUndefined();
    },
    limit,
  );

  test(
    "in place, the backup itself: counts are held against the manifest, users and TTL deletion stay, a failback refuses",
    async () => {
      const asked = { target: { kind: "in-place" } } as const;
      await world.phases.open("fb-1", "test");
      await expect(preview(asked)).rejects.toMatchObject({ kind: "refused", expected: "phase normal" });
      await world.phases.move("fb-1", "normal", "test");
      await world.client.db("shop").collection("made later").insertOne({});
      const roles = [{ role: "readWrite", db: "quiet" }];
      await world.client.db("admin").command({ createUser: "ann", pwd: "secret", roles });
      const application = writeAs("ann", "secret");
      const outcome = await restore(asked);
      expect(await application).toMatchObject({ codeName: "UserWritesBlocked" });
      expect(outcome).toMatchObject({
        state: "restored",
        differences: [],
        through: backup.oplog.last,
        applied: 0,
      });
      expect(outcome.compared).toBeGreaterThan(0);
      const atBackup = stateAt(({ at }) => compareTimes(at, backup.oplog.last) <= 0);
      expect(await contentOf(world.client)).toBe(atBackup.content);
      const again = new MongoClient(uriOf("ann", "secret"));
      await again.db("quiet").collection("things").insertOne({});
      await again.close();
      const { users } = await world.client.db("admin").command({ usersInfo: 1 });
      expect((users as { user: string }[]).map(({ user }) => user)).toContain("ann");
      const ttl = await world.client.db("admin").command({ getParameter: 1, ttlMonitorEnabled: 1 });
      expect(ttl.ttlMonitorEnabled).toBe(true);
    },
    limit,
  );
});
