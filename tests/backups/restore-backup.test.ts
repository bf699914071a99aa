/** Restores of a backup, also to a point in time: the state of a writer at exactly that time, whatever is killed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { newestOplogManifest, readEra } from "../../adapters/backup/oplog-archive.ts";
import { systemClock } from "../../adapters/clock.ts";
import { newestOplogTime } from "../../adapters/mongo/oplog-tail.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { BackupManifest } from "../../core/backup/documents.ts";
import {
  currentRestoreKey,
  type RestoreOutcome,
  type RestorePreview,
  type RestoreRequest,
  restoreKeys,
} from "../../core/backup/restores.ts";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import { runRestoreBackup } from "../../services/restore-backup/run.ts";
import { ServiceWorld } from "../support/service-world.ts";
import { waitFor } from "../support/wait-for.ts";
import { BackupWorld, hasTools, tool } from "./backup-world.ts";
import { contentOf, ModelledWriter, type Written } from "./modelled-writer.ts";
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
  await writeJson(world.store, restoreKeys(id).request, request);
  await writeJson(world.store, currentRestoreKey, { version: 1, id });
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

/** Previews, confirms what it shows, restores. */
async function restore(asked: Asked): Promise<RestoreOutcome> {
  const id = `restore-${++restores}`;
  await ask(id, asked);
  await run();
  const preview = (await readJson<RestorePreview>(world.store, restoreKeys(id).preview))!.value;
  await ask(id, { ...asked, confirmed: preview.digest });
  await run();
  return (await readJson<RestoreOutcome>(world.store, restoreKeys(id).outcome))!.value;
}

/** The writer's state at a time: after its last operation through it. */
function stateAt(isThrough: (one: Written) => boolean): Written {
  return written.findLast(isThrough)!;
}

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
});
