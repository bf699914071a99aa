import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { ServiceWorld, worldFailbackId } from "../../tests/support/service-world.ts";
import { archiveFailback, archiveListKey } from "./archive.ts";
import { removeLog, tokenFile } from "./remove.ts";

const keys = keysOf(worldFailbackId);
const bytes = (text: string) => new TextEncoder().encode(text);
const options = (store: MemoryObjectStore) => ({
  store,
  failbackId: worldFailbackId,
  now: () => new Date("2026-11-21T00:00:00.000Z"),
  onProgress: () => {},
  signal: new AbortController().signal,
});

async function filledStore(): Promise<MemoryObjectStore> {
  const store = new MemoryObjectStore();
  for (let number = 1; number <= 12; number++)
    await store.put(`${keys.log}shop/orders/${number}.bson`, bytes(`event ${number}`));
  await store.put(keys.manifest(1), bytes("manifest"));
  await store.put(keys.verdict, bytes("verdict"));
  await store.put(`${keys.tail}0001.json`, bytes("ledger"));
  await store.put(`${keys.journal("failback-start")}0001.json`, bytes("journal"));
  await store.put(keys.status("clean"), bytes("status"));
  await store.put(`${keys.dump("mongodb")}run/dump.archive.gz`, bytes("dump"));
  await store.put(keys.resumeToken, bytes("token"));
  await store.put("failback/fb-11/scope.json", bytes("another failback"));
  return store;
}

const listed = async (store: MemoryObjectStore, prefix: string) => {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
};

describe("failback 27: clean archives, then deletes", () => {
  test("log, manifests, ledger, verdict and journal are copied, verified and listed; dumps and status stay", async () => {
    const store = await filledStore();
    const list = await archiveFailback(options(store));
    expect(list.objects).toHaveLength(17);
    for (const { key, sha256 } of list.objects) {
      const copy = await store.get(key);
      expect(new Bun.CryptoHasher("sha256").update(copy!.body).digest("hex")).toBe(sha256);
    }
    const names = await listed(store, keys.archive);
    expect(names).toContain(`${keys.archive}verdict.json`);
    expect(names).toContain(archiveListKey(worldFailbackId));
    expect(names.filter((name) => name.includes("dump/") || name.includes("status/"))).toEqual([]);
  });

  test("progress counts what was copied, up to the total and never beyond", async () => {
    const seen: string[] = [];
    const onProgress = (done: number, total: number) => void seen.push(`${done} of ${total}`);
    await archiveFailback({ ...options(await filledStore()), onProgress });
    expect(seen).toEqual(Array.from({ length: 17 }, (_, index) => `${index + 1} of 17`));
  });

  test("a copy that reads back otherwise stops it before the list is written", async () => {
    const store = await filledStore();
    const put = store.put.bind(store);
    store.put = (key, body, given) =>
      put(key, key.startsWith(keys.archive) && key.endsWith("verdict.json") ? bytes("torn") : body, given);
    await expect(archiveFailback(options(store))).rejects.toThrow("verify the archived copy");
    expect(await store.head(archiveListKey(worldFailbackId))).toBeUndefined();
  });

  test("killed anywhere while copying, a rerun ends with the same archive", async () => {
    const whole = await filledStore();
    const { objects } = await archiveFailback(options(whole));
    for (const killAt of [1, 5, 12, 16, 17]) {
      const store = await filledStore();
      const put = store.put.bind(store);
      let puts = 0;
      store.put = (...given) => (++puts > killAt ? Promise.reject(new Error("killed")) : put(...given));
      await expect(archiveFailback(options(store))).rejects.toThrow("killed");
      store.put = put;
      expect((await archiveFailback(options(store))).objects).toEqual(objects);
    }
  });

  test("after the log was deleted a rerun keeps the archive as it is", async () => {
    const store = await filledStore();
    const list = await archiveFailback(options(store));
    using world = new ServiceWorld();
    await removeLog(store, worldFailbackId, world.service.stateDirectory);
    expect(await archiveFailback(options(store))).toEqual(list);
    expect(await store.get(`${keys.archive}replication/shop/orders/7.bson`)).toBeDefined();
  });

  test("deletes the log and the token, in the bucket and on the host, and nothing else", async () => {
    const store = await filledStore();
    using world = new ServiceWorld();
    const { stateDirectory } = world.service;
    writeFileSync(join(stateDirectory, tokenFile), "{}");
    expect(await removeLog(store, worldFailbackId, stateDirectory)).toBe(12);
    expect(await listed(store, keys.log)).toEqual([]);
    expect(await store.head(keys.resumeToken)).toBeUndefined();
    expect(existsSync(join(stateDirectory, tokenFile))).toBe(false);
    expect(await store.head(keys.manifest(1))).toBeDefined();
    expect(await store.head("failback/fb-11/scope.json")).toBeDefined();
    expect(await removeLog(store, worldFailbackId, stateDirectory)).toBe(0);
  });

  test("a log that is written while it is deleted is reported", async () => {
    const store = await filledStore();
    using world = new ServiceWorld();
    const remove = store.delete.bind(store);
    store.delete = async (given) => {
      await remove(given);
      await store.put(`${keys.log}shop/orders/99.bson`, bytes("late"));
    };
    await expect(removeLog(store, worldFailbackId, world.service.stateDirectory)).rejects.toThrow(
      "still there",
    );
  });
});
