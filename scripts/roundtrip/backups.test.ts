import { expect, test } from "bun:test";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import { backupIds, readBackup } from "../../adapters/state/backups.ts";
import { writeJson } from "../../adapters/state/json.ts";
import type { BackupManifest, BackupRun, OplogManifest, Verification } from "../../core/backup/documents.ts";
import { backupId, backupKeys, oplogKeys, runKey } from "../../core/backup/layout.ts";
import { encodeOplogManifest } from "../../core/backup/oplog-chain.ts";
import { worldEnvironment } from "../../tests/support/service-world.ts";
import { findBackup, pruneBackups, surveyBackups } from "./backups-survey.ts";
import { describeText, listText, pruneText } from "./backups-text.ts";

const mebibyte = 1024 * 1024;
const environment = { ...worldEnvironment, environment: "dev", backups: { schedule: "30 2 * * *" } };

function manifestOf(id: string, startedAt: string): BackupManifest {
  const collection = { database: "shop", content: "", metadata: "{}" };
  return {
    version: 1,
    id,
    environment: "dev",
    source: { setName: "rs0", replicaSetId: "abc" },
    startedAt,
    finishedAt: startedAt.replace("00:00.000Z", "01:30.000Z"),
    tool: "mongodump version: 100.9.5",
    archive: { key: backupKeys(id).archive("gzip"), compression: "gzip", bytes: 3, sha256: "f".repeat(64) },
    collections: [
      { ...collection, name: "orders", documents: 1200, bytes: 2 * mebibyte },
      { ...collection, name: "a", documents: 1, bytes: 12 },
    ],
    oplog: { entries: 1, last: { t: 1_795_219_200, i: 4 } },
  };
}

type Verdict = Verification["verdict"];

/** Four backups of 1 to 4 September 2026, and what a killed run left on the 5th. */
async function bucket(
  verdicts: readonly (Verdict | undefined)[] = ["PROVEN", "PROVEN", undefined, "DIFFERS"],
) {
  const store = new MemoryObjectStore();
  const ids: string[] = [];
  for (const [at, verdict] of verdicts.entries()) {
    const startedAt = `2026-09-0${at + 1}T00:00:00.000Z`;
    const id = backupId(new Date(startedAt));
    const [keys, manifest] = [backupKeys(id), manifestOf(id, startedAt)];
    await store.put(manifest.archive.key, new Uint8Array(3));
    await writeJson(store, keys.manifest, manifest);
    const levels = [{ level: 2, verdict, findings: ["shop.orders: 1 document too few"], seconds: 4 }];
    const verification = { verdict, finishedAt: startedAt, levels };
    if (verdict) await writeJson(store, keys.verification, verification);
    ids.push(id);
  }
  const killed = backupId(new Date("2026-09-05T00:00:00Z"));
  await store.put(backupKeys(killed).archive("gzip"), new Uint8Array(5));
  return { deps: { store, environment }, store, ids, killed };
}

/** An era of the oplog's archive that holds the backups' end and goes on until that second. */
async function archiveThrough(store: MemoryObjectStore, t: number): Promise<void> {
  const manifest: OplogManifest = {
    version: 1,
    era: "e1",
    number: 1,
    source: { setName: "rs0", replicaSetId: "abc" },
    after: { t: 1_795_219_100, i: 1 },
    first: { t: 1_795_219_101, i: 1 },
    last: { t, i: 1 },
    entries: 1,
    segment: { key: "s", bytes: 1, sha256: "f".repeat(64) },
    writtenAt: "2026-11-21T00:10:01.000Z",
  };
  await store.put(oplogKeys("e1").manifest(1), encodeOplogManifest(manifest).body);
}

test("the list: newest first, schedule, last run, what each verification said", async () => {
  const { deps, store, ids } = await bucket();
  const words = { what: "dump", expected: "an end", got: "none", wayOut: "look" };
  const run: BackupRun = {
    version: 1,
    kind: "backup",
    state: "failed",
    startedAt: "",
    finishedAt: "then",
    error: words,
  };
  await writeJson(store, runKey("backup"), { ...run, warnings: ["size +80 %"], nextDueAt: "tomorrow" });
  await store.delete([backupKeys(ids[0]!).archive("gzip")]);
  // Of another replica set: the archive of this one's oplog does not lead on from it.
  const first = (await readBackup(store, ids[0]!))!;
  const source = { setName: "rs0", replicaSetId: "before" };
  await writeJson(store, backupKeys(first.id).manifest, { ...first, source });
  await archiveThrough(store, 1_795_219_800);
  expect(listText(await surveyBackups(deps))).toBe(
    `dev: 4 backups of MongoDB
  schedule   30 2 * * * (Terraform's backup_schedule)
  last run   failed, then
             dump: expected an end, got none
             look
  look       size +80 %
  next       tomorrow

backup                took  archive  documents      restores through  verified
2026-09-04T00-00-00Z  90 s  3 bytes       1201  2026-11-21T00:10:00Z  DIFFERS (level 2)
2026-09-03T00-00-00Z  90 s  3 bytes       1201  2026-11-21T00:10:00Z  not verified
2026-09-02T00-00-00Z  90 s  3 bytes       1201  2026-11-21T00:10:00Z  PROVEN (level 2)
2026-09-01T00-00-00Z  90 s  3 bytes       1201                itself  archive gone
`,
  );
});

test("an archive of the oplog that can't be read hides no backup", async () => {
  const { deps, store } = await bucket();
  await store.put(oplogKeys("e1").manifest(1), Buffer.from("{"));
  const text = listText(await surveyBackups(deps));
  expect(text).toContain(
    "  oplog      not known: read the oplog archive's manifest backups/oplog/e1/manifests/0000000001.json",
  );
  expect(text).toMatch(/2026-09-04T00-00-00Z .* itself {2}DIFFERS/);
});

test("a backup is described; one that has no manifest is none", async () => {
  const { deps, ids, killed } = await bucket();
  expect(describeText(await findBackup(deps, ids[3]!))).toContain("restores   itself alone: ");
  await archiveThrough(deps.store, 1_795_219_800);
  const text = describeText(await findBackup(deps, ids[3]!));
  expect(text).toContain(
    "restores   from 2026-11-21T00:00:00Z (1795219200:4) through 2026-11-21T00:10:00Z (1795219800:1)\n",
  );
  expect(text).toContain("stands at  1795219200:4 (2026-11-21T00:00:00.000Z), 1 entry of the oplog in it\n");
  expect(text).toContain("data       2 collections, 1201 documents, 2.0 MiB uncompressed\n");
  expect(text).toContain("level 2: DIFFERS, 4 s\n               shop.orders: 1 document too few\n");
  expect(text).toContain("shop.orders       1200  2.0 MiB\n");
  await expect(findBackup(deps, killed)).rejects.toMatchObject({ kind: "configuration" });
});

const inOctober = new Date("2026-10-01T00:00:00Z");

test("prune shows first, then deletes, and spares what is proved and what is newest", async () => {
  const { deps, store, ids, killed } = await bucket();
  const shown = await pruneBackups(deps, inOctober, false);
  expect(pruneText(shown)).toBe(
    `dev: of what was begun before 2026-10-01T00:00:00.000Z, 3 folders would be deleted, ${(shown.bytes / 1024).toFixed(1)} KiB
  - 2026-09-01T00-00-00Z
  - 2026-09-03T00-00-00Z
  - 2026-09-05T00-00-00Z: left by a run that was killed, never a backup
  stays 2026-09-02T00-00-00Z: the newest that is proved
  stays 2026-09-04T00-00-00Z: the newest of all
Nothing was deleted: add --yes to do it.
`,
  );
  expect(await backupIds(store)).toEqual(ids);
  expect(await pruneBackups(deps, inOctober, true)).toEqual({ ...shown, pruned: true });
  expect(await backupIds(store)).toEqual([ids[1]!, ids[3]!]);
  expect(await store.head(backupKeys(killed).archive("gzip"))).toBeUndefined();
  expect((await pruneBackups(deps, inOctober, true)).remove).toEqual([]);
});

test("a proved backup whose archive is gone keeps no other from being the proved one that stays", async () => {
  const { deps, store, ids } = await bucket(["PROVEN", "PROVEN", undefined]);
  await store.delete([backupKeys(ids[1]!).archive("gzip")]);
  const { remove, spared } = await pruneBackups(deps, inOctober, false);
  expect(remove).toEqual([ids[1]!]);
  expect(spared.map(({ id }) => id)).toEqual([ids[0]!, ids[2]!]);
});

test("a deletion that breaks off leaves no backup without its archive", async () => {
  const { deps, store, ids } = await bucket();
  const remove = store.delete.bind(store);
  let calls = 0;
  store.delete = (keys) => (++calls === 2 ? Promise.reject(new Error("away")) : remove(keys));
  await expect(pruneBackups(deps, inOctober, true)).rejects.toThrow("away");
  expect(await backupIds(store)).toEqual(ids.slice(1));
  store.delete = remove;
  const { leftovers } = await pruneBackups(deps, inOctober, true);
  expect(leftovers).toContain(ids[0]!);
});
