import { expect, test } from "bun:test";
import { backupKeys, runKey } from "../../core/backup/layout.ts";
import { MemoryObjectStore } from "../memory/object-store.ts";
import { backupFolders, backupIds, lastBackup, newestBackup } from "./backups.ts";
import { writeJson } from "./json.ts";

const ids = ["2026-11-19T00-00-00Z", "2026-11-20T00-00-00Z", "2026-11-21T00-00-00Z"] as const;
const finishedAt = (id: string) => `${id.slice(0, 10)}T00:10:00.000Z`;

async function bucketWith(...complete: readonly string[]): Promise<MemoryObjectStore> {
  const store = new MemoryObjectStore();
  for (const id of ids) await store.put(backupKeys(id).archive("gzip"), new Uint8Array(7));
  for (const id of complete)
    await writeJson(store, backupKeys(id).manifest, { id, finishedAt: finishedAt(id) });
  return store;
}

test("what has no manifest is no backup, and still a folder", async () => {
  const store = await bucketWith(ids[0], ids[1]);
  expect(await backupIds(store)).toEqual([ids[0], ids[1]]);
  expect((await newestBackup(store))?.id).toBe(ids[1]);
  expect((await newestBackup(store, ids[1]))?.id).toBe(ids[0]);
  expect(await newestBackup(store, ids[0])).toBeUndefined();
  expect((await backupFolders(store)).at(-1)).toEqual({
    id: ids[2],
    hasManifest: false,
    objects: [{ key: backupKeys(ids[2]).archive("gzip"), size: 7 }],
  });
});

test("readiness hears of the newest backup, and of a failure only when it came after it", async () => {
  const store = await bucketWith(ids[1]);
  const run = { version: 1, kind: "backup", startedAt: "" };
  expect(await lastBackup(store)).toEqual({ version: 1, finishedAt: finishedAt(ids[1]), ok: true });
  await writeJson(store, runKey("backup"), { ...run, state: "refused", finishedAt: finishedAt(ids[2]) });
  expect(await lastBackup(store)).toMatchObject({ ok: true });
  await writeJson(store, runKey("backup"), { ...run, state: "failed", finishedAt: finishedAt(ids[2]) });
  expect(await lastBackup(store)).toEqual({ version: 1, finishedAt: finishedAt(ids[2]), ok: false });
  expect(await lastBackup(new MemoryObjectStore())).toBeUndefined();
});
