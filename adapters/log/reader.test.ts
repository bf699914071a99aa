import { describe, expect, test } from "bun:test";
import { createClassifier } from "../../core/changes/classify.ts";
import { FlushBuilder } from "../../core/changes/flush.ts";
import { chainStart } from "../../core/changes/manifest-chain.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { Arena } from "../../services/replication/arena.ts";
import { LogWriter } from "../../services/replication/log-writer.ts";
import { PatientStore } from "../../services/replication/patient-store.ts";
import { testScope } from "../../tests/support/capture-context.ts";
import { changeEvent, tokenBytes } from "../../tests/support/change-events.ts";
import { waitFor } from "../../tests/support/wait-for.ts";
import { systemClock } from "../clock.ts";
import { MemoryObjectStore } from "../memory/object-store.ts";
import { followManifests, newestNumber } from "./manifests.ts";
import { readLog } from "./reader.ts";
import type { LogWindow, ReadLogOptions } from "./window.ts";

const failbackId = "fb-1";
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const never = new AbortController().signal;

/** A log of 100 events over three collections, ten a flush; every tenth event is outside the scope. */
async function writeLog(store: ObjectStore, flushes = 10): Promise<Uint8Array[]> {
  const written: Uint8Array[] = [];
  const writer = new LogWriter({
    store,
    patient: new PatientStore({ store, clock: systemClock, logger: silent, giveUp: never }),
    clock: systemClock,
    failbackId,
    writer: { host: "host-1", run: "run-1" },
    head: chainStart,
    compression: "none",
    bytesInFlightMax: 1 << 20,
    onCommitted: () => {},
  });
  const builder = new FlushBuilder({
    nextSequence: 1,
    memory: new Arena(1 << 16),
    classify: createClassifier(testScope),
    maxEventsPerObject: 1000,
    resume: { operationTime: { t: 1_700_000_000, i: 1 } },
  });
  for (let flush = 0; flush < flushes; flush++) {
    for (let index = 1; index <= 10; index++) {
      const number = flush * 10 + index;
      const collection = index === 10 ? "elsewhere" : index % 2 ? "orders" : "customers";
      const event = changeEvent(number, { collection });
      written.push(event);
      builder.add(event);
    }
    builder.moveTo({ token: tokenBytes(flush * 10 + 10), operationTime: { t: 1_700_000_000 + flush, i: 1 } });
    writer.add(builder.take());
  }
  await writer.drained();
  return written;
}

async function windowsOf(store: ObjectStore, options: Partial<ReadLogOptions> = {}): Promise<LogWindow[]> {
  const windows: LogWindow[] = [];
  for await (const window of readLog({ store, failbackId, ...options })) windows.push(window);
  return windows;
}

/** The failure, and the windows that came before it. */
async function failureOf(store: ObjectStore, options: Partial<ReadLogOptions> = {}) {
  const windows: LogWindow[] = [];
  try {
    for await (const window of readLog({ store, failbackId, windowBytes: 1, ...options }))
      windows.push(window);
  } catch (error) {
    if (error instanceof RoundtripError) return { error, windows };
    throw error;
  }
  throw new Error("it did not fail");
}

async function keysBelow(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

describe("reading the log back", () => {
  test("windows hold whole manifests in sequence order, whatever their size", async () => {
    const store = new MemoryObjectStore();
    const written = await writeLog(store);
    for (const windowBytes of [1, 5000, 1 << 30]) {
      for (const [concurrency, aheadBytesMax] of [
        [1, 1],
        [8, 1 << 30],
      ] as const) {
        const windows = await windowsOf(store, { windowBytes, concurrency, aheadBytesMax });
        const events = windows.flatMap((window) => window.events);
        expect(events.map(({ sequence }) => sequence)).toEqual(written.map((_, index) => index + 1));
        expect(events.map(({ raw }) => Buffer.from(raw))).toEqual(written.map((raw) => Buffer.from(raw)));
        expect(windows[0]!.firstManifest).toBe(1);
        expect(windows.at(-1)!.lastManifest).toBe(10);
        if (windowBytes === 1) expect(windows).toHaveLength(10);
      }
    }
  });

  test("from a sequence on: what is before is checked and not fetched; kinds not asked for are counted", async () => {
    const store = new MemoryObjectStore();
    await writeLog(store);
    const early = (await keysBelow(store, "failback/fb-1/replication/"))[0]!;
    await store.delete([early]);
    const windows = await windowsOf(store, { fromSequence: 55, kinds: ["scope"], windowBytes: 1 });
    const sequences = windows.flatMap((window) => window.events.map(({ sequence }) => sequence));
    expect(sequences).toEqual(
      Array.from({ length: 46 }, (_, index) => 55 + index).filter((n) => n % 10 !== 0),
    );
    expect(windows.reduce((sum, window) => sum + window.skipped, 0)).toBe(5);
    expect(windows.flatMap((window) => window.events).every(({ kind }) => kind === "scope")).toBe(true);
  });

  test("a manifest that is missing ends the reading before it, by name", async () => {
    const store = new MemoryObjectStore();
    await writeLog(store);
    await store.delete(["failback/fb-1/manifests/0000000004.json"]);
    const { error, windows } = await failureOf(store, { throughManifest: 10 });
    expect(error.kind).toBe("logCorrupt");
    expect(error.what).toContain("manifests/0000000004.json");
    expect(windows.at(-1)?.lastSequence).toBe(30);
    const unbounded = await failureOf(store);
    expect(unbounded.error.what).toContain("manifests/0000000004.json");
  });

  test("an object that is missing, torn, or altered is named, and nothing behind it is given", async () => {
    for (const damage of ["missing", "torn", "altered"] as const) {
      const store = new MemoryObjectStore();
      await writeLog(store);
      const key = (await keysBelow(store, "failback/fb-1/replication/shop/orders/"))[4]!;
      const { body } = (await store.get(key))!;
      await store.delete([key]);
      if (damage === "torn") await store.put(key, body.subarray(0, body.length - 1));
      if (damage === "altered") await store.put(key, body.with(40, body[40]! ^ 1));
      const { error, windows } = await failureOf(store);
      expect([damage, error.kind]).toEqual([damage, "logCorrupt"]);
      expect(error.what).toContain(key);
      expect(windows.at(-1)?.lastSequence).toBe(40);
    }
  });

  test("a manifest rewritten in the middle breaks the chain at the next one", async () => {
    const store = new MemoryObjectStore();
    await writeLog(store);
    const key = "failback/fb-1/manifests/0000000003.json";
    const text = new TextDecoder().decode((await store.get(key))!.body);
    await store.put(key, new TextEncoder().encode(text.replace("run-1", "run-2")));
    const { error, windows } = await failureOf(store);
    expect(error.what).toContain("manifests/0000000004.json");
    expect(error.expected).toContain("previousSha256");
    expect(windows.at(-1)?.lastManifest).toBe(3);
  });

  test("objects without a manifest do not exist", async () => {
    const store = new MemoryObjectStore();
    const written = await writeLog(store);
    await store.put(
      "failback/fb-1/replication/shop/orders/20990101T000000Z-000000000101_x.bson",
      changeEvent(101),
    );
    expect((await windowsOf(store)).flatMap(({ events }) => events)).toHaveLength(written.length);
  });

  test("a consumer that stops early leaves nothing running", async () => {
    const store = new MemoryObjectStore();
    await writeLog(store);
    for await (const window of readLog({ store, failbackId, windowBytes: 1 })) {
      expect(window.firstSequence).toBe(1);
      break;
    }
  });
});

describe("manifests", () => {
  test("the newest number is found for any length, and one behind a hole is an error", async () => {
    for (const length of [0, 1, 2, 3, 7, 8, 9, 33]) {
      const store = new MemoryObjectStore();
      await writeLog(store, length);
      expect(await newestNumber(store, failbackId)).toBe(length);
    }
    const store = new MemoryObjectStore();
    await writeLog(store, 9);
    await store.delete(["failback/fb-1/manifests/0000000006.json"]);
    // Probing sees 1, 2, 4, 8 and 9; with 8 gone, too, it would take 5 for the end.
    await store.delete(["failback/fb-1/manifests/0000000008.json"]);
    await expect(newestNumber(store, failbackId)).rejects.toThrow("manifests/0000000006.json");
  });

  test("following gives what is there and what comes, once each, until the signal", async () => {
    const source = new MemoryObjectStore();
    await writeLog(source, 6);
    const store = new MemoryObjectStore();
    const copy = async (number: number) => {
      const key = `failback/fb-1/manifests/${String(number).padStart(10, "0")}.json`;
      await store.put(key, (await source.get(key))!.body);
    };
    for (const number of [1, 2, 3]) await copy(number);
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      const options = { store, failbackId, clock: systemClock, pollMs: 2, signal: stop.signal };
      for await (const { manifest } of followManifests(options)) seen.push(manifest.number);
    })();
    await waitFor("three manifests", () => seen.length === 3);
    for (const number of [4, 5, 6]) await copy(number);
    await waitFor("six manifests", () => seen.length === 6);
    stop.abort();
    await following;
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
