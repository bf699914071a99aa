import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import { Long, serialize, Timestamp } from "bson";
import { backupIds, readBackup } from "../../adapters/state/backups.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { BackupRun } from "../../core/backup/documents.ts";
import { dumpsPrefix, runKey } from "../../core/backup/layout.ts";
import type { BackupSettings } from "../../core/failback/documents.ts";
import manifestSchema from "../../schemas/backup-manifest.schema.json";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import { ServiceWorld, worldEnvironment } from "../../tests/support/service-world.ts";
import type { Databases } from "../access/databases.ts";
import { runMongodbBackup } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "roundtrip-mongodb-backup-"));
afterAll(() => rmSync(folder, { recursive: true }));

const terminator = Buffer.from([255, 255, 255, 255]);

/** mongodump's archive (core/backup/archive.ts) of an empty shop.orders, with `--oplog` or without. */
function archiveOf(oplog: boolean, tool_version = "100.9.5"): Buffer {
  const all = [{ db: "shop", collection: "orders" }, ...(oplog ? [{ db: "", collection: "oplog" }] : [])];
  const listed = all.map(({ db, collection }) =>
    serialize({ db, collection, metadata: "{}", size: 0, type: "collection" }),
  );
  const header = {
    concurrent_collections: 4,
    version: "0.1",
    server_version: "7.0.14",
    tool_version,
  };
  const blocks = all.flatMap(({ db, collection }) => [
    serialize({ db, collection, EOF: false, CRC: Long.ZERO }),
    terminator,
    // The CRC of nothing.
    serialize({ db, collection, EOF: true, CRC: Long.ZERO }),
    terminator,
  ]);
  return Buffer.concat([Buffer.from("6de29981", "hex"), serialize(header), ...listed, terminator, ...blocks]);
}

/** A mongodump that writes this archive. */
function mongodump(name: string, archive: Uint8Array): string {
  const [path, data] = [join(folder, name), join(folder, `${name}.archive`)];
  writeFileSync(data, archive);
  writeFileSync(
    path,
    `#!/bin/sh\n[ "$1" = --version ] && echo "mongodump version: 100.9.5" || cat ${data}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

/** A server whose newest entry of the oplog is 90:7. */
const client = {
  db: () => ({
    command: async () => ({ config: { _id: "rs0", settings: { replicaSetId: "abc" } } }),
    collection: () => ({ findOne: async () => ({ ts: new Timestamp({ t: 90, i: 7 }) }) }),
  }),
};
const databases = {
  open: async () => ({
    client,
    command: async () => ({ databases: [] }),
    failure: (error: unknown) => error,
  }),
} as unknown as Databases;

function worldWith(backups: BackupSettings = {}): ServiceWorld {
  return new ServiceWorld({
    clock: new InstantClock(),
    secrets: { "mongodb-secret": { uri: "mongodb://host/" } },
    environment: { ...worldEnvironment, backups },
  });
}

const run = ({ service }: ServiceWorld, executable: string) =>
  runMongodbBackup({ service, databases, executable, directory: service.stateDirectory });
const recorded = async ({ store }: ServiceWorld) =>
  (await readJson<BackupRun>(store, runKey("backup")))?.value;

async function objects({ store }: ServiceWorld): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(dumpsPrefix)) keys.push(key.slice(dumpsPrefix.length));
  return keys;
}

const id = "2026-11-21T00-00-00Z";
const whole = archiveOf(true);

describe("a backup", () => {
  test("by zstd, of a server that nobody writes to: it stands at the newest entry before it began", async () => {
    using world = worldWith({ compression: "zstd" });
    await run(world, mongodump("quiet", whole));
    const manifest = (await readBackup(world.store, id))!;
    expect(manifest).toMatchObject({
      source: { setName: "rs0", replicaSetId: "abc" },
      tool: "mongodump version: 100.9.5",
      oplog: { entries: 0, last: { t: 90, i: 7 } },
      collections: [{ database: "shop", name: "orders", documents: 0 }],
    });
    expect(new Ajv2020({ formats: { "date-time": true } }).validate(manifestSchema, manifest)).toBe(true);
    const stored = (await world.store.get(manifest.archive.key))!.body;
    expect(manifest.archive).toMatchObject({ compression: "zstd", bytes: stored.length });
    expect(Buffer.compare(Bun.zstdDecompressSync(stored), whole)).toBe(0);
    expect(await objects(world)).toEqual([`${id}/dump.archive.zst`, `${id}/manifest.json`]);
  });

  test("without an oplog in the archive is none: nothing gets into the bucket", async () => {
    using world = worldWith();
    const running = run(world, mongodump("bare", archiveOf(false)));
    await expect(running).rejects.toMatchObject({ kind: "configuration" });
    expect(await objects(world)).toEqual([]);
    expect(await recorded(world)).toMatchObject({ state: "failed", error: { got: "none in the archive" } });
  });

  test("of an archive that is torn is none, although mongodump says all is well", async () => {
    using world = worldWith();
    for (const bytes of [whole.length - 1, whole.length - 4, 40]) {
      const torn = mongodump(`torn-${bytes}`, whole.subarray(0, bytes));
      await expect(run(world, torn)).rejects.toMatchObject({ kind: "logCorrupt" });
      expect(await objects(world)).toEqual([]);
    }
  });

  test("of a second that another run has taken is refused, and leaves that one as it is", async () => {
    using world = worldWith();
    await run(world, mongodump("good", whole));
    const before = await world.store.get(`${dumpsPrefix}${id}/dump.archive.gz`);
    const other = mongodump("other", archiveOf(true, "100.10.0"));
    await expect(run(world, other)).rejects.toMatchObject({ kind: "refused" });
    expect(await world.store.get(`${dumpsPrefix}${id}/dump.archive.gz`)).toEqual(before);
    expect(await recorded(world)).toMatchObject({ state: "refused" });
  });

  test("is made although nobody can read the schedule; when the next is due is then not known", async () => {
    using world = worldWith({ schedule: "at midnight, please ok" });
    await run(world, mongodump("unscheduled", whole));
    expect(await backupIds(world.store)).toEqual([id]);
    const { nextDueAt, ...rest } = (await recorded(world))!;
    expect([nextDueAt, rest.state]).toEqual([undefined, "finished"]);
    expect(world.warnings).toContain("when the next backup is due is not known");
  });

  test("that is much smaller than the one before says so where monitoring looks", async () => {
    using world = worldWith({ schedule: "0 6 * * *" });
    await run(world, mongodump("first", whole));
    const before = (await readBackup(world.store, id))!;
    const grown = { ...before, collections: before.collections.map((each) => ({ ...each, bytes: 1000 })) };
    await world.store.put(`${dumpsPrefix}${id}/manifest.json`, Buffer.from(JSON.stringify(grown)));
    await world.service.clock.sleep(60_000);
    await run(world, mongodump("second", whole));
    expect(await recorded(world)).toMatchObject({
      state: "finished",
      warnings: [expect.stringContaining(`size -100 % against ${id}`)],
      nextDueAt: "2026-11-21T06:00:00.000Z",
    });
  });
});
