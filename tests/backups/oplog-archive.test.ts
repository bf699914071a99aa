/** The archive of MongoDB's oplog: every entry once and in order, whatever is killed; gaps are said, never glossed over. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { deserialize } from "bson";
import {
  newestOplogManifest,
  oplogManifests,
  readEra,
  readSegment,
} from "../../adapters/backup/oplog-archive.ts";
import { systemClock } from "../../adapters/clock.ts";
import { connect } from "../../adapters/mongo/connect.ts";
import { mongoFailure } from "../../adapters/mongo/failure.ts";
import { newestOplogTime } from "../../adapters/mongo/oplog-tail.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { OplogRun } from "../../core/backup/documents.ts";
import { oplogKeys, runKey, statusKey } from "../../core/backup/layout.ts";
import { currentEraKey } from "../../core/backup/oplog-era.ts";
import type { RoundtripError } from "../../core/errors.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import { timeOfEntry } from "../../core/oplog/entry.ts";
import type { OperationTime } from "../../core/ports.ts";
import eraSchema from "../../schemas/oplog-era.schema.json";
import manifestSchema from "../../schemas/oplog-manifest.schema.json";
import { archiveOplog } from "../../services/oplog-archive/run.ts";
import { ServiceWorld } from "../support/service-world.ts";
import { waitFor } from "../support/wait-for.ts";
import { BackupWorld, hasTools } from "./backup-world.ts";
import { problems } from "./problems.ts";
import { randomOf } from "./random.ts";

let world: BackupWorld;
beforeAll(async () => {
  if (hasTools) world = await BackupWorld.start();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const limit = 60_000;
const things = () => world.client.db("shop").collection<{ _id: string; n?: number }>("things");
const end = { t: 0xffff_ffff, i: 0 };

async function era(): Promise<string> {
  return (await readEra(world.store))!.value.era;
}

async function archived(of: string): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = [];
  for await (const manifest of oplogManifests(world.store, of, { after: { t: 0, i: 0 }, limit: end }))
    entries.push(...(await readSegment(world.store, manifest)));
  return entries;
}

async function reaches(time: OperationTime): Promise<void> {
  await waitFor(
    `the archive to reach ${time.t}:${time.i}`,
    async () => {
      const current = await readEra(world.store);
      const newest = current && (await newestOplogManifest(world.store, current.value.era));
      return newest !== undefined && compareTimes(newest.manifest.last, time) >= 0;
    },
    20_000,
  );
}

/** The oplog itself, by the driver. */
async function oplog(after: OperationTime): Promise<OperationTime[]> {
  const times: OperationTime[] = [];
  for await (const entry of world.client.db("local").collection("oplog.rs").find({}, { raw: true })) {
    const time = timeOfEntry(entry as unknown as Uint8Array);
    if (compareTimes(time, after) > 0) times.push(time);
  }
  return times;
}

/** An archive in this process, quicker than the service lets be: segments every 50 ms. */
function archive(run = "run") {
  const own = new ServiceWorld({ store: world.store, clock: systemClock, environment: world.environment });
  const secret = { uri: world.mongodb.ready.uri };
  const subject = { what: "read the oplog", server: "MongoDB", secretName: "mongodb" };
  const options = { server: "MongoDB", secretName: "mongodb", appName: "archive" } as const;
  const signal = own.stop.signal;
  const ended = archiveOplog(
    { ...own.service, name: "oplog-archive", run, signal },
    {
      connect: () => connect(secret, options),
      failure: (error) => mongoFailure(error, subject),
      flushMs: 50,
      flushBytes: 8 * 1024 * 1024,
    },
  )
    .then(
      () => undefined,
      (error: RoundtripError) => error,
    )
    .finally(() => own[Symbol.dispose]());
  const stop = () => {
    own.stop.abort();
    return ended;
  };
  return { ended, stop };
}

/** The archive has each entry of the oplog behind the era's begin, once and in order. */
async function isWhole(): Promise<void> {
  const { value } = (await readEra(world.store))!;
  const { era: current, after } = value;
  expect(problems(eraSchema, value)).toBe("");
  const newest = await newestOplogManifest(world.store, current);
  expect(problems(manifestSchema, newest?.manifest)).toBe("");
  expect((await archived(current)).map(timeOfEntry)).toEqual(await oplog(after));
}

describe.skipIf(!hasTools)("oplog-archive", () => {
  test(
    "killed at random it goes on where it stood: each entry of the oplog is archived once, in order, with its bytes",
    async () => {
      const seed = Number(process.env.SEED ?? Date.now() % 1e6);
      console.log(`seed ${seed}`);
      const random = randomOf(seed);
      let writing = true;
      let written = 0;
      const writer = (async () => {
        while (writing) {
          await things().insertMany(
            Array.from({ length: 1 + Math.floor(random() * 20) }, () => ({ _id: `k${written++}` })),
          );
          await Bun.sleep(random() * 5);
        }
      })();
      for (let kill = 0; kill < 2; kill++) {
        const running = world.verb("oplog-archive");
        await waitFor("an archive", async () => (await readEra(world.store)) !== undefined, 20_000);
        await Bun.sleep(400 + random() * 1200);
        await running.kill();
      }
      writing = false;
      await writer;
      const last = await newestOplogTime(world.client);
      const running = world.verb("oplog-archive");
      await reaches(last);
      expect(await running.stop()).toMatchObject({ code: 0 });
      const current = (await readEra(world.store))!.value;
      expect(current.gap).toBeUndefined();
      const entries = await archived(current.era);
      expect(entries.map(timeOfEntry)).toEqual(await oplog(current.after));
      const ids = entries.map((raw) => deserialize(raw)).filter((entry) => entry.ns === "shop.things");
      expect(ids.filter(({ op }) => op === "i").length).toBeGreaterThan(100);
    },
    limit,
  );

  test(
    "S3 that answers late or not at all is asked again, and an election is outlasted; the manifests stay one chain",
    async () => {
      const before = await newestOplogManifest(world.store, await era());
      for (const action of [{ status: 503, code: "SlowDown" }, { reset: true }])
        await world.fault({
          service: "s3",
          operation: "PutObject",
          keyPattern: "oplog/.*(manifests|segments)",
          nth: 1,
          times: 2,
          when: "after",
          action,
        });
      const running = archive();
      for (let n = 0; n < 3; n++) {
        await things().insertOne({ _id: `faulty${n}` });
        await reaches(await newestOplogTime(world.client));
      }
      const { primary, hosts } = await world.client.db("admin").command({ hello: 1 });
      const index = (hosts as string[]).indexOf(primary as string);
      await world.client.db("admin").command({ _sandbox: "member", index, action: "stepDown" });
      await things().insertOne({ _id: "elected" });
      await reaches(await newestOplogTime(world.client));
      expect(await running.stop()).toBeUndefined();
      expect(await era()).toBe(before!.manifest.era);
      await isWhole();
    },
    limit,
  );

  test(
    "of two archives one ends with fenced, and the other goes on",
    async () => {
      const archives = [archive("one"), archive("two")];
      let writing = true;
      const writer = (async () => {
        for (let n = 0; writing; n++) {
          await things().updateOne({ _id: "contested" }, { $set: { n } }, { upsert: true });
          await Bun.sleep(10);
        }
      })();
      const first = await Promise.race(
        archives.map(async ({ ended }, index) => ({ error: await ended, index })),
      );
      writing = false;
      await writer;
      expect(first.error).toMatchObject({
        kind: "fenced",
        expected: "to be the only archive of this oplog",
      });
      await reaches(await newestOplogTime(world.client));
      expect(await archives[1 - first.index]!.stop()).toBeUndefined();
      await isWhole();
    },
    limit,
  );

  test(
    "an oplog that was cut begins a new era at the end of the newest backup it still holds, and the gap is told",
    async () => {
      const old = await era();
      const lost = (await newestOplogManifest(world.store, old))!.manifest.last;
      await things().insertOne({ _id: "never archived" });
      await world.client.db("admin").command({ _sandbox: "truncateOplog" });
      await things().insertOne({ _id: "after the cut" });
      const backup = await world.backUp();
      await things().insertOne({ _id: "after the backup" });
      const running = archive();
      await reaches(await newestOplogTime(world.client));
      const current = (await readEra(world.store))!.value;
      expect(current.era).not.toBe(old);
      expect(current).toMatchObject({ previous: old, after: backup.oplog.last, gap: { from: lost } });
      expect(current.gap!.reason).toContain("no longer holds");
      await waitFor("the status to tell the gap", async () => {
        const status = (await readJson<ServiceStatus>(world.store, statusKey("oplog-archive")))?.value;
        return String(status?.detail?.gap).includes("nothing is archived between");
      });
      expect(await running.stop()).toBeUndefined();
      const run = (await readJson<OplogRun>(world.store, runKey("oplog")))!.value;
      expect(run).toMatchObject({ state: "finished", gap: { from: lost }, era: current.era });
      expect(run.lagSeconds).toBeLessThan(10);
      await isWhole();
    },
    limit,
  );

  test(
    "another replica set begins a new era; a segment altered in the bucket is corrupt, and so is a lost manifest",
    async () => {
      const { value } = (await readEra(world.store))!;
      const source = { ...value.source, replicaSetId: "000000000000000000000000" };
      await writeJson(world.store, currentEraKey, { ...value, source });
      const running = archive();
      await waitFor("a new era", async () => (await era()) !== value.era, 20_000);
      for (let n = 0; n < 3; n++) {
        await things().insertOne({ _id: `era${n}` });
        await reaches(await newestOplogTime(world.client));
      }
      await running.stop();
      expect((await readEra(world.store))!.value.gap!.reason).toContain("another replica set");
      const keys = oplogKeys(await era());
      const { manifest } = (await newestOplogManifest(world.store, await era()))!;
      const { body } = (await world.store.get(manifest.segment.key))!;
      await world.store.put(manifest.segment.key, body.slice(0, -1));
      await expect(readSegment(world.store, manifest)).rejects.toMatchObject({ kind: "logCorrupt" });
      await world.store.put(manifest.segment.key, body);
      expect((await readSegment(world.store, manifest)).length).toBe(manifest.entries);
      await world.store.delete([keys.manifest(manifest.number - 1)]);
      await expect(archived(await era())).rejects.toMatchObject({ kind: "logCorrupt" });
      expect(await archive().ended).toMatchObject({
        kind: "logCorrupt",
        expected: "manifests without a hole",
      });
    },
    limit,
  );
});
