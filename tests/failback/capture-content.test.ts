/** invariants.md 9, 10, 11: content never stops capture, heartbeats, and S3 that is slow or down. */
import { expect, test } from "bun:test";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import type { Gap } from "../../core/changes/gap.ts";
import { RoundtripError } from "../../core/errors.ts";
import { replicate } from "../../services/replication/run.ts";
import { testCapture } from "../support/capture-context.ts";
import { changeEvent } from "../support/change-events.ts";
import { FakeChangeSource } from "../support/fake-change-source.ts";
import { StallingStore } from "../support/interrupted-store.ts";
import { buffers, eventsOf, lastSequence, manifestsOf } from "../support/log-content.ts";
import { waitFor } from "../support/wait-for.ts";

const beat = async () => {};

test("failback 9: unknown types, missing lookups and keys, oversize and unreadable events are kept raw, flagged, counted", async () => {
  const store = new MemoryObjectStore();
  const unreadable = changeEvent(6).with(4, 0x77);
  const given = [
    changeEvent(1),
    changeEvent(2, { operationType: "somethingNew" }),
    changeEvent(3, { operationType: "update", fullDocument: null, id: 7 }),
    changeEvent(4, { operationType: "delete", fields: { documentKey: undefined } }),
    changeEvent(5, { operationType: "update", id: "big", fields: { fullDocument: undefined } }),
    unreadable,
    changeEvent(7, { operationType: "drop", fields: { documentKey: undefined, fullDocument: undefined } }),
    changeEvent(8, { operationType: "invalidate", fields: { ns: undefined, documentKey: undefined } }),
    changeEvent(9, { operationType: "dropDatabase", collection: "", fields: { documentKey: undefined } }),
    changeEvent(10, { database: "other", operationType: "update" }),
  ];
  using capture = await testCapture(store);
  const source = new FakeChangeSource(given, { oversize: new Set([5]), batchEvents: 10 });
  const running = replicate(capture.context, capture.failback, { source, beat });
  await waitFor("all", async () => (await lastSequence(store)) === given.length);
  capture.stop();
  await running;
  const log = await eventsOf(store);
  expect(buffers(log.map(({ raw }) => raw))).toEqual(buffers(given));
  expect((await manifestsOf(store)).flatMap(({ flags }) => flags)).toEqual([
    { sequence: 2, reason: "unknown-type", namespace: "shop.orders", id: expect.any(String) },
    { sequence: 3, reason: "lookup-null", namespace: "shop.orders", id: '{"$numberInt":"7"}' },
    { sequence: 4, reason: "no-document-key", namespace: "shop.orders" },
    { sequence: 5, reason: "oversize", namespace: "shop.orders", id: '"big"' },
    { sequence: 6, reason: "unreadable", namespace: "" },
  ]);
  const kinds = log.map(({ kind, database, collection }) => [kind, database, collection].join(" "));
  expect(kinds[6]).toBe("scope shop orders");
  expect(kinds[7]).toBe("held  ");
  expect(kinds[8]).toBe("scope shop ");
  expect(kinds[9]).toBe("held other orders");
  expect(capture.status().detail?.flags).toBe(5);
});

test("failback 9: lost history stops loudly: what was read is in the log, the gap is recorded, the exit code says so", async () => {
  const store = new MemoryObjectStore();
  const lost = new RoundtripError({
    kind: "historyLost",
    what: "read changes: DocumentDB",
    expected: "the change stream to hold everything",
    got: "code 136 CappedPositionLost",
    wayOut: "recopy",
  });
  const source = new FakeChangeSource([changeEvent(1), changeEvent(2)], { failAtEnd: () => lost });
  // A long delay: the events are still in hand when the stream fails.
  using capture = await testCapture(store, { settings: { maxDelayMs: 60_000 } });
  const error = await replicate(capture.context, capture.failback, { source, beat }).catch(
    (reason) => reason,
  );
  expect(error).toBe(lost);
  expect(error.exitCode).toBe(10);
  expect(await lastSequence(store)).toBe(2);
  const found = await store.get("failback/fb-1/gap.json");
  const gap: Gap = JSON.parse(new TextDecoder().decode(found!.body));
  expect(gap).toMatchObject({
    failbackId: "fb-1",
    lastManifest: 1,
    lastSequence: 2,
    got: "code 136 CappedPositionLost",
  });
});

test("failback 9: a rename counts where it comes from and where it leads", async () => {
  const store = new MemoryObjectStore();
  const rename = (number: number, from: string, to: string) =>
    changeEvent(number, {
      operationType: "rename",
      collection: from,
      fields: { to: { db: "shop", coll: to }, documentKey: undefined, fullDocument: undefined },
    });
  const given = [
    changeEvent(1, { collection: "elsewhere" }),
    rename(2, "elsewhere", "orders"),
    changeEvent(3, { collection: "elsewhere" }),
    rename(4, "orders", "elsewhere"),
    rename(5, "elsewhere", "nowhere"),
  ];
  using capture = await testCapture(store);
  const running = replicate(capture.context, capture.failback, { source: new FakeChangeSource(given), beat });
  await waitFor("all", async () => (await lastSequence(store)) === 5);
  capture.stop();
  await running;
  expect((await eventsOf(store)).map(({ kind }) => kind)).toEqual(["held", "scope", "held", "scope", "held"]);
});

function heartbeatEvent(number: number): Uint8Array {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return changeEvent(number, {
    database: "roundtrip_control",
    collection: "signals",
    operationType: "update",
    id: "heartbeat-fb-1",
    time: { t: nowSeconds, i: number },
    fullDocument: { _id: "heartbeat-fb-1", kind: "heartbeat", failbackId: "fb-1", number },
  });
}

test("failback 10: heartbeats come back through the log as control signals, and keep the token young", async () => {
  const store = new MemoryObjectStore();
  const source = new FakeChangeSource([]);
  using capture = await testCapture(store, { settings: { heartbeatSeconds: 0.05 } });
  const running = replicate(capture.context, capture.failback, {
    source,
    beat: async (number) => source.push(heartbeatEvent(number)),
  });
  await waitFor("three heartbeats", async () => (await lastSequence(store)) >= 3);
  await waitFor("their report", () =>
    capture.updates.some(({ detail }) => Number(detail?.lastSequence) >= 3),
  );
  capture.stop();
  await running;
  const manifests = await manifestsOf(store);
  expect(manifests.flatMap(({ signals }) => signals)[0]).toEqual({
    id: "heartbeat-fb-1",
    kind: "heartbeat",
    sequence: 1,
  });
  expect(manifests.flatMap(({ objects }) => objects).every(({ kind }) => kind === "control")).toBe(true);
  const detail = capture.status().detail!;
  expect(detail.heartbeatMissing).toBe(false);
  expect(Number(detail.tokenAgeSeconds)).toBeLessThan(30);
  expect(detail.retentionSeconds).toBe(10_800);
});

test("failback 10: three missing periods raise the alarm; the next heartbeat in the log ends it", async () => {
  const store = new MemoryObjectStore();
  const source = new FakeChangeSource([]);
  using capture = await testCapture(store, { settings: { heartbeatSeconds: 0.2 } });
  let silent = true;
  const running = replicate(capture.context, capture.failback, {
    source,
    beat: async (number) => {
      if (!silent) source.push(heartbeatEvent(number));
    },
  });
  const alarms = () => capture.lines.filter(({ level }) => level === "error");
  await waitFor("the alarm", () => alarms().length === 1);
  expect(alarms()[0]!.message).toContain("heartbeats are missing");
  await waitFor("the alarm in the status", () =>
    capture.updates.some(({ detail }) => detail?.heartbeatMissing === true),
  );
  silent = false;
  await waitFor("the end of the alarm", () =>
    capture.lines.some(({ message }) => message.includes("in the log again")),
  );
  capture.stop();
  await running;
});

test("failback 10: a token older than half of the retention is warned of once, and its age is in the status", async () => {
  const store = new MemoryObjectStore();
  using capture = await testCapture(store);
  const source = new FakeChangeSource([
    changeEvent(1, { time: { t: Math.floor(Date.now() / 1000) - 7200, i: 1 } }),
  ]);
  const running = replicate(capture.context, capture.failback, { source, beat });
  await waitFor("the event", async () => (await lastSequence(store)) === 1);
  await waitFor("its age", () => {
    const age = capture.updates.at(-1)?.detail?.tokenAgeSeconds;
    return typeof age === "number" && age >= 7200 && age < 7300;
  });
  capture.stop();
  await running;
  expect(capture.lines.filter(({ message }) => message.includes("older than half"))).toHaveLength(1);
});

test("failback 11: while S3 is down reading stops at a bound and nothing is dropped; when it is back capture goes on", async () => {
  const store = new StallingStore();
  const given = Array.from({ length: 5000 }, (_, index) =>
    changeEvent(index + 1, { fullDocument: { text: "x".repeat(1000) } }),
  );
  const maxBytesPerFlush = 50_000;
  using capture = await testCapture(store, { settings: { maxBytesPerFlush } });
  const source = new FakeChangeSource(given, { batchEvents: 10 });
  store.down = true;
  const running = replicate(capture.context, capture.failback, { source, beat });
  await waitFor("S3 was tried", () => store.refused > 3);
  const bytesPerEvent = given[0]!.length;
  let before = -1;
  await waitFor("reading stands still", async () => {
    const still = before === source.given && source.given > 0;
    before = source.given;
    await Bun.sleep(100);
    return still;
  });
  // Two flushes on their way, one in hand, one batch read ahead.
  expect(source.given * bytesPerEvent).toBeLessThan(3 * maxBytesPerFlush + 3 * 10 * bytesPerEvent);
  await waitFor("the status says it waits", () => capture.status().state === "waiting");
  expect(await lastSequence(store)).toBe(0);
  store.down = false;
  await waitFor("everything", async () => (await lastSequence(store)) === given.length);
  capture.stop();
  await running;
  expect(buffers((await eventsOf(store)).map(({ raw }) => raw))).toEqual(buffers(given));
});

test("failback 11: SIGTERM while S3 is down ends as unavailable, with nothing half written", async () => {
  const store = new StallingStore();
  using capture = await testCapture(store);
  const source = new FakeChangeSource([changeEvent(1)]);
  store.down = true;
  const running = replicate(capture.context, capture.failback, { source, beat, finishMsMax: 200 });
  const outcome = running.catch((error) => error);
  await waitFor("S3 was tried", () => store.refused > 0);
  capture.stop();
  const error = await outcome;
  expect([error.kind, error.exitCode]).toEqual(["unavailable", 4]);
  expect(await manifestsOf(store)).toEqual([]);
});
